"""Amounts at the border between our gateway and Stripe, or its simulator."""

import pytest

from services.kernel.money import Money
from services.payments.gateway import GatewayRefused
from services.payments.stripe_gateway import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("money", "sent"),
    [
        (Money(1095200, "EUR"), (1095200, "eur")),
        (Money(100, "JPY"), (100, "jpy")),
        (Money(5120, "KWD"), (5120, "kwd")),
        (Money(5, "ISK"), (500, "isk")),
    ],
)
def test_amounts_cross_stripes_border_and_come_back(money: Money, sent: tuple[int, str]) -> None:
    assert to_stripe(money) == sent
    assert from_stripe(*sent) == money


@pytest.mark.parametrize("money", [Money(5124, "KWD"), Money(0, "EUR"), Money(-1, "EUR")])
def test_amounts_stripe_cannot_move_are_refused_before_they_are_sent(money: Money) -> None:
    with pytest.raises(GatewayRefused):
        to_stripe(money)


def test_a_fraction_of_a_minor_unit_is_never_rounded_away() -> None:
    with pytest.raises(ValueError, match="isk"):
        from_stripe(550, "isk")
