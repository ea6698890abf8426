"""Masses are integer grams, whatever unit they came in."""

import pytest
from pydantic import BaseModel, ValidationError

from services.kernel.quantities import Mass


class Holder(BaseModel):
    mass: Mass


@pytest.mark.parametrize(
    ("value", "unit", "grams"),
    [("12.4", "t", 12_400_000), ("0.42", "kg", 420), ("1", "lb", 454), ("1", "short_ton", 907_185), ("7", "g", 7)],
)
def test_units_become_grams(value: str, unit: str, grams: int) -> None:
    assert Mass.of(value, unit).grams == grams


def test_answers_are_in_kilograms_without_noise() -> None:
    held = Holder.model_validate({"mass": {"value": "17.340", "unit": "t"}})
    assert held.model_dump(mode="json") == {"mass": {"value": "17340", "unit": "kg"}}


@pytest.mark.parametrize(
    "value", [12.4, {"value": 12.4, "unit": "t"}, {"value": "-1", "unit": "t"}, {"value": "1", "unit": "stone"}]
)
def test_what_is_not_a_mass_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"mass": value})


def test_more_than_a_million_tonnes_is_refused() -> None:
    with pytest.raises(ValueError, match="a million tonnes"):
        Mass.of("1000001", "t")
