"""Which grams are spoken for. Who decides or writes holds the locks of the batches, taken in the order of their ids."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select
from sqlmodel import col

from services.certification import queries
from services.certification.models import (
    BatchClaim,
    Certificate,
    CertificateEvent,
    ClaimAllocation,
    MaterialBatch,
    kind_of_claim,
    pool_of,
)
from services.kernel.errors import Reason
from services.kernel.unit_of_work import UnitOfWork

COUNTS = ("reserved", "certified")


async def against(
    work: UnitOfWork, certificate: Certificate, targets: Mapping[str, int], batches: Mapping[str, MaterialBatch]
) -> list[Reason]:
    """`mass_not_available` for each batch of which too little is free. What the certificate itself holds counts as free."""
    kind = kind_of_claim(certificate.type)
    claims = await queries.claims_in(work, targets, pool_of(kind))
    own: dict[str, int] = {
        row.batch_id: row.mass_g for row in await queries.allocations(work, certificate.id) if row.state in COUNTS
    }
    next_life = await _next_life_on(work, targets)
    reasons = []
    for batch_id, wanted_g in sorted(targets.items()):
        batch, claim = batches[batch_id], claims.get(batch_id)
        free_g = batch.mass_g - (claim.reserved_g + claim.certified_g if claim else 0)
        if kind == "next_life":
            free_g = 0 if batch.is_settled else min(free_g, batch.remaining_g - next_life.get(batch_id, 0))
        if wanted_g > free_g + own.get(batch_id, 0):
            told = f"{wanted_g} g are wanted of {batch_id}; {max(free_g, 0)} g are not claimed yet."
            reasons.append(Reason("mass_not_available", told))
    return reasons


async def _next_life_on(work: UnitOfWork, batch_ids: Iterable[str]) -> dict[str, int]:
    """Grams whose next life somebody claims, by batch."""
    query = (
        select(col(ClaimAllocation.batch_id), func.sum(col(ClaimAllocation.mass_g)))
        .where(
            col(ClaimAllocation.batch_id).in_(set(batch_ids)),
            col(ClaimAllocation.kind) == "next_life",
            col(ClaimAllocation.state).in_(COUNTS),
        )
        .group_by(col(ClaimAllocation.batch_id))
    )
    return {row[0]: int(row[1]) for row in (await work.session.execute(query)).all()}


async def next_life_consumed(work: UnitOfWork, batches: Iterable[MaterialBatch]) -> list[str]:
    """The batches of which events have taken grams whose next life was claimed: more are claimed than are left."""
    known = list(batches)
    claimed = await _next_life_on(work, [batch.id for batch in known])
    return [batch.id for batch in known if claimed.get(batch.id, 0) > batch.remaining_g]


async def held_elsewhere(work: UnitOfWork, certificate: Certificate, event_ids: Iterable[str]) -> list[Reason]:
    """`mass_not_available` for operations that support another certificate."""
    holders = await queries.holder_of_event(work, event_ids)
    taken = sorted(event for event, holder in holders.items() if holder != certificate.id)
    return [Reason("mass_not_available", f"{event} supports another certificate.") for event in taken]


async def reserve(work: UnitOfWork, certificate: Certificate, targets: Mapping[str, int]) -> None:
    """Reserves the grams and holds the operations. The database refuses a gram or an operation that is spoken for."""
    kind = kind_of_claim(certificate.type)
    claims = await queries.claims_for_update(work, targets, pool_of(kind))
    rows: dict[str, ClaimAllocation] = {row.batch_id: row for row in await queries.allocations(work, certificate.id)}
    batches = await queries.batches_in(work, targets)
    for batch_id, mass_g in sorted(targets.items()):
        claim = claims.get(batch_id) or _claim(work, batches[batch_id], pool_of(kind))
        claim.reserved_g += mass_g
        claims[batch_id] = claim
    work.session.add_all(claims.values())
    await work.session.flush()
    for batch_id, mass_g in targets.items():
        row = rows.get(batch_id) or _allocation(work, certificate, claims[batch_id], kind)
        row.mass_g, row.state = mass_g, "reserved"
        work.add(row)
    await hold(work, certificate, is_held=True)


def _claim(work: UnitOfWork, batch: MaterialBatch, pool: str) -> BatchClaim:
    return BatchClaim(batch_id=batch.id, pool=pool, mass_g=batch.mass_g, livemode=work.livemode, created_at=work.now)


def _allocation(work: UnitOfWork, certificate: Certificate, claim: BatchClaim, kind: str) -> ClaimAllocation:
    return ClaimAllocation(
        certificate_id=certificate.id,
        batch_id=claim.batch_id,
        pool=claim.pool,
        kind=kind,
        mass_g=0,
        livemode=work.livemode,
        created_at=work.now,
    )


async def hold(work: UnitOfWork, certificate: Certificate, *, is_held: bool) -> None:
    for event in await queries.events_of(work, certificate.id):
        held = is_held and event.role == "operation"
        if event.is_held != held:
            event.is_held = held
    await work.session.flush()


async def certify(work: UnitOfWork, certificate: Certificate) -> None:
    """What is reserved becomes certified."""
    for row, claim in await _rows(work, certificate, "reserved"):
        claim.reserved_g -= row.mass_g
        claim.certified_g += row.mass_g
        row.state = "certified"
    await work.session.flush()


async def release(work: UnitOfWork, certificate: Certificate) -> None:
    """Gives back what is reserved and lets the operations go."""
    for row, claim in await _rows(work, certificate, "reserved"):
        claim.reserved_g -= row.mass_g
        row.state = "released"
    await hold(work, certificate, is_held=False)


async def park(work: UnitOfWork, certificate: Certificate) -> None:
    """Takes what is certified off the batches while the certificate is suspended by a correction."""
    for row, claim in await _rows(work, certificate, "certified"):
        claim.certified_g -= row.mass_g
        row.state = "parked"
    await work.session.flush()


async def _rows(work: UnitOfWork, certificate: Certificate, state: str) -> list[tuple[ClaimAllocation, BatchClaim]]:
    rows = [row for row in await queries.allocations(work, certificate.id) if row.state == state]
    batches = await queries.batches_for_update(work, [row.batch_id for row in rows])
    pool = pool_of(kind_of_claim(certificate.type))
    claims = await queries.claims_for_update(work, batches, pool)
    return [(row, claims[row.batch_id]) for row in rows]


def operations_of(events: Iterable[CertificateEvent]) -> list[str]:
    return [event.event_id for event in events if event.role == "operation"]
