"""The first filled sheet of an XLSX workbook as raw rows. Formulas are read as the values stored with them, macros never."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Any

from openpyxl.cell.cell import ERROR_CODES

from services.listings.manifests.archives import Book
from services.listings.manifests.raw import (
    MOST_BLANK_ROWS,
    MOST_COLUMNS,
    MOST_ROWS,
    ManifestIsUnreadable,
    RawRow,
    RowProblem,
    columns_of,
    faults_of,
    must_not_be_too_many,
    written_number,
)

START = b"PK\x03\x04"
MOST_CELLS = MOST_ROWS * MOST_COLUMNS
"""Empty ones included: a cell in the last column makes its row as wide as the sheet."""

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
    book = _loaded(content)
    for place, part in enumerate(book.parts):
        first = next(_filled(book, part), None)
        if first is not None:
            header = tuple(text_of(value, ".").strip() for value in _trimmed(first[1]))
            columns = columns_of(header)
            others = len(book.parts) - 1
            notes = (f"sheet {place + 1} was read; {others} others were not",) if others else ()
            return Sheet(header, columns, partial(_rows, book, part, columns, decimal), notes)
    raise ManifestIsUnreadable("empty", "the workbook holds no header and no rows")


def _loaded(content: bytes) -> Book:
    try:
        return Book(content)
    except ManifestIsUnreadable:
        raise
    except Exception as error:
        raise _broken(error) from error


def _broken(error: Exception) -> ManifestIsUnreadable:
    return ManifestIsUnreadable("workbook", f"the file is cut off, or no XLSX workbook ({type(error).__name__})")


def _filled(book: Book, part: str) -> Iterator[tuple[int, Values]]:
    """(row of the sheet, its values), without blank rows. The size that a sheet claims for itself is not believed."""
    last, blank, cells = 0, 0, 0
    try:
        for place, found in book.rows(part):
            if place <= last:
                continue
            values = _laid_out(found)
            cells += len(values)
            is_blank = all(value is None or value == "" for value in values)
            blank += place - last - 1 + is_blank
            last = place
            if blank > MOST_BLANK_ROWS:
                raise ManifestIsUnreadable("too_many_rows", f"the sheet has more than {MOST_BLANK_ROWS} empty rows")
            if cells > MOST_CELLS:
                raise ManifestIsUnreadable("too_many_columns", f"a manifest has at most {MOST_COLUMNS} columns")
            if not is_blank:
                yield place, values
    except ManifestIsUnreadable:
        raise
    except Exception as error:
        raise _broken(error) from error


def _laid_out(cells: list[dict[str, Any]]) -> Values:
    values: list[Any] = [None] * max((cell["column"] for cell in cells), default=0)
    for cell in cells:
        values[cell["column"] - 1] = cell["value"]
    return values


def _rows(book: Book, part: str, columns: tuple[str, ...], decimal: str) -> Iterator[RawRow]:
    filled = _filled(book, part)
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
