"""From the bytes of a manifest to its raw rows: encoding, delimiter, header, and what is wrong with a row before any
column has a meaning. What spoils one row refuses that row; only what spoils the whole file raises
`ManifestIsUnreadable`."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Literal

import charset_normalizer

from services.listings.manifests.records import Record, records

MOST_ROWS = 100_000
MOST_COLUMNS = 500
MOST_BROKEN_QUOTES = 1_000
LONGEST_CELL = 10_000
DELIMITERS = (",", ";", "\t", "|")
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"

UnreadableCode = Literal["encoding", "empty", "header", "too_many_rows", "too_many_columns", "quotes"]


class ManifestIsUnreadable(Exception):
    """The file as a whole cannot be read; nothing of it lands."""

    def __init__(self, code: UnreadableCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class RowProblem:
    """Why a row is refused. `row` is the 1-based data row, `pointer` a JSON pointer into the row ("" is all of it)."""

    row: int
    pointer: str
    code: str
    detail: str


@dataclass(frozen=True)
class Decoded:
    """Text without its byte order mark. Bytes that fit nothing stand in it as lone surrogates (or U+FFFD from UTF-16).

    `encoding` is utf-8, utf-8-sig, utf-16-le, utf-16-be, or the single-byte or East Asian encoding it was taken for;
    `problems` are sentences about the decision, empty when nothing was guessed and nothing broken."""

    text: str
    encoding: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawRow:
    """A data row as written. `cells` goes by column name, a formula guard undone; `raw` is verbatim, in order.

    `number` counts data rows from 1 (blank rows and the header are none), `line` counts lines of the file from 1.
    With `problems` the row is refused as it stands; a ragged or broken one has no `cells`."""

    number: int
    line: int
    cells: dict[str, str]
    raw: list[str]
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True)
class Table:
    """`header` as written, trimmed; `columns` made unique: "mass (2)" for a repeat, "column 3" for an empty name."""

    header: tuple[str, ...]
    columns: tuple[str, ...]
    delimiter: str
    rows: Iterator[RawRow]


def rows(text: str) -> Iterator[RawRow]:
    """Errors: `ManifestIsUnreadable`, at once for the header, while iterating for too many rows or broken quotes."""
    return table(text).rows


def table(text: str) -> Table:
    """A file with a header and no row is an empty table; one without a header is `ManifestIsUnreadable`."""
    delimiter, text, skipped = _delimiter(text)
    found = (record for record in records(text, delimiter) if record.is_broken or not record.is_blank)
    first = next(found, None)
    if first is None:
        raise ManifestIsUnreadable("empty", "the file holds no header and no rows")
    if first.is_broken:
        raise ManifestIsUnreadable("header", "the header has a quotation mark that is never closed")
    if len(first.cells) > MOST_COLUMNS:
        raise ManifestIsUnreadable("too_many_columns", f"a manifest has at most {MOST_COLUMNS} columns")
    header = tuple(unguarded(cell.strip()).strip() for cell in first.cells)
    columns = _unique(header)
    return Table(header, columns, delimiter, _raw_rows(found, columns, skipped))


def unguarded(cell: str) -> str:
    """Takes back the apostrophe that keeps a spreadsheet from running the cell: mended rows come back with it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in FORMULA_STARTS else cell


def _raw_rows(found: Iterator[Record], columns: tuple[str, ...], skipped: int) -> Iterator[RawRow]:
    broken = 0
    for number, record in enumerate(found, start=1):
        broken += record.is_broken
        if number > MOST_ROWS:
            raise ManifestIsUnreadable("too_many_rows", f"a manifest has at most {MOST_ROWS} rows; split the file")
        if broken > MOST_BROKEN_QUOTES:
            raise ManifestIsUnreadable("quotes", f"more than {MOST_BROKEN_QUOTES} rows have broken quotation marks")
        yield _raw_row(number, record, columns, skipped)


def _raw_row(number: int, record: Record, columns: tuple[str, ...], skipped: int) -> RawRow:
    problems = tuple(RowProblem(number, "", code, detail) for code, detail in _faults(record, len(columns)))
    is_whole = not record.is_broken and len(record.cells) == len(columns)
    cells = dict(zip(columns, map(unguarded, record.cells), strict=True)) if is_whole else {}
    return RawRow(number, record.line + skipped, cells, record.cells, problems)


_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|(?P<undecodable>[\ud800-\udfff\ufffd])")


def _faults(record: Record, width: int) -> Iterator[tuple[str, str]]:
    if record.is_broken:
        yield "quotes", "a quotation mark is not closed, or closes in the middle of a cell"
    elif len(record.cells) != width:
        yield "ragged", f"{len(record.cells)} cells where the header has {width}"
    if any(len(cell) > LONGEST_CELL for cell in record.cells):
        yield "cell_too_long", f"a cell has more than {LONGEST_CELL} characters"
    kinds = {
        "encoding" if found["undecodable"] else "control_character"
        for found in _UNWANTED.finditer("\t".join(record.cells))
    }
    if "encoding" in kinds:
        yield "encoding", "the row holds bytes that are no text in the encoding of the file"
    if "control_character" in kinds:
        yield "control_character", "the row holds control characters"


def _unique(header: tuple[str, ...]) -> tuple[str, ...]:
    taken: dict[str, None] = {}
    for place, name in enumerate(header, start=1):
        wanted = name or f"column {place}"
        repeats = (f"{wanted} ({repeat})" for repeat in count(2))
        unused = (other for other in repeats if other not in taken and other not in header)
        taken[wanted if wanted not in taken else next(unused)] = None
    return tuple(taken)


_ANNOUNCED = re.compile(r'\s*"?sep=([,;|\t])"?[ \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


def _delimiter(text: str) -> tuple[str, str, int]:
    """The delimiter, the text to read and the lines skipped; a first line `sep=;` (a spreadsheet's own) decides."""
    announced = _ANNOUNCED.match(text)
    if announced:
        skipped = len(re.findall(r"\r\n|\r|\n", announced[0]))
        return announced[1], text[announced.end() :], skipped
    return max(DELIMITERS, key=lambda delimiter: _fitness(text, delimiter)), text, 0


def _fitness(text: str, delimiter: str) -> float:
    sample = [len(record.cells) for record in islice(records(text, delimiter), 40) if not record.is_blank]
    if not sample or sample[0] < 2:
        return 0.0
    return (sample[0] - 1) * sample.count(sample[0]) / len(sample)


_BINARY_STARTS = {
    b"PK\x03\x04": "a spreadsheet or zip archive",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
}
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32)])


def decode(content: bytes) -> Decoded:
    """UTF-16 and UTF-8 by their marks, UTF-8 as long as most non-ASCII lines are, else the likeliest legacy encoding.

    Bytes that fit nothing spoil their own row only; UTF-8 lines in a Windows-1252 file are still read as UTF-8.
    Binary content raises `ManifestIsUnreadable("encoding")`."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded_utf16(content)
    _refuse_binary(content)
    name = "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Decoded(content.decode("utf-8"), name)
    except UnicodeDecodeError:
        lines = [line for line in content.splitlines() if not line.isascii()]
    broken = [line for line in lines if not _is_utf8(line)]
    if name == "utf-8-sig" or 2 * len(broken) <= len(lines):
        problem = f"{len(broken)} lines hold bytes that are not UTF-8"
        return Decoded(content.decode("utf-8", "surrogateescape"), name, (problem,))
    return _decoded_legacy(content, broken)


def _decoded_utf16(content: bytes) -> Decoded:
    name = "utf-16-le" if content.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    text = content[2:].decode(name, "replace")
    _refuse_binary(text[:65_536].encode("utf-8", "replace"))
    return Decoded(text, name, ("some characters are broken UTF-16",) if "\ufffd" in text else ())


def _refuse_binary(content: bytes) -> None:
    for start, kind in _BINARY_STARTS.items():
        if content.startswith(start):
            raise ManifestIsUnreadable("encoding", f"the file is {kind}, not CSV text")
    sample = content[:65_536]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if (controls > 8 and controls * 20 > len(sample)) or controls * 3 > len(sample):
        raise ManifestIsUnreadable(
            "encoding", "the file is binary, or UTF-16 without a byte order mark; save it as UTF-8"
        )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_WESTERN_SIGNS = "€‚„…‰‹›‘’“”•–—™\xa0¡¢£¥§©ª«®°±²³´µ·¸¹º»¼½¾¿×÷"
_CP1250_INSIDE_A_WORD = re.compile(r"[¹³¿£¯¶][a-z]")


def _is_western(character: str) -> bool:
    return character in _WESTERN_SIGNS or (character.isalpha() and character not in "þÿ")


def _western(byte: int) -> str:
    character = bytes([byte]).decode("cp1252", "replace")
    return character if byte < 128 or _is_western(character) else chr(0xDC00 + byte)


CP1252 = "".join(map(_western, range(256)))
"""Windows-1252 where a byte hardly any Western text holds (0xFF, the undefined ones, …) counts as broken."""


def _decoded_legacy(content: bytes, broken: list[bytes]) -> Decoded:
    sample = b"\n".join(broken)[:65_536]
    name = _guess(sample)
    problem = f"the file is not UTF-8 and was taken for {name}"
    lines = content.splitlines(keepends=True)
    if name != "cp1252":
        return Decoded("".join(line.decode(name, "replace") for line in lines), name, (problem,))
    return Decoded("".join(map(_decoded_line, lines)), name, (problem,))


def _decoded_line(line: bytes) -> str:
    if not line.isascii() and _is_utf8(line):
        return line.decode("utf-8")
    return codecs.charmap_decode(line, "strict", CP1252)[0]


OTHER_SCRIPTS = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "cp949"]


LEAST_EVIDENCE = 24
"""Non-ASCII bytes below which another script is not even considered."""


def _guess(sample: bytes) -> str:
    """Dense non-ASCII is another script, which charset-normalizer tells well; it takes French for Central European."""
    high = sum(byte > 127 for byte in sample)
    letters = sum(chr(byte).isalpha() for byte in sample if byte < 128)
    if high > max(letters, LEAST_EVIDENCE):
        best = charset_normalizer.from_bytes(sample, cp_isolation=OTHER_SCRIPTS).best()
        return best.encoding if best is not None else "cp1252"
    is_central = _CP1250_INSIDE_A_WORD.search(codecs.charmap_decode(sample, "strict", CP1252)[0])
    return "cp1250" if is_central else "cp1252"
