"""The first filled sheet of an XLSX workbook as raw rows. Formulas are read as the values stored with them, macros never.

A workbook is a zip archive that anybody may have written: its parts are bounded before any of them is unpacked, and what a
part holds beyond its declared size is an error."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES

from services.listings.manifests.raw import (
    MOST_BLANK_ROWS,
    ManifestIsUnreadable,
    RawRow,
    RowProblem,
    columns_of,
    faults_of,
    must_not_be_too_many,
    written_number,
)

MiB = 1024 * 1024
MOST_PARTS = 2_000
LARGEST_SHEET = 256 * MiB
LARGEST_TEXTS = 64 * MiB
LARGEST_PART = 8 * MiB
"""Of what is read besides sheets and their texts: styles, the list of sheets; pictures are never unpacked."""
START = b"PK\x03\x04"

_ERRORS = frozenset(ERROR_CODES)

Values = Sequence[Any]


@dataclass(frozen=True)
class Sheet:
    """`rows` reads the sheet anew each time."""

    header: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[RawRow]]
    notes: tuple[str, ...]


def sheet(content: bytes, decimal: str) -> Sheet:
    """Numbers are told with the decimal mark given. Errors: `ManifestIsUnreadable`, here or while iterating."""
    _must_be_bounded(content)
    book = _loaded(content)
    for place, found in enumerate(book.worksheets):
        first = next(_filled(found), None)
        if first is not None:
            header = tuple(text_of(value, ".").strip() for value in _trimmed(first[1]))
            columns = columns_of(header)
            others = len(book.worksheets) - 1
            notes = (f"sheet {place + 1} was read; {others} others were not",) if others else ()
            return Sheet(header, columns, partial(_rows, found, columns, decimal), notes)
    raise ManifestIsUnreadable("empty", "the workbook holds no header and no rows")


def _must_be_bounded(content: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _broken(error) from None
    too_large = [part.filename for part in parts if part.file_size > _limit(part.filename)]
    if len(parts) > MOST_PARTS or too_large:
        raise ManifestIsUnreadable("workbook", "the workbook unpacks to more than is read here; send it as CSV")


def _limit(name: str) -> int:
    if name.startswith("xl/worksheets/"):
        return LARGEST_SHEET
    if name.endswith("sharedStrings.xml"):
        return LARGEST_TEXTS
    return LARGEST_PART if name.endswith((".xml", ".rels")) else LARGEST_SHEET


def _loaded(content: bytes) -> Any:
    try:
        return load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise _broken(error) from error


def _broken(error: Exception) -> ManifestIsUnreadable:
    return ManifestIsUnreadable("workbook", f"the file is cut off, or no XLSX workbook ({type(error).__name__})")


def _filled(found: Any) -> Iterator[tuple[int, Values]]:
    """(row of the sheet, its values), without blank rows. The size that a sheet claims for itself is not believed."""
    found.reset_dimensions()
    blank = 0
    try:
        for place, values in enumerate(found.iter_rows(values_only=True), start=1):
            if any(value is not None and value != "" for value in values):
                yield place, values
                continue
            blank += 1
            if blank > MOST_BLANK_ROWS:
                raise ManifestIsUnreadable("too_many_rows", f"the sheet has more than {MOST_BLANK_ROWS} empty rows")
    except ManifestIsUnreadable:
        raise
    except Exception as error:
        raise _broken(error) from error


def _rows(found: Any, columns: tuple[str, ...], decimal: str) -> Iterator[RawRow]:
    filled = _filled(found)
    next(filled)
    for number, (line, values) in enumerate(filled, start=1):
        must_not_be_too_many(number)
        yield _raw_row(number, line, _fitted(values, len(columns)), columns, decimal)


def _fitted(values: Values, width: int) -> Values:
    if len(values) > width:
        values = _trimmed(values)
    return (*values, *[None] * (width - len(values)))


def _trimmed(values: Values) -> Values:
    filled = [place for place, value in enumerate(values) if value is not None and value != ""]
    return values[: filled[-1] + 1] if filled else ()


def _raw_row(number: int, line: int, values: Values, columns: tuple[str, ...], decimal: str) -> RawRow:
    texts = [text_of(value, decimal) for value in values]
    problems = tuple(RowProblem(number, "", code, detail) for code, detail in _faults(texts, len(columns)))
    cells = dict(zip(columns, texts, strict=True)) if len(texts) == len(columns) else {}
    return RawRow(number, line, cells, values, problems)


def _faults(texts: list[str], width: int) -> Iterator[tuple[str, str]]:
    if len(texts) != width:
        yield "ragged", f"{len(texts)} cells where the header has {width}"
    if not _ERRORS.isdisjoint(texts):
        yield "cell_error", f"a formula of the row ended in an error such as {min(_ERRORS.intersection(texts))}"
    yield from faults_of(texts)


def text_of(value: Any, decimal: str) -> str:
    """A cell as it would be typed: whole numbers without a fraction, days without midnight."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return written_number(value, decimal)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
