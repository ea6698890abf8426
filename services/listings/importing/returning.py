"""What goes back: the refused rows as a file to be mended, and the first of their problems. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.listings.manifests import returning
from services.listings.manifests.raw import RowProblem
from services.listings.manifests.rows import Reading

PROBLEMS_TOLD = 100
"""Problems on the import itself; the file has them all."""


@dataclass(frozen=True)
class Returned:
    """`rows` is how many were refused, `file` goes back, `problems` are the first as [{row, pointer, code, detail}]."""

    rows: int
    file: bytes
    problems: list[dict[str, Any]]


def refused(read: Reading, more: Mapping[int, tuple[RowProblem, ...]]) -> Returned:
    """Rows the reading refused and, by number, those refused for what the seller already has, in the file's order."""
    back = {one.row_number: one.problems for one in read.refused} | dict(more)
    problems = [problem for number in sorted(back) for problem in back[number]][:PROBLEMS_TOLD]
    return Returned(
        rows=len(back),
        file=returning.refused_file(read, back),
        problems=[{"row": one.row, "pointer": one.pointer, "code": one.code, "detail": one.detail} for one in problems],
    )
