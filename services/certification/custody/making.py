"""A make: inputs become other batches plus loss, at one permitted site, under one operation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.certification import claims, events
from services.certification.custody import writing
from services.certification.custody.writing import Draft
from services.certification.errors import MassDoesNotBalance
from services.certification.issuing import drafting
from services.certification.models import BATCH, CustodyEvent, MaterialBatch
from services.certification.models.shared import CUSTODY_MODELS, weakest
from services.certification.permits import against_permits
from services.certification.trace import day_of
from services.kernel import states
from services.kernel.errors import Blocked, invalid
from services.kernel.reference import materials, operations, waste_codes
from services.kernel.reference.errors import CodeIsNotValid, ReferenceDataMissing
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Site

STATUS_OF = {"product": "processed", "downstream": "downstream", "residue": "awaiting_processing"}


@dataclass(frozen=True)
class MadeOutput:
    """`disposition` is product, downstream (for another plant) or residue (its final operation is still to come)."""

    material: str
    mass_g: int
    disposition: str
    title: str | None = None
    waste_code: str | None = None


@dataclass(frozen=True)
class Operation:
    """`code` is R1–R13 or D1–D15."""

    code: str | None
    outputs: tuple[MadeOutput, ...]
    loss_g: int
    loss_reason: str | None


async def make(
    work: UnitOfWork,
    draft: Draft,
    event: CustodyEvent,
    batches: Mapping[str, MaterialBatch],
    masses: Mapping[str, int],
    operation: Operation,
    site: Site,
) -> None:
    found = _known(operation)
    event.operation, event.loss_g, event.loss_reason = found.code, operation.loss_g, operation.loss_reason
    _refuse_imbalance(masses, operation)
    inputs = [batches[batch_id] for batch_id in masses]
    reasons = await against_permits(work, event, {batch.id: masses[batch.id] for batch in inputs}, site)
    if reasons:
        raise Blocked("custody event", "record", reasons)
    for batch in inputs:
        writing.take(work, draft, batch, masses[batch.id])
    is_settled = bool(await claims.next_life_consumed(work, inputs))
    for position, output in enumerate(operation.outputs):
        settled = is_settled or (found.is_final and output.disposition == "product")
        batch = _batch(work, draft, event, output, inputs, site, position, is_settled=settled)
        writing.bear(work, draft, batch, output.disposition)
        _note_code(work, draft, event, batch, output, site, position)


def _known(operation: Operation) -> operations.Operation:
    if operation.code is None:
        raise invalid("/operation", "required", "A make names its operation, R1 to R13 or D1 to D15.")
    try:
        return operations.find(operation.code)
    except ReferenceDataMissing:
        raise invalid("/operation", "operation_unknown", "An operation is R1 to R13 or D1 to D15.") from None


def _refuse_imbalance(masses: Mapping[str, int], operation: Operation) -> None:
    entered, left = sum(masses.values()), sum(output.mass_g for output in operation.outputs)
    if entered != left + operation.loss_g:
        raise MassDoesNotBalance(entered, left, operation.loss_g)
    if (operation.loss_g > 0) != (operation.loss_reason is not None):
        raise invalid("/loss/reason", "required", "A loss has grams and a reason.")


def _batch(
    work: UnitOfWork,
    draft: Draft,
    event: CustodyEvent,
    output: MadeOutput,
    inputs: Sequence[MaterialBatch],
    site: Site,
    position: int,
    *,
    is_settled: bool,
) -> MaterialBatch:
    try:
        material = materials.find(output.material)
    except ReferenceDataMissing:
        told = f"{output.material} is not a material we know; see the reference."
        raise invalid(f"/outputs/{position}/material", "material_unknown", told) from None
    is_broken = any(batch.status == "traceability_broken" for batch in inputs)
    kinds = {batch.origin for batch in inputs}
    return MaterialBatch(
        born_in=draft.id,
        owner_id=inputs[0].owner_id,
        custodian_id=inputs[0].custodian_id,
        site_id=site.id,
        status="traceability_broken" if is_broken else STATUS_OF[output.disposition],
        title=output.title or material.title,
        material=material.code,
        mass_g=output.mass_g,
        remaining_g=output.mass_g,
        mass_method=event.mass_method,
        custody_model=weakest(CUSTODY_MODELS, (batch.custody_model for batch in inputs)),
        origin=kinds.pop() if len(kinds) == 1 else "mixed",
        is_settled=is_settled,
        livemode=work.livemode,
        created_at=work.now,
    )


def _note_code(
    work: UnitOfWork,
    draft: Draft,
    event: CustodyEvent,
    batch: MaterialBatch,
    output: MadeOutput,
    site: Site,
    position: int,
) -> None:
    """A processor names its outputs' codes by decision, so a code that does not hold is refused."""
    if output.waste_code is None:
        return
    on = day_of(event)
    try:
        waste_codes.find(output.waste_code, jurisdiction=writing.jurisdiction_of(site.country), on=on)
    except (CodeIsNotValid, ReferenceDataMissing) as error:
        raise invalid(f"/outputs/{position}/waste_code", "code_not_valid", str(error)) from error
    writing.code(work, draft, batch, output.waste_code, site, on)


async def follow_up(work: UnitOfWork, event: CustodyEvent, inputs: Sequence[MaterialBatch]) -> None:
    """Inputs that a final operation used up are processed, and a certificate of it is drafted."""
    used_up = [batch for batch in inputs if not batch.remaining_g]
    for batch in used_up:
        if batch.status != "traceability_broken":
            states.move(BATCH, batch, "process", by="time")
    if not used_up or not operations.find(event.operation or "").is_final:
        return
    for batch in used_up:
        processed = events.BatchProcessed(
            batch_id=batch.id,
            custody_event_id=event.id,
            site_id=event.site_id,
            operation=event.operation or "",
            mass_g=batch.mass_g,
        )
        work.emit(processed, subject=batch.id, audience={batch.owner_id: "owner"}, occurred_at=event.occurred_at)
    await drafting.by_rule(work, event)
