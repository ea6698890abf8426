"""Our amounts at Stripe's border: lower-case currencies and Stripe's own factors, in this one place.

Source: docs.stripe.com/currencies, "special cases". ISK and UGX have no digits by ISO 4217 and are sent times 100; an
amount in a three-digit currency must end in 0.
"""

from services.kernel.money import Money
from services.payments.gateway import GatewayRefused

_SENT_TIMES_HUNDRED = frozenset({"ISK", "UGX"})
_ENDS_IN_ZERO = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def to_stripe(money: Money) -> tuple[int, str]:
    """Stripe's integer and lower-case currency; what Stripe cannot move is refused before it is sent."""
    if money.minor <= 0:
        raise GatewayRefused("amount_not_positive", f"{money.minor} {money.currency} cannot be moved")
    if money.currency in _ENDS_IN_ZERO and money.minor % 10:
        raise GatewayRefused("amount_off_step", f"{money.minor} {money.currency} does not end in 0")
    return money.minor * _factor(money.currency), money.currency.lower()


def from_stripe(amount: int, currency: str) -> Money:
    """Signed. ValueError where the amount has a fraction our minor units cannot hold: never rounded away."""
    code = currency.upper()
    minor, fraction = divmod(amount, _factor(code))
    if fraction:
        raise ValueError(f"{amount} {currency} is not a whole number of {code}'s minor units")
    return Money(minor, code)


def _factor(currency: str) -> int:
    return 100 if currency in _SENT_TIMES_HUNDRED else 1
