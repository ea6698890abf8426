"""Goods enter the chain with the first handover: the mass that was loaded, in the carrier's custody."""

from services.certification import chain, queries
from services.certification.custody import sources, writing
from services.certification.custody.sources import Load
from services.certification.custody.writing import Draft
from services.certification.models import BATCH, CustodyEvent, MaterialBatch
from services.certification.trace import local_day
from services.kernel import states
from services.kernel.ids import PickupId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties.models import Site


async def loaded(work: UnitOfWork, *, pickup_id: PickupId) -> CustodyEvent:
    """Writes the move of what a lorry took on, once."""
    known = await queries.event_by_source(work, pickup_id)
    return known or await book(work, await sources.load(work, pickup_id))


async def book(work: UnitOfWork, load: Load) -> CustodyEvent:
    site = await parties.site(work, load.from_site_id)
    await chain.lock(work, site.id)
    known = await queries.event_by_source(work, load.pickup_id)
    if known is not None:
        return known
    draft = Draft()
    old = await _refused_before(work, load)
    if old is not None:
        writing.take(work, draft, old, old.remaining_g)
        states.move(BATCH, old, "pass_on", by="time")
    for line in load.lines:
        if line.mass_g:
            _bear(work, draft, load, site, line)
    event = _event(work, draft, load, site)
    await chain.append(work, event, draft.lines, born=draft.born)
    work.session.add_all(draft.codes)
    batches: dict[str, MaterialBatch] = {batch.id: batch for batch in [*draft.born, *([old] if old else [])]}
    audience = {load.custodian_id: "sender", load.owner_id: "owner", load.carrier_id: "carrier"}
    writing.tell(work, event, draft.lines, batches, audience)
    return event


async def _refused_before(work: UnitOfWork, load: Load) -> MaterialBatch | None:
    """The batch of refused goods that is taken away now, with all that is left of it."""
    inspection = await queries.event_by_source(work, load.taken_from) if load.taken_from else None
    if inspection is None:
        return None
    told = await queries.lines_of(work, [inspection.id])
    refused = [line.batch_id for line in told[inspection.id] if line.disposition == "refused"]
    found = (await queries.batches_for_update(work, refused)).values()
    return next((batch for batch in found if batch.remaining_g), None)


def _bear(work: UnitOfWork, draft: Draft, load: Load, site: Site, line: sources.LoadedLine) -> None:
    batch = writing.batch_of(
        work,
        draft,
        line.goods,
        line.mass_g,
        owner_id=load.owner_id,
        custodian_id=load.carrier_id,
        status="awaiting_processing",
        mass_method=load.mass_method,
        order_id=load.order_id,
    )
    writing.bear(work, draft, batch, "loaded")
    writing.code(work, draft, batch, line.goods.waste_code, site, local_day(load.occurred_at, site.timezone))


def _event(work: UnitOfWork, draft: Draft, load: Load, site: Site) -> CustodyEvent:
    return CustodyEvent(
        id=draft.id,
        type="move",
        occurred_at=load.occurred_at,
        timezone=site.timezone,
        site_id=site.id,
        from_site_id=site.id,
        to_site_id=load.to_site_id,
        reported_by=load.custodian_id,
        sender_id=load.custodian_id,
        receiver_id=load.carrier_id,
        announced_g=sum(line.mass_g for line in load.lines),
        packaging_g=load.packaging_g,
        mass_method=load.mass_method,
        source=load.pickup_id,
        order_id=load.order_id,
        pickup_id=load.pickup_id,
        livemode=work.livemode,
        created_at=work.now,
    )
