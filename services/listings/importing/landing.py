"""The job that reads a received manifest: outside any transaction it is parsed, in one transaction it lands.

A crash leaves the import received, and the job runs again; one that has been read stays as it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel import second_wall
from services.kernel.actors import system
from services.kernel.ids import ImportId, ListingId
from services.kernel.jobs import Tools, job
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts, queries
from services.listings.events import ImportCompleted
from services.listings.importing import items as item_rows
from services.listings.importing import returning
from services.listings.importing import units as unit_rows
from services.listings.importing.judging import Place, Standing, Verdict, judge, members, settle
from services.listings.manifests import mapping as mappings
from services.listings.manifests import rows as manifest_rows
from services.listings.manifests.mapping import Mapping, MappingDoesNotFit
from services.listings.manifests.reading import ManifestIsUnreadable
from services.listings.manifests.rows import ManifestRow, Reading
from services.listings.models import IMPORT, Import, Item, Listing

JOB = "listings.import"


@dataclass(frozen=True)
class Unreadable:
    """Why nothing of the file lands. `problems` is as on the import."""

    code: str
    detail: str
    problems: list[dict[str, Any]]


@job(JOB)
async def land(tools: Tools, payload: dict[str, Any]) -> None:
    import_id = ImportId(payload["import_id"])
    async with second_wall.house(tools.sessions) as session:
        waiting = await queries.waiting_manifest(session, import_id)
    if waiting is None:
        return
    livemode, content, document = waiting
    read = await asyncio.to_thread(_read, content, document)
    async with UnitOfWork(tools.sessions, system(livemode), cause=import_id) as work:
        row = await queries.import_for_update(work, import_id)
        if row.status != "received":
            return
        if isinstance(read, Unreadable):
            _fail(work, row, read)
        else:
            await _land(work, row, read, content)


def _read(content: bytes, document: dict[str, Any]) -> Reading | Unreadable:
    mapping = mappings.parse(document)
    assert isinstance(mapping, Mapping), "only a mapping that parses is stored"
    try:
        return manifest_rows.read_all(content, mapping)
    except ManifestIsUnreadable as unreadable:
        return Unreadable(unreadable.code, unreadable.detail, [])
    except MappingDoesNotFit as misfit:
        told = [
            {"row": None, "pointer": one.pointer, "code": one.code, "detail": one.detail} for one in misfit.problems
        ]
        return Unreadable("mapping_does_not_fit", str(misfit), told)


async def _land(work: UnitOfWork, row: Import, read: Reading, content: bytes) -> None:
    external_ids = [one.external_id for one in read.rows]
    drafts = await _lock(work, row, external_ids)
    target = drafts[row.listing_id]
    if target.status != "draft":
        _fail(work, row, Unreadable("listing_not_draft", f"The listing is {target.status} by now.", []))
        return
    standing = await _standing(work, row, external_ids)
    verdict = await asyncio.to_thread(judge, read.rows, standing, row.listing_id)
    items = await _items(work, verdict)
    stored = await _stored(work, items, verdict)
    by_hand = {place for place in verdict.touched() if place in items and place not in stored}
    await asyncio.to_thread(settle, verdict, stored, by_hand)
    await _write(work, row, verdict, members(verdict, stored), items, drafts)
    back = await asyncio.to_thread(returning.refused, read, verdict.refused, content)
    _complete(work, row, read, verdict, back)


async def _lock(work: UnitOfWork, row: Import, external_ids: Sequence[str]) -> dict[str, Listing]:
    """The drafts the file may touch: nobody edits or publishes them meanwhile."""
    await queries.one_import_of_a_seller_at_a_time(work, row.seller_id)
    drafts = await queries.drafts_of_units(work, row.seller_id, external_ids)
    return await queries.listings_for_update(work, {row.listing_id, *drafts})


async def _standing(work: UnitOfWork, row: Import, external_ids: Sequence[str]) -> dict[str, Standing]:
    found = await queries.units_by_external_id(work, row.seller_id, external_ids)
    listings = await queries.listings(work, {item.listing_id for _, item in found})
    return {
        unit.external_id: Standing(
            unit_rows.row(unit, item.key), Place(item.listing_id, item.key), listings[item.listing_id].status
        )
        for unit, item in found
    }


async def _items(work: UnitOfWork, verdict: Verdict) -> dict[Place, Item]:
    """Every item of the listings that are touched."""
    return {
        Place(listing_id, item.key): item
        for listing_id in dict.fromkeys(place.listing_id for place in verdict.touched())
        for item in await queries.items(work, listing_id)
    }


async def _stored(work: UnitOfWork, items: Table[Place, Item], verdict: Verdict) -> dict[Place, list[ManifestRow]]:
    """The rows that the touched items were counted from."""
    places = {items[place].id: place for place in verdict.touched() if place in items}
    found: defaultdict[Place, list[ManifestRow]] = defaultdict(list)
    for unit in await queries.units(work, list(places)):
        place = places[unit.item_id]
        found[place].append(unit_rows.row(unit, place.key))
    return dict(found)


async def _write(
    work: UnitOfWork,
    row: Import,
    verdict: Verdict,
    counted: Table[Place, Sequence[ManifestRow]],
    items: dict[Place, Item],
    drafts: Table[str, Listing],
) -> None:
    _count(work, counted, items, drafts)
    await work.session.flush()
    landing = [unit_rows.columns(one.row) | {"item_id": items[one.place].id} for one in verdict.landing]
    await queries.upsert_units(work, row.seller_id, landing)
    emptied = [items.pop(place) for place, rows in counted.items() if not rows]
    for item in emptied:
        await work.session.delete(item)
    for listing_id in {place.listing_id for place in counted}:
        drafts[listing_id].version += 1
        facts.sum_up(drafts[listing_id], [item for place, item in items.items() if place.listing_id == listing_id])


def _count(
    work: UnitOfWork,
    counted: Table[Place, Sequence[ManifestRow]],
    items: dict[Place, Item],
    drafts: Table[str, Listing],
) -> None:
    """Makes the items that are missing, after those that are there, and counts each from its rows."""
    last: defaultdict[ListingId, int] = defaultdict(lambda: -1)
    for place, item in items.items():
        last[place.listing_id] = max(last[place.listing_id], item.position)
    for place, rows in counted.items():
        if rows and place not in items:
            last[place.listing_id] += 1
            items[place] = item_rows.new(work, place, rows, last[place.listing_id])
            work.add(items[place])
        if rows:
            item_rows.count(items[place], rows, country=drafts[place.listing_id].country, on=work.now.date())


def _complete(work: UnitOfWork, row: Import, read: Reading, verdict: Verdict, back: returning.Returned) -> None:
    row.added, row.updated, row.unchanged = verdict.count("added"), verdict.count("updated"), verdict.unchanged
    row.imported = row.added + row.updated + row.unchanged
    row.refused = back.rows
    row.rows = len(read.rows) + len(read.refused)
    row.problems, row.refused_csv, row.notes = back.problems, back.csv, list(read.notes)
    _tell(work, row, "complete")


def _fail(work: UnitOfWork, row: Import, why: Unreadable) -> None:
    row.failure_code, row.failure, row.problems = why.code, why.detail, why.problems
    _tell(work, row, "fail")


def _tell(work: UnitOfWork, row: Import, transition: str) -> None:
    moved = move(IMPORT, row, transition, by="time")
    row.completed_at = work.now
    told = ImportCompleted(
        import_id=row.id,
        listing_id=row.listing_id,
        status=row.status,
        failure_code=row.failure_code,
        failure=row.failure,
        rows=row.rows,
        imported=row.imported,
        added=row.added,
        updated=row.updated,
        unchanged=row.unchanged,
        refused=row.refused,
    )
    work.emit(told, subject=row.id, audience={row.seller_id: "seller"}, moved=moved)
