"""The refused rows as a file of the format they came in, to be mended and sent again: the original cells, and the reason
before them. A cell that a spreadsheet would run as a formula goes back so that it does not."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Table
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from services.listings.manifests import json_lines
from services.listings.manifests import mapping as mappings
from services.listings.manifests.encodings import MARKS, encode, is_utf8
from services.listings.manifests.files import ManifestFile
from services.listings.manifests.raw import FORMULA_STARTS, RawRow, RowProblem
from services.listings.manifests.rows import Reading

REASON = "reason"
Problems = Table[int, tuple[RowProblem, ...]]


def refused_file(read: Reading, problems: Problems) -> bytes:
    """The rows that have problems, by their numbers. The reason column of an earlier round is replaced."""
    file = read.file
    is_stale = file.header[:1] == (REASON,) and REASON not in mappings.columns(read.mapping)
    rows = ((row, _reason(problems[row.number])) for row in _as_they_stood(read, problems))
    return _WRITERS[file.format](file, rows, is_stale)


def _as_they_stood(read: Reading, problems: Problems) -> Iterator[RawRow]:
    """In the file's order; where not all were kept, the file is read once more up to the last of them."""
    if problems.keys() <= read.kept.keys():
        yield from (read.kept[number] for number in sorted(problems))
        return
    last = max(problems)
    for row in read.file.rows():
        if row.number in problems:
            yield row
        if row.number == last:
            return


def _reason(problems: tuple[RowProblem, ...]) -> str:
    return "; ".join(f"{problem.pointer.lstrip('/')} {problem.code}: {problem.detail}".strip() for problem in problems)


Rows = Iterator[tuple[RawRow, str]]


def _csv(file: ManifestFile, rows: Rows, is_stale: bool) -> bytes:
    out = bytearray()
    for cells in ([REASON, *file.header[is_stale:]], *([reason, *row.raw[is_stale:]] for row, reason in rows)):
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=file.delimiter).writerow(map(guarded, cells))
        out += encode(line.getvalue(), file.encoding)
    return _marked(file, bytes(out))


def _marked(file: ManifestFile, out: bytes) -> bytes:
    """With its byte order mark. Broken UTF-8 gets one too: without its neighbours it might pass for another encoding."""
    is_broken = file.encoding == "utf-8" and not is_utf8(out)
    return (MARKS["utf-8-sig"] if is_broken else MARKS.get(file.encoding, b"") if file.has_bom else b"") + out


_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")
_RUNS = re.compile(rf"[\x00-\x1f\x7f]*[{re.escape(FORMULA_STARTS)}]")


def guarded(cell: str) -> str:
    """With an apostrophe before what a spreadsheet would run, which reading takes back; numbers stay as they are."""
    return f"'{cell}" if _RUNS.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _xlsx(file: ManifestFile, rows: Rows, is_stale: bool) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("refused")
    sheet.append([_typed(sheet, cell) for cell in (REASON, *file.header[is_stale:])])
    for row, reason in rows:
        sheet.append([_typed(sheet, cell) for cell in (reason, *row.raw[is_stale:])])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _typed(sheet: Any, value: Any) -> Any:
    """Text stays text: marked as quoted, it does not turn into a formula when somebody edits the cell either."""
    if not isinstance(value, str) or not value:
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
    if text[0] not in FORMULA_STARTS:
        return text
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def _jsonl(file: ManifestFile, rows: Rows, is_stale: bool) -> bytes:
    out = bytearray()
    for row, reason in rows:
        out += encode(_with_reason(row, reason, is_stale) + "\n", file.encoding)
    return _marked(file, bytes(out))


def _with_reason(row: RawRow, reason: str, is_stale: bool) -> str:
    """An object keeps its very characters; a line that is none becomes the text `line`."""
    told = f'{{"{REASON}": {json.dumps(reason, ensure_ascii=True)}'
    if any(problem.code in ("json_malformed", "key_repeated") for problem in row.problems):
        return f'{told}, "line": {json.dumps(row.raw[0])}}}'
    line = json_lines.without_reason(row.raw[0]) if is_stale else row.raw[0]
    rest = line.strip().removeprefix("{").lstrip()
    return f"{told}{rest}" if rest == "}" else f"{told}, {rest}"


_WRITERS: dict[str, Callable[[ManifestFile, Rows, bool], bytes]] = {"csv": _csv, "xlsx": _xlsx, "jsonl": _jsonl}
