"""The numbers under which offers keep what comes from a short list. They are stored: new values go to the end of a list."""

from collections.abc import Sequence
from typing import get_args

from services.listings.models.drafts import DISPOSITIONS, ConditionGrade, Mode, PriceDirection, ReturnReason

LISTS: dict[str, tuple[str, ...]] = {
    "grade": get_args(ConditionGrade),
    "return_reason": get_args(ReturnReason),
    "disposition_floor": DISPOSITIONS,
    "mode": get_args(Mode),
    "direction": get_args(PriceDirection),
}


def number(facet: str, value: str | None) -> int:
    """Its place in the list, from 1; 0 for silence. Grades and rungs count from the best downwards."""
    return 0 if value is None else LISTS[facet].index(value) + 1


def value(facet: str, stored: int) -> str | None:
    return LISTS[facet][stored - 1] if stored else None


def numbers(facet: str, values: Sequence[str]) -> list[int]:
    return [number(facet, one) for one in values]
