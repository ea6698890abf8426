"""Batches, what happened to them, and what is claimed of them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, false, or_, select, text, true
from sqlmodel import col

from services.certification.models import BatchClaim, BatchCode, CustodyEvent, CustodyLine, MaterialBatch
from services.certification.queries.finding import every, grouped, locked, maybe, one
from services.certification.trace import Trace
from services.kernel.actors import Actor
from services.kernel.ids import BatchId, CustodyEventId
from services.kernel.unit_of_work import UnitOfWork


def batches(actor: Actor) -> Select[MaterialBatch]:
    """Those the actor owns or keeps, unordered."""
    return select(MaterialBatch).where(col(MaterialBatch.livemode) == actor.livemode, _may_see_batch(actor))


def _may_see_batch(actor: Actor) -> ColumnElement[bool]:
    if actor.is_operator:
        return true()
    if actor.org_id is None:
        return false()
    return or_(col(MaterialBatch.owner_id) == actor.org_id, col(MaterialBatch.custodian_id) == actor.org_id)


async def visible_batch(work: UnitOfWork, batch_id: BatchId, actor: Actor) -> MaterialBatch:
    return await one(work, batches(actor).where(col(MaterialBatch.id) == batch_id), "material batch", batch_id)


async def batches_in(work: UnitOfWork, ids: Iterable[str]) -> dict[str, MaterialBatch]:
    query = _batches(work).where(col(MaterialBatch.id).in_(set(ids)))
    return {row.id: row for row in await every(work, query)}


async def batches_for_update(work: UnitOfWork, ids: Iterable[str]) -> dict[str, MaterialBatch]:
    """Locked in the order of their ids; ids that are not here are left out."""
    query = _batches(work).where(col(MaterialBatch.id).in_(set(ids))).order_by(col(MaterialBatch.id))
    return {row.id: row for row in await every(work, locked(query))}


async def received_under(work: UnitOfWork, order_ids: Iterable[str], holder_id: str) -> Sequence[MaterialBatch]:
    """The batches that the holder accepted under these orders."""
    query = (
        _batches(work)
        .join(CustodyLine, col(CustodyLine.batch_id) == col(MaterialBatch.id))
        .where(
            col(CustodyLine.disposition) == "accepted",
            col(MaterialBatch.order_id).in_(set(order_ids)),
            col(MaterialBatch.owner_id) == holder_id,
        )
        .order_by(col(MaterialBatch.id))
    )
    return await every(work, query)


def _batches(work: UnitOfWork) -> Select[MaterialBatch]:
    return select(MaterialBatch).where(col(MaterialBatch.livemode) == work.livemode)


async def codes_of(work: UnitOfWork, batch_ids: Iterable[str]) -> dict[str, list[BatchCode]]:
    query = select(BatchCode).where(col(BatchCode.batch_id).in_(set(batch_ids))).order_by(col(BatchCode.id))
    return grouped(await every(work, query), "batch_id")


async def claims_of(work: UnitOfWork, batch_ids: Iterable[str]) -> dict[str, list[BatchClaim]]:
    query = select(BatchClaim).where(col(BatchClaim.batch_id).in_(set(batch_ids)))
    return grouped(await every(work, query), "batch_id")


async def claims_in(work: UnitOfWork, batch_ids: Iterable[str], pool: str) -> dict[str, BatchClaim]:
    """By batch, read afresh; without a lock of their own, for whoever writes them holds their batch's."""
    query = select(BatchClaim).where(col(BatchClaim.batch_id).in_(set(batch_ids)), col(BatchClaim.pool) == pool)
    return {row.batch_id: row for row in await every(work, query.execution_options(populate_existing=True))}


async def claims_for_update(work: UnitOfWork, batch_ids: Iterable[str], pool: str) -> dict[str, BatchClaim]:
    """By batch; the caller holds the batches' locks."""
    query = select(BatchClaim).where(col(BatchClaim.batch_id).in_(set(batch_ids)), col(BatchClaim.pool) == pool)
    rows = await every(work, locked(query.order_by(col(BatchClaim.batch_id))))
    return {row.batch_id: row for row in rows}


def custody_events(actor: Actor) -> Select[CustodyEvent]:
    """Those of the actor's sites, and the moves it sent or received, unordered."""
    return select(CustodyEvent).where(col(CustodyEvent.livemode) == actor.livemode, _may_see_event(actor))


def _may_see_event(actor: Actor) -> ColumnElement[bool]:
    if actor.is_operator:
        return true()
    if actor.org_id is None:
        return false()
    parties = (CustodyEvent.reported_by, CustodyEvent.sender_id, CustodyEvent.receiver_id)
    return or_(*(col(party) == actor.org_id for party in parties))


async def visible_custody_event(work: UnitOfWork, event_id: CustodyEventId, actor: Actor) -> CustodyEvent:
    return await one(work, custody_events(actor).where(col(CustodyEvent.id) == event_id), "custody event", event_id)


async def custody_event(work: UnitOfWork, event_id: str) -> CustodyEvent:
    query = select(CustodyEvent).where(col(CustodyEvent.id) == event_id, col(CustodyEvent.livemode) == work.livemode)
    return await one(work, query, "custody event", event_id)


async def event_by_source(work: UnitOfWork, source: str) -> CustodyEvent | None:
    query = select(CustodyEvent).where(col(CustodyEvent.source) == source, col(CustodyEvent.livemode) == work.livemode)
    return await maybe(work, query)


async def last_of_chain(work: UnitOfWork, site_id: str) -> CustodyEvent | None:
    query = select(CustodyEvent).where(col(CustodyEvent.site_id) == site_id)
    return await maybe(work, query.order_by(col(CustodyEvent.position).desc()).limit(1))


async def lines_of(work: UnitOfWork, event_ids: Iterable[str]) -> dict[str, list[CustodyLine]]:
    query = select(CustodyLine).where(col(CustodyLine.event_id).in_(set(event_ids))).order_by(col(CustodyLine.id))
    return grouped(await every(work, query), "event_id")


async def events_consuming(work: UnitOfWork, batch_ids: Iterable[str]) -> Sequence[CustodyEvent]:
    """The make events that took something of these batches, oldest first."""
    takers = select(col(CustodyLine.event_id)).where(
        col(CustodyLine.batch_id).in_(set(batch_ids)), col(CustodyLine.direction) == "in"
    )
    query = select(CustodyEvent).where(
        col(CustodyEvent.id).in_(takers),
        col(CustodyEvent.type) == "make",
        col(CustodyEvent.livemode) == work.livemode,
    )
    return await every(work, query.order_by(col(CustodyEvent.id)))


_BACK = text(
    """
    WITH RECURSIVE back (event_id) AS (
        SELECT unnest(CAST(:events AS text[]))
        UNION
        SELECT batch.born_in FROM back
        JOIN custody_line line ON line.event_id = back.event_id AND line.direction = 'in'
        JOIN material_batch batch ON batch.id = line.batch_id
    )
    SELECT event_id FROM back
    UNION
    SELECT event.id FROM back
    JOIN custody_line line ON line.event_id = back.event_id
    JOIN custody_line other ON other.batch_id = line.batch_id
    JOIN custody_event event ON event.id = other.event_id AND event.type IN ('modify', 'adjust')
    """
)
_FORWARD = text(
    """
    WITH RECURSIVE forward (event_id) AS (
        SELECT line.event_id FROM custody_line line
        JOIN custody_event event ON event.id = line.event_id AND event.type = 'make'
        WHERE line.direction = 'in' AND line.batch_id = ANY (CAST(:batches AS text[]))
        UNION
        SELECT line.event_id FROM forward
        JOIN custody_line born ON born.event_id = forward.event_id AND born.direction = 'out'
        JOIN custody_line line ON line.batch_id = born.batch_id AND line.direction = 'in'
        JOIN custody_event event ON event.id = line.event_id AND event.type = 'make'
    )
    SELECT event_id FROM forward
    """
)


async def trace_back(work: UnitOfWork, event_ids: Iterable[str]) -> Trace:
    """These events and all that came before them, down to every origin, with what was tested or weighed again on the way."""
    found = (await work.session.execute(_BACK, {"events": list(event_ids)})).scalars().all()
    return await _traced(work, found)


async def trace_forward(work: UnitOfWork, batch_ids: Iterable[str]) -> Trace:
    """What was made of these batches, and of what was made of them."""
    wanted = list(batch_ids)
    found = (await work.session.execute(_FORWARD, {"batches": wanted})).scalars().all()
    return await _traced(work, found, also=wanted)


async def _traced(work: UnitOfWork, event_ids: Sequence[str], *, also: Iterable[str] = ()) -> Trace:
    query = select(CustodyEvent).where(col(CustodyEvent.id).in_(event_ids), col(CustodyEvent.livemode) == work.livemode)
    events: dict[str, CustodyEvent] = {row.id: row for row in await every(work, query.order_by(col(CustodyEvent.id)))}
    lines = await lines_of(work, events)
    batch_ids = {line.batch_id for told in lines.values() for line in told} | set(also)
    return Trace(events, lines, await batches_in(work, batch_ids), await codes_of(work, batch_ids))
