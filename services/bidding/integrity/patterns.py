"""Conduct over several listings: leaders who step back, and pairs that take turns. Pure.

Neither proves anything: a processor may have good reasons to withdraw, and a thin market has the same few bidders everywhere.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.bidding.integrity.suspicions import Suspicion
from services.kernel.ids import ListingId, OrgId

TIMES_STEPPED_BACK = 3
"""So many listings in the window, this one among them, before it is worth a look."""

MEETINGS = 5
WINS_EACH = 2


@dataclass(frozen=True)
class Part:
    """One bidder's last word for one listing. `price_minor` None: nobody may read it."""

    listing_id: ListingId
    bidder_id: OrgId
    price_minor: int | None
    has_stepped_back: bool
    has_won: bool


def withdrawn_leaders(parts: Sequence[Part], listing_id: ListingId) -> list[Suspicion]:
    """Whoever led this listing and stepped back (withdrew, or won and did not confirm), and did so with others before. `evidence`
    names the listings, and who led once it was gone."""
    here = [part for part in parts if part.listing_id == listing_id and part.price_minor is not None]
    stayed = [part for part in here if not part.has_stepped_back]
    best = max(stayed, key=_price, default=None)
    gone = [part for part in here if part.has_stepped_back and (best is None or _price(part) > _price(best))]
    return [
        Suspicion(
            "withdrawn_leader",
            (part.bidder_id,),
            {"listing_ids": before, "next_bidder_id": best.bidder_id if best is not None else None},
        )
        for part in gone
        if len(before := _stepped_back(parts, part.bidder_id)) >= TIMES_STEPPED_BACK
    ]


def _price(part: Part) -> int:
    assert part.price_minor is not None, "prices nobody may read were left out"
    return part.price_minor


def _stepped_back(parts: Iterable[Part], bidder_id: OrgId) -> list[ListingId]:
    return sorted({part.listing_id for part in parts if part.bidder_id == bidder_id and part.has_stepped_back})


def rings(parts: Iterable[Part], listing_id: ListingId) -> list[Suspicion]:
    """Pairs of bidders of this listing that met often, of whom one won every time, each of them repeatedly. `evidence` counts the
    listings where they met and what each won."""
    winners: dict[ListingId, OrgId] = {}
    bidders: defaultdict[ListingId, set[OrgId]] = defaultdict(set)
    for part in parts:
        bidders[part.listing_id].add(part.bidder_id)
        if part.has_won:
            winners[part.listing_id] = part.bidder_id
    here = bidders[listing_id]
    return [
        found
        for pair in sorted(_rivals(here, bidders, winners))
        if (found := _ring(pair, bidders, winners)) is not None
    ]


Pair = tuple[OrgId, OrgId]


def _rivals(here: set[OrgId], bidders: dict[ListingId, set[OrgId]], winners: dict[ListingId, OrgId]) -> set[Pair]:
    """Pairs of whom each has beaten the other often enough: few, where all pairs of a large market are very many."""
    beaten: Counter[Pair] = Counter()
    for listing_id, winner in winners.items():
        if winner in here:
            beaten.update((winner, other) for other in bidders[listing_id] & here if other != winner)
    often = {pair for pair, times in beaten.items() if times >= WINS_EACH}
    return {(one, other) for one, other in often if one < other and (other, one) in often}


def _ring(pair: Pair, bidders: dict[ListingId, set[OrgId]], winners: dict[ListingId, OrgId]) -> Suspicion | None:
    met = sorted(
        listing_id for listing_id, there in bidders.items() if there.issuperset(pair) and listing_id in winners
    )
    wins = {org_id: sum(winners[listing_id] == org_id for listing_id in met) for org_id in pair}
    if len(met) < MEETINGS or sum(wins.values()) < len(met):
        return None
    return Suspicion("bidding_ring", pair, {"listing_ids": met, "wins": wins})
