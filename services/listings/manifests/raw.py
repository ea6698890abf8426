"""What every format is read into: rows of named cells, and what is wrong with a row before any column has a meaning."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, Literal

MOST_ROWS = 100_000
MOST_BLANK_ROWS = 200_000
MOST_COLUMNS = 500
LONGEST_CELL = 10_000
LONGEST_COLUMN_NAME = 1_000
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"

UnreadableCode = Literal[
    "encoding", "empty", "header", "too_many_rows", "too_many_columns", "quotes", "workbook", "json"
]


class ManifestIsUnreadable(Exception):
    """The file as a whole cannot be read; nothing of it lands."""

    def __init__(self, code: UnreadableCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is refused. `row` is the 1-based data row, `pointer` a JSON pointer into the row ("" is all of it)."""

    row: int
    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """A data row as written. `cells` goes by column name, a formula guard undone; `raw` is verbatim, in order.

    `number` counts data rows from 1 (blank rows and the header are none), `line` counts lines of the file, or rows of the
    sheet, from 1. With `problems` the row is refused as it stands; a ragged or broken one has no `cells`. `nested` names
    the columns whose value is an object or a list. `raw` holds text (CSV), typed values (XLSX), or the line alone (JSONL)."""

    number: int
    line: int
    cells: dict[str, str]
    raw: Sequence[Any]
    problems: tuple[RowProblem, ...] = ()
    nested: frozenset[str] = frozenset()


def columns_of(header: Sequence[str]) -> tuple[str, ...]:
    """The header's names made unique: "mass (2)" for a repeat, "column 3" for an empty name. Errors: `ManifestIsUnreadable`."""
    if len(header) > MOST_COLUMNS:
        raise ManifestIsUnreadable("too_many_columns", f"a manifest has at most {MOST_COLUMNS} columns")
    if any(len(name) > LONGEST_COLUMN_NAME for name in header):
        raise ManifestIsUnreadable("header", f"a column's name has more than {LONGEST_COLUMN_NAME} characters")
    taken: dict[str, None] = {}
    known = set(header)
    for place, name in enumerate(header, start=1):
        wanted = name or f"column {place}"
        repeats = (f"{wanted} ({repeat})" for repeat in count(2))
        unused = (other for other in repeats if other not in taken and other not in known)
        taken[wanted if wanted not in taken else next(unused)] = None
    return tuple(taken)


def must_not_be_too_many(number: int) -> None:
    if number > MOST_ROWS:
        raise ManifestIsUnreadable("too_many_rows", f"a manifest has at most {MOST_ROWS} rows; split the file")


def unguarded(cell: str) -> str:
    """Takes back the apostrophe that keeps a spreadsheet from running the cell: mended rows come back with it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in FORMULA_STARTS else cell


_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|(?P<undecodable>[\ud800-\udfff\ufffd])")


def faults_of(cells: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(code, detail) of what no cell may hold."""
    if any(len(cell) > LONGEST_CELL for cell in cells):
        yield "cell_too_long", f"a cell has more than {LONGEST_CELL} characters"
    together = "\t".join(cells)
    if together.isascii() and together.isprintable():
        return
    kinds = {"encoding" if found["undecodable"] else "control_character" for found in _UNWANTED.finditer(together)}
    if "encoding" in kinds:
        yield "encoding", "the row holds bytes that are no text in the encoding of the file"
    if "control_character" in kinds:
        yield "control_character", "the row holds control characters"


def written_number(value: int | float | Decimal, decimal: str) -> str:
    """A typed number as a text cell would hold it: a spreadsheet's fifteen digits, no exponent, the mapping's decimal mark."""
    if isinstance(value, int):
        return str(value)
    exact = Decimal(format(value, ".15g")) if isinstance(value, float) else value
    if not exact.is_finite() or not -30 < exact.adjusted() < 30:
        return str(value)
    plain = format(exact, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return plain.replace(".", decimal)
