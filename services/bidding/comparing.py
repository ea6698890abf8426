"""Why bids stand where they stand: which are efficient, which beat them, and what parts each from the one above. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.bidding.ranking import Ranked
from services.kernel.ids import BidId
from services.kernel.money import Money


@dataclass(frozen=True)
class Behind:
    """What parts a bid from the one above: the first criterion of `TIE_BREAK` in which they differ. `difference` is how much less
    it leaves the seller, nothing where another criterion decided."""

    bid_id: BidId
    criterion: str
    difference: Money


@dataclass(frozen=True)
class Compared:
    """`dominated_by` are the bids that are at least as good in value, rung and CO2e and better in one of them, best first.
    `behind` is None for the first."""

    ranked: Ranked
    dominated_by: tuple[BidId, ...]
    behind: Behind | None

    @property
    def is_efficient(self) -> bool:
        return not self.dominated_by


def compare(ranked: Sequence[Ranked]) -> list[Compared]:
    """In the order of the ranking, which is what is given. The first is always efficient."""
    above: list[Ranked | None] = [None, *ranked]
    return [
        Compared(one, _dominating(one, ranked), None if better is None else _behind(one, better))
        for one, better in zip(ranked, above, strict=False)
    ]


def dominates(one: Ranked, other: Ranked) -> bool:
    """A strict partial order. CO2e that nobody stated is no better than any figure."""
    mine, theirs = _merits(one), _merits(other)
    return mine != theirs and all(good >= bad for good, bad in zip(mine, theirs, strict=True))


def _merits(ranked: Ranked) -> tuple[float, ...]:
    """Higher is better."""
    co2e = ranked.bid.co2e_g
    return (ranked.landed_net_value.minor, -ranked.bid.rung, float("-inf") if co2e is None else -co2e)


def _dominating(one: Ranked, ranked: Sequence[Ranked]) -> tuple[BidId, ...]:
    return tuple(other.bid.id for other in ranked if dominates(other, one))


def _behind(one: Ranked, better: Ranked) -> Behind:
    return Behind(better.bid.id, criterion(better, one), better.landed_net_value - one.landed_net_value)


def criterion(better: Ranked, worse: Ranked) -> str:
    """The first in the order of `TIE_BREAK` that parts the two."""
    if better.landed_net_value != worse.landed_net_value:
        return "landed_net_value"
    if better.bid.rung != worse.bid.rung:
        return "disposition"
    if better.bid.co2e_g != worse.bid.co2e_g:
        return "co2e"
    return "received_at" if better.bid.received_at != worse.bid.received_at else "id"
