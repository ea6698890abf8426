"""A draft: which operations or batches a certificate is about. By rule when a final operation used a batch up, or on request."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.certification import evidence, queries, schemes
from services.certification.errors import NothingToCertify
from services.certification.issuing import measuring, telling
from services.certification.issuing.measuring import Measure
from services.certification.models import (
    Certificate,
    CertificateBatch,
    CertificateEvent,
    CustodyEvent,
    kind_of_claim,
)
from services.certification.trace import Trace, day_of, is_final, legs
from services.kernel.actors import Actor
from services.kernel.errors import NotFound, invalid
from services.kernel.ids import BatchId, CertificateId, CustodyEventId, OrderId, OrgId, SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties

GOODS = "returned goods"


@dataclass(frozen=True)
class Wanted:
    """Named by one of three: operations, batches, or the order under which the batches came. `goods` as in a sentence
    ("end-of-life equipment"); `distance_m` is the declared road distance of the one lorry behind it."""

    type: str
    custody_event_ids: tuple[CustodyEventId, ...] = ()
    batch_ids: tuple[BatchId, ...] = ()
    order_id: OrderId | None = None
    verifier_id: OrgId | None = None
    goods: str | None = None
    distance_m: int | None = None
    names_facility: bool = False


async def draft(work: UnitOfWork, wanted: Wanted, *, by: Actor) -> Certificate:
    """Raises NotFound for what the actor does not see, NothingToCertify where no final operation (or nothing left) is there."""
    if sum(map(bool, (wanted.custody_event_ids, wanted.batch_ids, wanted.order_id))) != 1:
        raise invalid("", "one_subject", "Name custody_event_ids, batch_ids or order_id, and only one of them.")
    if wanted.verifier_id is not None:
        await parties.organization(work, wanted.verifier_id)
    if kind_of_claim(wanted.type) == "next_life":
        taken, operations = await _remaining(work, wanted, by), list[CustodyEvent]()
        begin = await _births(work, taken)
    else:
        taken, operations = {}, await _operations(work, wanted, by)
        begin = [event.id for event in operations]
    async with work.as_house():
        return await _write(work, wanted, await queries.trace_back(work, begin), operations, taken, by.org)


async def by_rule(work: UnitOfWork, event: CustodyEvent) -> Certificate | None:
    """The draft of what an operation has come to; None where nothing of it can be claimed."""
    wanted = Wanted(type=measuring.type_of(event.operation or ""))
    trace = await queries.trace_back(work, [event.id])
    if not measuring.of_operations(wanted.type, trace, [event.id]).certified_g:
        return None
    return await _write(work, wanted, trace, [event], {}, event.reported_by)


async def _remaining(work: UnitOfWork, wanted: Wanted, by: Actor) -> dict[str, int]:
    """What is left of the batches named."""
    batches = [await queries.visible_batch(work, id, by) for id in await _batch_ids(work, wanted, by)]
    own = [batch for batch in batches if batch.remaining_g and batch.owner_id == by.org]
    taken: dict[str, int] = {batch.id: batch.remaining_g for batch in own}
    if not taken:
        raise NothingToCertify("Nothing of these batches is left that could begin a next life.")
    return taken


async def _batch_ids(work: UnitOfWork, wanted: Wanted, by: Actor) -> Sequence[BatchId]:
    if wanted.order_id is None:
        return wanted.batch_ids
    found = [batch.id for batch in await queries.received_under(work, [wanted.order_id], by.org)]
    if not found:
        raise NotFound("accepted goods of the order", wanted.order_id)
    return found


async def _births(work: UnitOfWork, batch_ids: Mapping[str, int]) -> list[str]:
    return sorted({batch.born_in for batch in (await queries.batches_in(work, batch_ids)).values()})


async def _operations(work: UnitOfWork, wanted: Wanted, by: Actor) -> list[CustodyEvent]:
    """The final operations named, or those that took of the batches named."""
    if wanted.custody_event_ids:
        events = [await queries.visible_custody_event(work, id, by) for id in wanted.custody_event_ids]
    else:
        batches = [await queries.visible_batch(work, id, by) for id in await _batch_ids(work, wanted, by)]
        events = list(await queries.events_consuming(work, [batch.id for batch in batches]))
    final = [event for event in events if event.reported_by == by.org and is_final(event)]
    if not final:
        raise NothingToCertify(
            "No final operation has taken of these batches yet; R12, R13 and D13 to D15 are interim."
        )
    if len({event.site_id for event in final}) > 1:
        raise NothingToCertify("One certificate is about one site; name the custody events of one.")
    return final


async def _write(
    work: UnitOfWork,
    wanted: Wanted,
    trace: Trace,
    operations: Sequence[CustodyEvent],
    taken: Mapping[str, int],
    holder_id: OrgId,
) -> Certificate:
    measure = measuring.of(wanted.type, trace, [event.id for event in operations], taken)
    refuse_ambiguous_distance(wanted.distance_m, trace, measure)
    certificate = _certificate(work, wanted, trace, measure, holder_id, _site(trace, operations, taken))
    work.add(certificate)
    await work.session.flush()
    for batch_id, mass_g in measure.taken.items():
        work.add(_batch(work, certificate.id, batch_id, mass_g))
    for event in operations:
        work.add(link(work, certificate.id, event.id, "operation"))
    await work.session.flush()
    telling.drafted(work, certificate)
    return certificate


def refuse_ambiguous_distance(distance_m: int | None, trace: Trace, measure: Measure) -> None:
    if distance_m is not None and len(legs(trace, measure.taken)) > 1:
        told = "Several lorries stand behind it; their distances are estimated from the sites."
        raise invalid("/distance_km", "several_legs", told)


def _site(trace: Trace, operations: Sequence[CustodyEvent], taken: Mapping[str, int]) -> SiteId:
    places = {event.site_id for event in operations} | {trace.batches[id].site_id for id in taken}
    if len(places) != 1 or None in places:
        raise NothingToCertify("One certificate is about one site.")
    return SiteId(str(places.pop()))


def _certificate(
    work: UnitOfWork,
    wanted: Wanted,
    trace: Trace,
    measure: Measure,
    holder_id: OrgId,
    site_id: SiteId,
) -> Certificate:
    days = [day_of(event) for event in trace.events.values()]
    scheme = schemes.current(wanted.type)
    return Certificate(
        type=wanted.type,
        holder_id=holder_id,
        site_id=site_id,
        verifier_id=wanted.verifier_id,
        scheme_name=scheme.name,
        scheme_version=scheme.version,
        period_from=min(days),
        period_until=max(days),
        goods=wanted.goods or GOODS,
        operation=measure.operation,
        input_g=measure.input_g,
        certified_g=measure.certified_g,
        distance_m=wanted.distance_m,
        names_facility=wanted.names_facility,
        secret=secrets.token_bytes(32),
        upstream_ids=[id for id in trace.senders() if id != holder_id],
        livemode=work.livemode,
        created_at=work.now,
    )


def _batch(work: UnitOfWork, certificate_id: CertificateId, batch_id: str, mass_g: int) -> CertificateBatch:
    return CertificateBatch(
        certificate_id=certificate_id,
        batch_id=BatchId(batch_id),
        mass_g=mass_g,
        livemode=work.livemode,
        created_at=work.now,
    )


def link(work: UnitOfWork, certificate_id: CertificateId, event_id: str, role: str) -> CertificateEvent:
    return CertificateEvent(
        certificate_id=certificate_id,
        event_id=CustodyEventId(event_id),
        role=role,
        salt=evidence.new_salt(),
        livemode=work.livemode,
        created_at=work.now,
    )
