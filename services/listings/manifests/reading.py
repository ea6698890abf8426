"""From the text of a CSV manifest to its raw rows: delimiter, header, records. What spoils one row refuses that row; only
what spoils the whole file raises `ManifestIsUnreadable`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.listings.manifests.raw import (
    ManifestIsUnreadable,
    RawRow,
    RowProblem,
    columns_of,
    faults_of,
    must_not_be_too_many,
    unguarded,
)
from services.listings.manifests.records import Record, records

MOST_BROKEN_QUOTES = 1_000
DELIMITERS = (",", ";", "\t", "|")


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
    header = tuple(unguarded(cell.strip()).strip() for cell in first.cells)
    columns = columns_of(header)
    return Table(header, columns, delimiter, _raw_rows(found, columns, skipped))


def _raw_rows(found: Iterator[Record], columns: tuple[str, ...], skipped: int) -> Iterator[RawRow]:
    broken = 0
    for number, record in enumerate(found, start=1):
        broken += record.is_broken
        must_not_be_too_many(number)
        if broken > MOST_BROKEN_QUOTES:
            raise ManifestIsUnreadable("quotes", f"more than {MOST_BROKEN_QUOTES} rows have broken quotation marks")
        yield _raw_row(number, record, columns, skipped)


def _raw_row(number: int, record: Record, columns: tuple[str, ...], skipped: int) -> RawRow:
    problems = tuple(RowProblem(number, "", code, detail) for code, detail in _faults(record, len(columns)))
    is_whole = not record.is_broken and len(record.cells) == len(columns)
    cells = dict(zip(columns, map(unguarded, record.cells), strict=True)) if is_whole else {}
    return RawRow(number, record.line + skipped, cells, record.cells, problems)


def _faults(record: Record, width: int) -> Iterator[tuple[str, str]]:
    if record.is_broken:
        yield "quotes", "a quotation mark is not closed, or closes in the middle of a cell"
    elif len(record.cells) != width:
        yield "ragged", f"{len(record.cells)} cells where the header has {width}"
    yield from faults_of(record.cells)


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
