"""Why bids stand where they stand: which are efficient, which beat them, and what parts each from the one above. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

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


Merits = tuple[float, ...]
MOST_NAMED = 10


@dataclass(frozen=True)
class Compared:
    """`dominated_by` are efficient bids that are at least as good in value, rung and CO2e and better in one of them, the best
    `MOST_NAMED` of them. `behind` is None for the first."""

    ranked: Ranked
    dominated_by: tuple[BidId, ...]
    behind: Behind | None

    @property
    def is_efficient(self) -> bool:
        return not self.dominated_by


def compare(ranked: Sequence[Ranked]) -> list[Compared]:
    """In the order of the ranking, which is what is given: whoever dominates a bid stands above it, so the first is efficient."""
    front: dict[Merits, list[BidId]] = {}
    compared = []
    for better, one in zip([None, *ranked], ranked, strict=False):
        dominating = _dominating(_merits(one), front)
        if not dominating:
            front.setdefault(_merits(one), []).append(one.bid.id)
        compared.append(Compared(one, dominating, None if better is None else _behind(one, better)))
    return compared


def dominates(one: Ranked, other: Ranked) -> bool:
    """A strict partial order. CO2e that nobody stated is no better than any figure."""
    return _beats(_merits(one), _merits(other))


def _merits(ranked: Ranked) -> Merits:
    """Higher is better."""
    co2e = ranked.bid.co2e_g
    return (ranked.landed_net_value.minor, -ranked.bid.rung, float("-inf") if co2e is None else -co2e)


def _beats(mine: Merits, theirs: Merits) -> bool:
    return mine != theirs and all(good >= bad for good, bad in zip(mine, theirs, strict=True))


def _dominating(mine: Merits, front: Mapping[Merits, Sequence[BidId]]) -> tuple[BidId, ...]:
    beaten_by = (bid_id for merits, ids in front.items() if _beats(merits, mine) for bid_id in ids)
    return tuple(islice(beaten_by, MOST_NAMED))


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
