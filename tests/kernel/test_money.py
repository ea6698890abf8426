"""Golden probes from the payments design; splits as a property."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.kernel.money import CURRENCIES, Money


class Holder(BaseModel):
    price: Money


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "expected"),
    [("1234.56", "EUR", "0.0333", "41.11"), ("1235", "JPY", "0.0333", "41"), ("41.11", "EUR", "0.19", "7.81")],
)
def test_percentages_round_half_up_once(amount: str, currency: str, rate: str, expected: str) -> None:
    assert Money.of(amount, currency).times(Decimal(rate)).amount == expected


@pytest.mark.parametrize(
    ("amount", "currency", "weights", "expected"),
    [
        ("100", "EUR", [1, 1, 1], ["33.34", "33.33", "33.33"]),
        ("100", "JPY", [1, 1, 1], ["34", "33", "33"]),
        ("1000", "EUR", [500, 300, 33], ["600.24", "360.14", "39.62"]),
        ("1000", "JPY", [500, 300, 33], ["600", "360", "40"]),
    ],
)
def test_shares_go_by_largest_remainder(amount: str, currency: str, weights: list[int], expected: list[str]) -> None:
    assert [share.amount for share in Money.of(amount, currency).split(weights)] == expected


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(sorted(CURRENCIES)),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(any),
)
def test_shares_sum_to_the_whole(units: int, currency: str, weights: list[int]) -> None:
    whole = Money(units * CURRENCIES[currency].step, currency)
    assert sum(share.minor for share in whole.split(weights)) == whole.minor


def test_dinars_end_in_the_step() -> None:
    assert Money.of("83.03", "KWD").amount == "83.030"
    with pytest.raises(ValueError, match="smallest step"):
        Money.of("83.031", "KWD")


@pytest.mark.parametrize(
    "value",
    [
        129.5,
        {"amount": 129.5, "currency": "EUR"},
        {"amount": "1.005", "currency": "EUR"},
        {"amount": "1", "currency": "XXX"},
        {"amount": "NaN", "currency": "EUR"},
        {"amount": "1e3", "currency": "EUR"},
        {"amount": "1", "currency": "EUR", "x": 1},
    ],
)
def test_what_is_not_money_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"price": value})


def test_money_keeps_its_form_on_the_wire() -> None:
    wire = {"price": {"amount": "-35.00", "currency": "EUR"}}
    assert Holder.model_validate(wire).model_dump(mode="json") == wire


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "EUR") + Money(1, "USD")
