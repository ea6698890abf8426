"""How bids rank for the seller: by what each leaves it before recoverable VAT. Pure.

Landed net value = price on the declared quantity − the seller's haulage − the seller's commission. Ties: the higher rung, then the
earlier receive time, then the id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.bidding.models import Bid
from services.kernel.money import Money
from services.listings.models import Item, Listing

SELLER_COMMISSION_BPS = 500
"""Borne by the payee, so by the seller only where the price is above zero."""


@dataclass(frozen=True)
class Ranked:
    """`total` is the price on the declared quantity, `haulage` and `commission` what the seller pays of it; the last two are
    never negative."""

    rank: int
    bid: Bid
    total: Money
    haulage: Money
    commission: Money

    @property
    def landed_net_value(self) -> Money:
        return self.total - self.haulage - self.commission


def rank(
    bids: Iterable[Bid], listing: Listing, items: Sequence[Item], commission_bps: int = SELLER_COMMISSION_BPS
) -> list[Ranked]:
    """Best first. Items without a mass weigh nothing; a listing per tonne has none such."""
    valued = [_valued(bid, quantity_of(listing, items), commission_bps) for bid in bids]
    ordered = sorted(valued, key=_place)
    return [Ranked(rank, v.bid, v.total, v.haulage, v.commission) for rank, v in enumerate(ordered, start=1)]


def quantity_of(listing: Listing, items: Sequence[Item]) -> Decimal:
    """How many of the units in which the listing is priced are declared."""
    if listing.price_unit == "tonne":
        return Decimal(sum(item.mass_g or 0 for item in items)) / 1_000_000
    return Decimal(sum(item.quantity for item in items) if listing.price_unit == "piece" else 1)


def _valued(bid: Bid, quantity: Decimal, commission_bps: int) -> Ranked:
    total = bid.price_now.times(quantity)
    nothing = Money.zero(bid.currency)
    commission = total.basis_points(commission_bps) if total.minor > 0 else nothing
    return Ranked(0, bid, total, bid.haulage_quote or nothing, commission)


def _place(ranked: Ranked) -> tuple[object, ...]:
    bid = ranked.bid
    return (-ranked.landed_net_value.minor, bid.rung, bid.received_at, bid.id)
