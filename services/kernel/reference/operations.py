"""Recovery (R1–R13) and disposal (D1–D15) operations of Directive 2008/98/EC, and what each counts as."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from services.kernel.reference import lists
from services.kernel.reference.errors import ReferenceDataMissing


@dataclass(frozen=True)
class Operation:
    """`kind` is recovery or disposal. `counts_as` is recycling (R2–R11), recovery (R1: energy), disposal, or interim:
    R12, R13 and D13–D15 are never final, so nothing is certified from them."""

    code: str
    kind: str
    is_final: bool
    counts_as: str
    title: str
    source: str


def find(code: str) -> Operation:
    """`code` as "R4" or "d10". Raises ReferenceDataMissing."""
    try:
        return _operations()[code.strip().upper()]
    except KeyError:
        raise ReferenceDataMissing("operation", code) from None


def is_known(code: str) -> bool:
    try:
        find(code)
    except ReferenceDataMissing:
        return False
    return True


def every() -> list[Operation]:
    return list(_operations().values())


@cache
def _operations() -> Mapping[str, Operation]:
    return {
        row["code"]: Operation(
            row["code"], row["kind"], row["is_final"] == "true", row["counts_as"], row["title"], row["source"]
        )
        for row in lists.read("operations").rows
    }
