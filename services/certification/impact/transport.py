"""Haulage: activity in tonne-kilometres and its emissions, well to wheel."""

from collections.abc import Sequence
from decimal import Decimal

from services.certification.impact.arithmetic import exact, number

_GRAM_METRES_PER_TKM = Decimal(10) ** 9
TOLERANCE = Decimal("0.001")
"""How far a stated activity may lie from mass × distance."""


class ActivityDoesNotMatch(ValueError):
    """A stated activity that is not mass × distance."""

    def __init__(self, stated: Decimal, computed: Decimal) -> None:
        super().__init__(f"{stated} tkm is stated where mass and distance give {computed} tkm")
        self.stated = stated
        self.computed = computed


def activity(mass_g: int, distance_m: int) -> Decimal:
    """Tonne-kilometres from grams and metres."""
    if mass_g < 0 or distance_m < 0:
        raise ValueError("mass and distance are not negative")
    with exact():
        return Decimal(mass_g) * Decimal(distance_m) / _GRAM_METRES_PER_TKM


def emissions(mass_g: int, distance_m: int, factor: Decimal) -> Decimal:
    """kgCO2e from grams, metres and a factor in kgCO2e/tkm (tank to wheel and well to tank together)."""
    with exact():
        return activity(mass_g, distance_m) * number(factor)


def check(stated_tkm: Decimal, mass_g: int, distance_m: int) -> Decimal:
    """The computed activity. Raises ActivityDoesNotMatch where the stated one differs by more than 0.1 %."""
    stated, computed = number(stated_tkm), activity(mass_g, distance_m)
    with exact():
        if abs(stated - computed) > computed * TOLERANCE:
            raise ActivityDoesNotMatch(stated, computed)
    return computed


def split(total: int, activities: Sequence[Decimal]) -> list[int]:
    """Whole units of a shared run by tonne-kilometres, largest remainder first, so that the shares sum to the total."""
    if total < 0 or not activities or min(activities) < 0 or not any(activities):
        raise ValueError("a total and at least one activity above zero are needed")
    with exact():
        whole = sum(activities, Decimal(0))
        exact_shares = [total * share / whole for share in activities]
        shares = [int(share) for share in exact_shares]
        by_remainder = sorted(range(len(shares)), key=lambda place: shares[place] - exact_shares[place])
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares
