"""How bids rank for the seller: by what each leaves it before recoverable VAT. Pure.

Landed net value = price on the declared quantity − the seller's haulage − the seller's commission − the tax that the seller bears.
Ties are broken as `TIE_BREAK` says: the higher rung, the lower CO2e (missing comes last), the earlier receive time, the id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.bidding.models import Bid
from services.kernel.money import Money
from services.listings.dividing import selling
from services.listings.dividing.goods import Goods
from services.listings.models import Item, Listing

SELLER_COMMISSION_BPS = 500
"""Borne by the payee, so by the seller only where the price is above zero."""

SELLER_COMMISSION_VAT_BPS = 1900

TIE_BREAK = ("landed_net_value", "disposition", "co2e", "received_at", "id")
"""What decides, in this order: published with every ranking."""


@dataclass(frozen=True)
class Ranked:
    """`total` is the price on the declared quantity; `haulage`, `commission` and `tax` are what the seller pays of it, never
    negative. `tax` is VAT that the seller cannot recover: on a gate fee, on delivering, on the commission."""

    rank: int
    bid: Bid
    total: Money
    haulage: Money
    commission: Money
    tax: Money

    @property
    def landed_net_value(self) -> Money:
        return self.total - self.haulage - self.commission - self.tax


def rank(
    bids: Iterable[Bid], listing: Listing, items: Sequence[Item], commission_bps: int = SELLER_COMMISSION_BPS
) -> list[Ranked]:
    """Best first. Items without a mass weigh nothing; a listing per tonne has none such. A countered bid ranks as it was placed:
    a counter is talk until it is accepted."""
    valued = [_valued(bid, listing, quantity_of(listing, _goods(items, bid)), commission_bps) for bid in bids]
    ordered = sorted(valued, key=place)
    return [Ranked(rank, v.bid, v.total, v.haulage, v.commission, v.tax) for rank, v in enumerate(ordered, start=1)]


def _goods(items: Sequence[Item], bid: Bid) -> Sequence[Item | Goods]:
    return items if bid.parts is None else selling.goods_of(items, bid.parts)


def quantity_of(listing: Listing, items: Sequence[Item | Goods]) -> Decimal:
    """How many of the units in which the listing is priced are declared of what is bid for."""
    if listing.price_unit == "tonne":
        return Decimal(sum(item.mass_g or 0 for item in items)) / 1_000_000
    return Decimal(sum(item.quantity for item in items) if listing.price_unit == "piece" else 1)


def reserve_of(listing: Listing, items: Sequence[Item]) -> Money | None:
    """The least landed net value that meets the seller's reserve; None without one."""
    reserve = listing.reserve_price
    return None if reserve is None else reserve.times(quantity_of(listing, items))


def place(ranked: Ranked) -> tuple[object, ...]:
    """Sorts best first, by `TIE_BREAK`."""
    bid = ranked.bid
    return (-ranked.landed_net_value.minor, bid.rung, bid.co2e_g is None, bid.co2e_g or 0, bid.received_at, bid.id)


def _valued(bid: Bid, listing: Listing, quantity: Decimal, commission_bps: int) -> Ranked:
    total = bid.price_now.times(quantity)
    nothing = Money.zero(bid.currency)
    haulage = (bid.haulage_now if bid.haulage_basis == "DAP" else None) or nothing
    commission = total.basis_points(commission_bps) if total.minor > 0 else nothing
    tax = nothing if listing.recovers_vat else _tax(listing, total, haulage, commission)
    return Ranked(0, bid, total, haulage, commission, tax)


def _tax(listing: Listing, total: Money, haulage: Money, commission: Money) -> Money:
    gate_fee = -total if total.minor < 0 else Money.zero(total.currency)
    return (
        gate_fee.basis_points(listing.gate_fee_vat_bps)
        + haulage.basis_points(listing.haulage_vat_bps)
        + commission.basis_points(SELLER_COMMISSION_VAT_BPS)
    )
