"""The job that reads a received manifest: outside any transaction it is parsed, in one transaction it lands.

Nobody meets half a manifest, and a job that is killed leaves nothing behind: run again, it ends as if it had run once. Rows are
judged and written in portions, so that memory follows what the file says and not what is made of it; how far it is, is
committed beside (`progress`).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.kernel.ids import ImportId, ListingId
from services.kernel.jobs import Tools, job
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries
from services.listings.events import ImportCompleted
from services.listings.importing import progress, returning, writing
from services.listings.importing import queries as stored
from services.listings.importing import units as unit_rows
from services.listings.importing.judging import Place, Standing, Verdict, judge, settle
from services.listings.importing.progress import Progress, Unreadable
from services.listings.manifests.rows import ManifestRow, Reading
from services.listings.models import IMPORT, IMPORTS_UNDER_WAY, Import, Listing

JOB = "listings.import"
TURN = "listings.import.turn"


@job(JOB)
async def land(tools: Tools, payload: dict[str, Any]) -> None:
    """One manifest at a time in a process: its memory is bounded by the largest, not by how many wait."""
    async with tools.resources.setdefault(TURN, asyncio.Lock()):
        found = await progress.read(tools, ImportId(payload["import_id"]))
        if found is None:
            return
        if isinstance(found[1], Unreadable):
            await _give_up(found[0], found[1])
        else:
            await _land(found[0], found[1])


async def _give_up(steps: Progress, why: Unreadable) -> None:
    async with steps.work() as work:
        row = await queries.import_for_update(work, steps.import_id)
        if row.status in IMPORTS_UNDER_WAY:
            _fail(work, row, why)


async def _land(steps: Progress, read: Reading) -> None:
    if not await steps.begin("land", rows_total=read.count, rows_read=read.count, file_format=read.file.format):
        return
    async with steps.work() as work:
        await queries.one_import_of_a_seller_at_a_time(work, await stored.seller_of(work, steps.import_id))
        asked = await stored.unlocked(work, steps.import_id)
        if asked.status not in IMPORTS_UNDER_WAY:
            return
        failed, verdict = await _decide(work, asked, read, steps)
        back = await asyncio.to_thread(returning.refused, read, verdict.refused)
        row = await queries.import_for_update(work, steps.import_id)
        if failed is not None:
            _fail(work, row, failed)
        else:
            _complete(work, row, read, verdict, back)


async def _decide(work: UnitOfWork, asked: Any, read: Reading, steps: Progress) -> tuple[Unreadable | None, Verdict]:
    """Judges every row, and writes what lands unless it is a trial."""
    verdict = Verdict()
    drafts = await _lock(work, asked, read)
    target = drafts.get(asked.listing_id or "")
    if target is not None and target.status != "draft":
        return Unreadable("listing_not_draft", f"The listing is {target.status} by now.", []), verdict
    await _judge(work, asked, read, verdict)
    known = await writing.known_items(work, verdict)
    agreed, by_hand = await writing.stored_rows(work, verdict, known)
    await asyncio.to_thread(settle, verdict, agreed, by_hand)
    if not asked.is_trial:
        await writing.write(work, asked.seller_id, verdict, known, drafts, steps)
    return None, verdict


async def _lock(work: UnitOfWork, asked: Any, read: Reading) -> dict[str, Listing]:
    """The drafts the file may touch: nobody edits or publishes them meanwhile."""
    ids: set[str] = {asked.listing_id} if asked.listing_id else set()
    for portion in _portions([one.external_id for one in read.rows]):
        item_ids = await stored.items_named(work, asked.seller_id, portion)
        touched = {place.listing_id for place in await stored.places_of(work, item_ids)} - ids
        ids.update(
            listing_id for listing_id, status in (await stored.statuses(work, touched)).items() if status == "draft"
        )
    return await queries.listings_for_update(work, ids)


async def _judge(work: UnitOfWork, asked: Any, read: Reading, verdict: Verdict) -> None:
    target = asked.listing_id or ListingId.new()
    for portion in _portions(read.rows):
        standing = await _standing(work, asked.seller_id, portion)
        await asyncio.to_thread(judge, portion, standing, target, verdict)


async def _standing(work: UnitOfWork, seller_id: str, rows: Sequence[ManifestRow]) -> dict[str, Standing]:
    units = await stored.units_named(work, seller_id, [one.external_id for one in rows])
    places = {
        item.id: Place(item.listing_id, item.key)
        for item in await stored.places_of(work, {unit.item_id for unit in units})
    }
    statuses = await stored.statuses(work, {place.listing_id for place in places.values()})
    return {
        unit.external_id: Standing(unit_rows.row(unit, place.key), place, statuses[place.listing_id])
        for unit in units
        for place in [places[unit.item_id]]
    }


def _portions(rows: Sequence[Any]) -> list[list[Any]]:
    size = stored.PORTION
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def _complete(work: UnitOfWork, row: Import, read: Reading, verdict: Verdict, back: returning.Returned) -> None:
    row.added, row.updated, row.unchanged = verdict.count("added"), verdict.count("updated"), verdict.unchanged
    row.imported = row.added + row.updated + row.unchanged
    row.refused, row.rows, row.rows_landed = back.rows, read.count, 0 if row.is_trial else row.imported
    row.problems, row.refused_file, row.notes = back.problems, back.file, list(read.file.notes)
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
        is_trial=row.is_trial,
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
