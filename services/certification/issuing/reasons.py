"""What stands against a certificate: all of it at once, from the facts as they are now."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.certification import chain, claims, queries
from services.certification.issuing import measuring
from services.certification.issuing.measuring import Measure
from services.certification.models import Certificate, MaterialBatch, kind_of_claim
from services.certification.permits import against_permits
from services.certification.trace import Trace, is_final
from services.kernel.errors import Reason
from services.kernel.reference import operations
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties


@dataclass(frozen=True)
class Basis:
    """All that a certificate rests on."""

    trace: Trace
    operations: list[str]
    measure: Measure


async def basis(work: UnitOfWork, certificate: Certificate) -> Basis:
    events = claims.operations_of(await queries.events_of(work, certificate.id))
    taken: dict[str, int] = {row.batch_id: row.mass_g for row in await queries.batches_of(work, certificate.id)}
    batches = await queries.batches_in(work, taken)
    start = events or sorted({batch.born_in for batch in batches.values()})
    trace = await queries.trace_back(work, start)
    return Basis(trace, events, measuring.of(certificate.type, trace, events, taken))


async def lock(work: UnitOfWork, found: Basis) -> dict[str, MaterialBatch]:
    """The batches it takes from and claims, in the order of their ids."""
    return await queries.batches_for_update(work, {*found.measure.taken, *found.measure.targets})


async def peek(work: UnitOfWork, found: Basis) -> dict[str, MaterialBatch]:
    """The same without locks, where nothing hangs on the answer."""
    return await queries.batches_in(work, {*found.measure.taken, *found.measure.targets})


async def against(
    work: UnitOfWork, certificate: Certificate, found: Basis, batches: Mapping[str, MaterialBatch]
) -> tuple[Reason, ...]:
    """The caller holds the batches' locks where a decision hangs on the answer."""
    return (
        *await _evidence(work, certificate, found),
        *_weighing(found),
        *_operation(certificate, found),
        *await _permit(work, found),
        *_chain(found),
        *await _mass(work, certificate, found, batches),
    )


async def _evidence(work: UnitOfWork, certificate: Certificate, found: Basis) -> list[Reason]:
    if await queries.evidence_of(work, [certificate.id, *found.operations]):
        return []
    told = (
        "A recycling or destruction needs a scale ticket or log, a next life a test record: name at least one document."
    )
    return [Reason("evidence_missing", told)]


def _weighing(found: Basis) -> list[Reason]:
    if not found.trace.is_unweighed():
        return []
    return [Reason("mass_not_weighed", "A mass behind it was declared or estimated instead of weighed or counted.")]


def _operation(certificate: Certificate, found: Basis) -> list[Reason]:
    if kind_of_claim(certificate.type) == "next_life":
        return []
    events = [found.trace.events[id] for id in found.operations]
    if events and all(is_final(event) for event in events) and all(_counts(certificate, e.operation) for e in events):
        return []
    return [Reason("operation_pending", f"No final operation that counts as {certificate.type} has taken these goods.")]


def _counts(certificate: Certificate, operation: str | None) -> bool:
    counts_as = operations.find(operation or "").counts_as
    return counts_as == "recycling" if certificate.type == "recycling" else counts_as in ("disposal", "recovery")


async def _permit(work: UnitOfWork, found: Basis) -> list[Reason]:
    reasons = []
    for id in found.operations:
        event = found.trace.events[id]
        masses: dict[str, int] = {line.batch_id: line.mass_g for line in found.trace.taken(id)}
        site = await parties.site(work, event.site_id)
        for reason in await against_permits(work, event, masses, site):
            reasons.append(Reason("permit_not_valid", reason.detail))
    return reasons


def _chain(found: Basis) -> list[Reason]:
    trace = found.trace
    broken = [id for id, event in trace.events.items() if chain.faults([event], trace.lines)]
    broken += [id for id in found.measure.taken if trace.batches[id].status == "traceability_broken"]
    return [Reason("chain_broken", f"{id} does not stand as it was recorded.") for id in broken]


async def _mass(
    work: UnitOfWork, certificate: Certificate, found: Basis, batches: Mapping[str, MaterialBatch]
) -> list[Reason]:
    measure = found.measure
    inputs = [batches[id] for id in measure.taken] if found.operations else []
    settled = [batch.id for batch in inputs if batch.is_settled] + await claims.next_life_consumed(work, inputs)
    reasons = [
        Reason("mass_not_available", f"The fate of {id} is settled: a product, or a next life certified.")
        for id in settled
    ]
    if not measure.certified_g:
        reasons.append(Reason("mass_not_available", "Nothing of it can be claimed."))
    reasons += await claims.held_elsewhere(work, certificate, found.operations)
    return reasons + await claims.against(work, certificate, measure.targets, batches)


async def against_verifier(work: UnitOfWork, certificate: Certificate, trace: Trace) -> tuple[Reason, ...]:
    """`verifier_missing`, `verifier_not_eligible`, `verifier_not_independent`."""
    if certificate.verifier_id is None:
        return (Reason("verifier_missing", "Name a verifier."),)
    found = (await parties.organizations(work, [certificate.verifier_id])).get(certificate.verifier_id)
    if found is None or not found.is_verified or "verifier" not in found.roles:
        return (Reason("verifier_not_eligible", "The organization named is not a verified verifier."),)
    if certificate.verifier_id in trace.parties() | {certificate.holder_id}:
        told = "The verifier owned, kept, carried or treated the goods; another one is needed."
        return (Reason("verifier_not_independent", told),)
    return ()
