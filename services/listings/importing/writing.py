"""What lands is written: units by the seller's own ids, then each touched item counted from all units it has by now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.ids import ItemId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts
from services.listings.importing import items as item_rows
from services.listings.importing import queries as stored
from services.listings.importing import units as unit_rows
from services.listings.importing.judging import AGREED, Agreed, Landing, Place, Verdict
from services.listings.importing.progress import Progress
from services.listings.manifests.items import Count
from services.listings.models import Listing

ITEMS = 500
"""Items that are counted at a time."""


class KnownItems:
    """Every item of the listings that are touched, by place, and where the next one goes."""

    def __init__(self) -> None:
        self.ids: dict[Place, ItemId] = {}
        self.last: defaultdict[str, int] = defaultdict(lambda: -1)

    def add(self, place: Place, item_id: ItemId, position: int) -> None:
        self.ids[place] = item_id
        self.last[place.listing_id] = max(self.last[place.listing_id], position)


async def known_items(work: UnitOfWork, verdict: Verdict) -> KnownItems:
    known = KnownItems()
    touched = {place.listing_id for place in verdict.touched()}
    for item in await stored.places(work, touched) if touched else ():
        known.add(Place(item.listing_id, item.key), item.id, item.position)
    return known


async def stored_rows(work: UnitOfWork, verdict: Verdict, known: KnownItems) -> tuple[dict[Place, Agreed], set[Place]]:
    """What the units say that stay where they are, by item; and the items that have none, so somebody entered them by hand."""
    places = {known.ids[place]: place for place in verdict.touched() if place in known.ids}
    leaving = verdict.leaving()
    agreed: defaultdict[Place, Agreed] = defaultdict(dict)
    by_hand = set(places.values())
    for portion in _portions(list(places)):
        async for unit in stored.units_of(work, portion):
            place = places[unit.item_id]
            by_hand.discard(place)
            if unit.external_id not in leaving:
                for name in AGREED:
                    if unit.details[name] is not None:
                        agreed[place].setdefault(name, (unit.details[name], unit.external_id))
    return dict(agreed), by_hand


async def write(
    work: UnitOfWork,
    seller_id: str,
    verdict: Verdict,
    known: KnownItems,
    drafts: Mapping[str, Listing],
    steps: Progress,
) -> None:
    await _make_items(work, verdict, known)
    written = verdict.unchanged
    for start in range(0, len(verdict.landing), stored.PORTION):
        portion = verdict.landing[start : start + stored.PORTION]
        await stored.upsert_units(work, seller_id, [_columns(one, known) for one in portion])
        written += len(portion)
        await steps.note(rows_landed=written)
    touched = verdict.touched()
    for portion_of_items in _portions([known.ids[place] for place in touched]):
        await _count(work, portion_of_items, drafts)
    for listing_id in {place.listing_id for place in touched}:
        drafts[listing_id].version += 1
        facts.sum_up(drafts[listing_id], await stored.masses(work, listing_id))


async def _make_items(work: UnitOfWork, verdict: Verdict, known: KnownItems) -> None:
    """Those that are missing, after those that are there."""
    made = []
    for one in verdict.landing:
        if one.place not in known.ids:
            item = item_rows.new(work, one.place, one.row, known.last[one.place.listing_id] + 1)
            known.add(one.place, item.id, item.position)
            made.append(item)
    for portion in _portions(made):
        work.session.add_all(portion)
        await work.session.flush()
        for item in portion:
            work.session.expunge(item)


def _columns(one: Landing, known: KnownItems) -> dict[str, Any]:
    return unit_rows.columns(one.row) | {"item_id": known.ids[one.place]}


async def _count(work: UnitOfWork, item_ids: Sequence[ItemId], drafts: Mapping[str, Listing]) -> None:
    """From the stored units; an item that has none left goes."""
    counts: defaultdict[str, Count] = defaultdict(Count)
    async for unit in stored.units_of(work, item_ids):
        unit_rows.add(counts[unit.item_id], unit)
    items = await stored.items(work, item_ids)
    for item in items:
        if item.id in counts:
            item_rows.take(item, counts[item.id], country=drafts[item.listing_id].country, on=work.now.date())
        else:
            await work.session.delete(item)
    await work.session.flush()
    for item in items:
        if item.id in counts:
            work.session.expunge(item)


def _portions(found: list[Any]) -> list[list[Any]]:
    return [found[start : start + ITEMS] for start in range(0, len(found), ITEMS)]
