"""What goes back: the refused rows as a file to be mended, and the first of their problems. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.listings.manifests import reading, rows
from services.listings.manifests.reading import RowProblem
from services.listings.manifests.rows import Reading, Refused

PROBLEMS_TOLD = 100
"""Problems on the import itself; the file has them all."""


@dataclass(frozen=True)
class Returned:
    """`rows` is how many were refused, `csv` the file, `problems` the first as [{row, pointer, code, detail}]."""

    rows: int
    csv: bytes
    problems: list[dict[str, Any]]


def refused(read: Reading, more: Mapping[int, tuple[RowProblem, ...]], content: bytes) -> Returned:
    """Rows the reading refused and, by number, those refused for what the seller already has, in the file's order."""
    back = sorted([*read.refused, *_raw(content, more)], key=lambda one: one.row_number)
    problems = [problem for one in back for problem in one.problems][:PROBLEMS_TOLD]
    return Returned(
        rows=len(back),
        csv=rows.refused_csv(replace(read, refused=back)),
        problems=[{"row": one.row, "pointer": one.pointer, "code": one.code, "detail": one.detail} for one in problems],
    )


def _raw(content: bytes, problems: Mapping[int, tuple[RowProblem, ...]]) -> list[Refused]:
    """The rows as they stood in the file, which is read once more for them."""
    if not problems:
        return []
    written = reading.rows(reading.decode(content).text)
    return [Refused(row.number, row.line, row.raw, problems[row.number]) for row in written if row.number in problems]
