"""Money: an integer of minor units and a currency, never a float.

On the wire `{"amount": "129.50", "currency": "EUR"}`: a decimal string with the currency's own digits; JSON numbers are refused.
Digits are those of ISO 4217; the step is the smallest amount that can be paid (Stripe's rule for KWD: the last digit is 0).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar, Self

from services.kernel.wire import WireValue

_AMOUNT = re.compile(r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$")


@dataclass(frozen=True)
class Currency:
    code: str
    digits: int
    step: int = 1


CURRENCIES = {
    currency.code: currency
    for currency in (
        Currency("EUR", 2),
        Currency("USD", 2),
        Currency("GBP", 2),
        Currency("CHF", 2),
        Currency("CAD", 2),
        Currency("SEK", 2),
        Currency("DKK", 2),
        Currency("NOK", 2),
        Currency("PLN", 2),
        Currency("CZK", 2),
        Currency("JPY", 0),
        Currency("KWD", 3, step=10),
    )
}


@dataclass(frozen=True, order=False)
class Money(WireValue):
    """`minor` units of `currency`; signed, because a bid is. Arithmetic between two currencies raises ValueError."""

    wire_title: ClassVar[str] = "Money"
    wire_fields: ClassVar[Mapping[str, dict[str, Any]]] = {
        "amount": {"type": "string", "pattern": _AMOUNT.pattern, "examples": ["129.50"]},
        "currency": {"type": "string", "enum": list(CURRENCIES), "examples": ["EUR"]},
    }
    wire_example: ClassVar[dict[str, str]] = {"amount": "129.50", "currency": "EUR"}

    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def of(cls, amount: str | Decimal, currency: str) -> Self:
        """The exact amount; ValueError where the currency has no such digits or does not trade here."""
        known = CURRENCIES.get(currency)
        if known is None:
            raise ValueError(f"{currency} does not trade here; one of {', '.join(CURRENCIES)} does")
        minor = Decimal(amount).scaleb(known.digits)
        if minor != minor.to_integral_value() or int(minor) % known.step:
            raise ValueError(f"{amount} is not a whole number of {currency}'s smallest step")
        return cls(int(minor), currency)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-CURRENCIES[self.currency].digits)

    @property
    def amount(self) -> str:
        return f"{self.decimal:.{CURRENCIES[self.currency].digits}f}"

    def times(self, factor: Decimal | int) -> Self:
        """Rounded half up, once, to the currency's step."""
        step = CURRENCIES[self.currency].step
        steps = (self.minor * Decimal(factor) / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return type(self)(int(steps) * step, self.currency)

    def basis_points(self, rate: int) -> Self:
        return self.times(Decimal(rate) / 10_000)

    def split(self, weights: Sequence[int]) -> list[Self]:
        """Shares by largest remainder, ties by index; their sum is the whole."""
        step = CURRENCIES[self.currency].step
        whole, total = abs(self.minor) // step, sum(weights)
        shares = [whole * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for index in by_remainder[: whole - sum(shares)]:
            shares[index] += 1
        sign = -1 if self.minor < 0 else 1
        return [type(self)(sign * share * step, self.currency) for share in shares]

    def __add__(self, other: "Money") -> Self:
        return type(self)(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> Self:
        return type(self)(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __abs__(self) -> Self:
        return type(self)(abs(self.minor), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal:,.{CURRENCIES[self.currency].digits}f} {self.currency}"

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other

    @classmethod
    def from_wire(cls, value: dict[str, str]) -> Self:
        if not _AMOUNT.fullmatch(value["amount"]):
            raise ValueError('the amount is a decimal string such as "129.50", never a JSON number')
        return cls.of(value["amount"], value["currency"])

    def to_wire(self) -> dict[str, str]:
        return {"amount": self.amount, "currency": self.currency}
