"""What quantities are worth under the agreed price: pure. Signed as the price is, rounded once per sum.

Per tonne the price follows the mass up to the upper tolerance of each line, per piece the pieces up to those agreed.
A lot's price is spread over its lines by declared mass (by pieces where a mass is missing) and within a line by
pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.kernel.money import Money
from services.orders.terms import Terms


@dataclass(frozen=True)
class Measured:
    """Pieces and grams of one line."""

    quantity: int = 0
    mass_g: int = 0

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(self.quantity + other.quantity, self.mass_g + other.mass_g)

    def beyond(self, other: "Measured") -> "Measured":
        """How much more this is; never negative."""
        return Measured(max(self.quantity - other.quantity, 0), max(self.mass_g - other.mass_g, 0))


def upper_g(mass_g: int, tolerance_bps: int) -> int:
    """The most that is inside the tolerance."""
    return mass_g * (10_000 + tolerance_bps) // 10_000


def lower_g(mass_g: int, tolerance_bps: int) -> int:
    """The least that is inside the tolerance."""
    return -(-mass_g * (10_000 - tolerance_bps) // 10_000)


def goods(terms: Terms) -> Money:
    """The most the goods can be worth: at the upper tolerance where the price follows the mass."""
    most = [Measured(line.quantity, upper_g(line.mass_g or 0, terms.tolerance_bps)) for line in terms.lines]
    return worth(terms, most)


def worth(terms: Terms, measured: Sequence[Measured]) -> Money:
    """Of these quantities, given line by line in the order of the terms; what is beyond the agreement counts
    nothing."""
    if terms.price_unit == "tonne":
        return terms.price.times(Decimal(sum(_payable_g(terms, measured))) / 1_000_000)
    pieces = [min(found.quantity, line.quantity) for line, found in zip(terms.lines, measured, strict=True)]
    if terms.price_unit == "piece":
        return terms.price.times(sum(pieces))
    return _of_lot(terms, pieces)


def _payable_g(terms: Terms, measured: Sequence[Measured]) -> list[int]:
    return [
        min(found.mass_g, upper_g(line.mass_g or 0, terms.tolerance_bps))
        for line, found in zip(terms.lines, measured, strict=True)
    ]


def _of_lot(terms: Terms, pieces: Sequence[int]) -> Money:
    is_weighed = all(line.mass_g for line in terms.lines)
    shares = terms.price.split([(line.mass_g or 0) if is_weighed else line.quantity for line in terms.lines])
    total = Money.zero(terms.price.currency)
    for share, line, count in zip(shares, terms.lines, pieces, strict=True):
        total = total + share.times(Decimal(count) / line.quantity)
    return total


def shares(total: Money, weights: Sequence[Money]) -> list[Money]:
    """`total` over parts by what each is worth alone, so that the parts sum to it."""
    if not any(weights):
        return [Money.zero(total.currency) for _ in weights]
    return total.split([abs(weight).minor for weight in weights])
