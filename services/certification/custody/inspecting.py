"""Accepted mass becomes the processor's batch; refused mass stays the holder's. The only way into a processor's books."""

from collections.abc import Mapping

from services.certification import chain, events, queries
from services.certification.custody import sources, writing
from services.certification.custody.loading import loaded
from services.certification.custody.sources import InspectedLine, Inspection
from services.certification.custody.writing import Draft
from services.certification.models import BATCH, CustodyEvent, MaterialBatch
from services.certification.trace import local_day
from services.kernel import states
from services.kernel.ids import OrgId, ReceiptId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties.models import Site


async def inspected(work: UnitOfWork, *, receipt_id: ReceiptId) -> list[CustodyEvent]:
    """Writes one move per line of the receipt, once; the loading too, should its news be late."""
    inspection = await sources.inspection(work, receipt_id)
    await loaded(work, pickup_id=inspection.pickup_id)
    return await book(work, inspection)


async def book(work: UnitOfWork, inspection: Inspection) -> list[CustodyEvent]:
    site = await parties.site(work, inspection.site_id)
    await chain.lock(work, site.id)
    loading = await queries.event_by_source(work, inspection.pickup_id)
    on_the_road = await _on_the_road(work, loading)
    written = []
    for line in inspection.lines:
        if await queries.event_by_source(work, inspection.source(line.goods.line_id)) is None:
            event = await _book_line(work, inspection, line, site, loading, on_the_road)
            written += [event] if event is not None else []
    return written


async def _on_the_road(work: UnitOfWork, loading: CustodyEvent | None) -> dict[str, MaterialBatch]:
    """What was loaded and is still under way, by line of the order."""
    if loading is None:
        return {}
    told = (await queries.lines_of(work, [loading.id]))[loading.id]
    batches = await queries.batches_for_update(work, [line.batch_id for line in told if line.direction == "out"])
    return {str(batch.line_id): batch for batch in batches.values() if batch.remaining_g}


async def _book_line(
    work: UnitOfWork,
    inspection: Inspection,
    line: InspectedLine,
    site: Site,
    loading: CustodyEvent | None,
    on_the_road: Mapping[str, MaterialBatch],
) -> CustodyEvent | None:
    """None where nothing was loaded and nothing came."""
    draft, old = Draft(), on_the_road.get(line.goods.line_id)
    announced_g = old.remaining_g if old is not None else 0
    if not announced_g and not line.received_g:
        return None
    if old is not None:
        writing.take(work, draft, old, announced_g)
        states.move(BATCH, old, "pass_on", by="time")
    accepted = _bear(work, draft, inspection, line, site, inspection.buyer_id, line.accepted_g, "accepted")
    _bear(work, draft, inspection, line, site, inspection.seller_id, line.refused_g, "refused")
    event = _event(work, draft, inspection, line, site, loading, announced_g)
    await chain.append(work, event, draft.lines, born=draft.born)
    work.session.add_all(draft.codes)
    _tell(work, inspection, line, event, draft, old, accepted)
    return event


def _bear(
    work: UnitOfWork,
    draft: Draft,
    inspection: Inspection,
    line: InspectedLine,
    site: Site,
    owner_id: OrgId,
    mass_g: int,
    disposition: str,
) -> MaterialBatch | None:
    if not mass_g:
        return None
    batch = writing.batch_of(
        work,
        draft,
        line.goods,
        mass_g,
        owner_id=owner_id,
        custodian_id=inspection.buyer_id,
        site_id=site.id,
        status="awaiting_processing",
        mass_method=inspection.mass_method,
        order_id=inspection.order_id,
    )
    writing.bear(work, draft, batch, disposition)
    writing.code(work, draft, batch, line.goods.waste_code, site, local_day(inspection.occurred_at, site.timezone))
    return batch


def _event(
    work: UnitOfWork,
    draft: Draft,
    inspection: Inspection,
    line: InspectedLine,
    site: Site,
    loading: CustodyEvent | None,
    announced_g: int,
) -> CustodyEvent:
    return CustodyEvent(
        id=draft.id,
        type="move",
        occurred_at=inspection.occurred_at,
        timezone=site.timezone,
        site_id=site.id,
        from_site_id=loading.site_id if loading is not None else site.id,
        to_site_id=site.id,
        reported_by=inspection.buyer_id,
        sender_id=loading.receiver_id if loading is not None else inspection.seller_id,
        receiver_id=inspection.buyer_id,
        announced_g=announced_g,
        received_g=line.received_g,
        accepted_g=line.accepted_g,
        refused_g=line.refused_g,
        mass_method=inspection.mass_method,
        source=inspection.source(line.goods.line_id),
        order_id=inspection.order_id,
        pickup_id=inspection.pickup_id,
        livemode=work.livemode,
        created_at=work.now,
    )


def _tell(
    work: UnitOfWork,
    inspection: Inspection,
    line: InspectedLine,
    event: CustodyEvent,
    draft: Draft,
    old: MaterialBatch | None,
    accepted: MaterialBatch | None,
) -> None:
    batches: dict[str, MaterialBatch] = {batch.id: batch for batch in [*draft.born, *([old] if old else [])]}
    audience = {inspection.seller_id: "owner", event.sender_id: "carrier", inspection.buyer_id: "receiver"}
    writing.tell(work, event, draft.lines, batches, audience)
    if accepted is not None:
        created = events.BatchCreated(
            batch_id=accepted.id,
            custody_event_id=event.id,
            site_id=inspection.site_id,
            order_id=inspection.order_id,
            line_id=line.goods.line_id,
            receipt_id=inspection.receipt_id,
            title=accepted.title,
            material=accepted.material,
            waste_code=line.goods.waste_code,
            mass_g=accepted.mass_g,
        )
        work.emit(created, subject=accepted.id, audience={inspection.buyer_id: "owner"})
