"""What a processor reports of its batches: made into others, tested or repaired, weighed again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.certification import chain, files, queries
from services.certification.custody import adjusting, making, writing
from services.certification.custody.adjusting import Taken
from services.certification.custody.making import MadeOutput, Operation
from services.certification.custody.writing import Draft
from services.certification.errors import MassNotAvailable, NotAtOneSite, NotInYourCustody
from services.certification.files import Offered
from services.certification.models import CustodyEvent, MaterialBatch
from services.kernel.actors import Actor
from services.kernel.errors import NotFound, invalid
from services.kernel.ids import BatchId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties.models import Site

SKEW = timedelta(minutes=5)
"""How far a plant's clock may run ahead of ours."""

__all__ = ["MadeOutput", "Report", "Taken", "record"]


@dataclass(frozen=True)
class Report:
    """`type` is make, modify or adjust; `occurred_at` None means now. `activity` says what a modify was ("data_erasure"), `reason`
    why something was weighed again."""

    type: str
    inputs: tuple[Taken, ...]
    occurred_at: datetime | None = None
    operation: str | None = None
    outputs: tuple[MadeOutput, ...] = ()
    loss_g: int = 0
    loss_reason: str | None = None
    mass_method: str = "weighbridge"
    activity: str | None = None
    reason: str | None = None
    evidence: tuple[Offered, ...] = ()


async def record(work: UnitOfWork, report: Report, *, by: Actor) -> CustodyEvent:
    """Writes the event into its site's chain. Raises Invalid with a pointer for what cannot have been, MassDoesNotBalance,
    MassNotAvailable, NotInYourCustody, and Blocked with the reasons of the permits."""
    site = await _site(work, report, by)
    occurred_at = report.occurred_at or work.now
    if occurred_at > work.now + SKEW:
        raise invalid("/occurred_at", "in_the_future", "This has not happened yet.")
    async with work.as_house():
        await chain.lock(work, site.id)
        if report.type == "adjust":
            await adjusting.make_room(work, _only(report))
        batches = await queries.batches_for_update(work, [taken.batch_id for taken in report.inputs])
        await _refuse_before_birth(work, batches.values(), occurred_at)
        draft, event = Draft(), _event(work, report, site, occurred_at, by)
        event.id = draft.id
        await _happen(work, report, draft, event, batches, site)
        await chain.append(work, event, draft.lines, born=draft.born)
        work.session.add_all(draft.codes)
        await files.keep(work, report.evidence, subject_id=event.id, owner_id=by.org)
        named: dict[str, MaterialBatch] = {**batches}
        named.update((batch.id, batch) for batch in draft.born)
        writing.tell(work, event, draft.lines, named, {by.org: "owner"})
        if report.type == "make":
            await making.follow_up(work, event, list(batches.values()))
        return event


def _only(report: Report) -> Taken:
    if len(report.inputs) != 1:
        raise invalid("/inputs", "one_batch", "One batch is weighed again at a time.")
    return report.inputs[0]


async def _site(work: UnitOfWork, report: Report, by: Actor) -> Site:
    """Where the batches are; all of them, and in the actor's custody."""
    ids = [taken.batch_id for taken in report.inputs]
    if len(set(ids)) != len(ids):
        raise invalid("/inputs", "batch_twice", "Each batch is named once.")
    found = await queries.batches_in(work, ids)
    for batch_id in ids:
        _refuse_foreign(found.get(batch_id), batch_id, by)
    sites = {batch.site_id for batch in found.values()}
    if len(sites) != 1 or None in sites:
        raise NotAtOneSite()
    return await parties.site(work, str(sites.pop()))


def _refuse_foreign(batch: MaterialBatch | None, batch_id: BatchId, by: Actor) -> None:
    if batch is None or by.org not in (batch.owner_id, batch.custodian_id):
        raise NotFound("material batch", batch_id)
    if by.org != batch.custodian_id or by.org != batch.owner_id:
        raise NotInYourCustody(batch_id)


async def _refuse_before_birth(work: UnitOfWork, batches: Iterable[MaterialBatch], occurred_at: datetime) -> None:
    for batch in batches:
        birth = await queries.custody_event(work, batch.born_in)
        if occurred_at < birth.occurred_at:
            told = f"{batch.id} was born on {birth.occurred_at:%Y-%m-%dT%H:%M:%SZ}."
            raise invalid("/occurred_at", "before_birth", told)


def _event(work: UnitOfWork, report: Report, site: Site, occurred_at: datetime, by: Actor) -> CustodyEvent:
    return CustodyEvent(
        type=report.type,
        occurred_at=occurred_at,
        timezone=site.timezone,
        site_id=site.id,
        reported_by=by.org,
        activity=report.activity,
        reason=report.reason,
        mass_method=report.mass_method,
        livemode=work.livemode,
        created_at=work.now,
    )


async def _happen(
    work: UnitOfWork,
    report: Report,
    draft: Draft,
    event: CustodyEvent,
    batches: Mapping[str, MaterialBatch],
    site: Site,
) -> None:
    if report.type == "adjust":
        adjusting.adjust(work, draft, event, batches[_only(report).batch_id], _only(report).mass_g, report.reason)
        return
    masses: dict[str, int] = {taken.batch_id: _wanted(batches[taken.batch_id], taken) for taken in report.inputs}
    if report.type == "modify":
        _refuse_what_a_make_needs(report)
        for batch_id, mass_g in masses.items():
            writing.note(work, draft, batches[batch_id], mass_g)
        return
    operation = Operation(report.operation, report.outputs, report.loss_g, report.loss_reason)
    await making.make(work, draft, event, batches, masses, operation, site)


def _wanted(batch: MaterialBatch, taken: Taken) -> int:
    wanted = batch.remaining_g if taken.mass_g is None else taken.mass_g
    if not 0 < wanted <= batch.remaining_g:
        raise MassNotAvailable(batch.id, wanted, batch.remaining_g)
    return wanted


def _refuse_what_a_make_needs(report: Report) -> None:
    if report.outputs or report.loss_g or report.operation:
        told = "What changes mass or comes under an R or D operation is a make."
        raise invalid("/type", "not_a_modify", told)
    if report.activity is None:
        raise invalid("/activity", "required", "Say what was done, such as data_erasure.")
