"""Permits, and whether they cover goods: at the bid, the award, the dispatch and for what is accepted at receipt.

Masses are grams by waste code in any spelling; what has no code is no waste and needs no permit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.kernel import timers
from services.kernel.actors import Actor
from services.kernel.errors import Blocked, Forbidden, NotFound, Reason, invalid
from services.kernel.ids import OrgId, PermitId
from services.kernel.reference import operations, waste_codes
from services.kernel.reference.errors import ReferenceDataMissing
from services.kernel.states import move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import coverage, expiring, queries
from services.parties.coverage import Coverage, Question
from services.parties.errors import PermitExists
from services.parties.events import PermitAdded, PermitWithdrawn
from services.parties.models import PERMIT, Permit, PermitCheck, PermitDetails, PermitScope, ScopeDetails

Masses = Mapping[str, int] | Mapping[str | None, int]


async def add(
    work: UnitOfWork, details: PermitDetails, *, kind: str, scopes: Sequence[ScopeDetails], by: Actor
) -> Permit:
    """Raises Invalid with a pointer per error, NotFound for a foreign site or document, PermitExists."""
    if details.valid_until < details.valid_from:
        raise invalid("/valid_until", "ends_before_it_begins", "A permit ends no earlier than it begins.")
    granted = [_scope(scope, kind, f"/scopes/{position}") for position, scope in enumerate(scopes)]
    if details.site_id and (await queries.visible_site(work, details.site_id, by)).org_id != by.org:
        raise NotFound("site", details.site_id)
    if details.document_id and (await queries.document(work, details.document_id, by)).org_id != by.org:
        raise NotFound("document", details.document_id)
    if await queries.has_permit(work, by.org, details.authority, details.number):
        raise PermitExists(details.number, details.authority)
    permit = Permit(**details.model_dump(), kind=kind, org_id=by.org, livemode=work.livemode, created_at=work.now)
    work.add(permit)
    await work.session.flush()
    await _add_scopes(work, permit, granted)
    _tell_added(work, permit, granted)
    await expiring.watch_permit(work, permit)
    return permit


async def withdraw(
    work: UnitOfWork, permit_id: PermitId, *, by: Actor, check_version: CheckVersion = any_version
) -> Permit:
    """From today on (UTC) it covers nothing; what was done before stays covered. Raises Forbidden, TransitionNotPossible."""
    permit = await queries.permit_for_update(work, permit_id, by)
    if permit.org_id != by.org:
        raise Forbidden("A permit is withdrawn by its organization.")
    check_version(permit.version)
    moved = move(PERMIT, permit, "withdraw", by="owner")
    permit.withdrawn_on = work.now.date()
    await timers.cancel(work, expiring.PERMIT_WATCH, permit.id)
    told = PermitWithdrawn(
        permit_id=permit.id, organization_id=permit.org_id, number=permit.number, withdrawn_on=permit.withdrawn_on
    )
    work.emit(told, subject=permit.id, audience={permit.org_id: "owner"}, moved=moved)
    return permit


def _scope(scope: ScopeDetails, kind: str, pointer: str) -> ScopeDetails:
    if (kind == "treatment") != bool(scope.operations):
        sentence = "A treatment permit names operations, a transport permit none."
        raise invalid(f"{pointer}/operations", "operations_do_not_fit", sentence)
    if not scope.waste_codes:
        raise invalid(f"{pointer}/waste_codes", "required", "A scope names the waste codes it allows.")
    codes = {_code(code, f"{pointer}/waste_codes/{i}") for i, code in enumerate(scope.waste_codes)}
    named = {_operation(code, f"{pointer}/operations/{i}") for i, code in enumerate(scope.operations)}
    return ScopeDetails(
        waste_codes=sorted(codes),
        operations=sorted(named),
        territories=sorted(set(scope.territories)),
        limit_g=scope.limit_g,
    )


def _code(written: str, pointer: str) -> str:
    try:
        return waste_codes.normalise(written)
    except ValueError as error:
        raise invalid(pointer, "waste_code_malformed", "A waste code is six digits, as in 16 06 07*.") from error


def _operation(written: str, pointer: str) -> str:
    try:
        return operations.find(written).code
    except ReferenceDataMissing as error:
        raise invalid(pointer, "operation_unknown", "An operation is R1 to R13 or D1 to D15.") from error


async def _add_scopes(work: UnitOfWork, permit: Permit, granted: Sequence[ScopeDetails]) -> None:
    """One by one, so that their ids follow the order in which they were written."""
    for scope in granted:
        work.add(PermitScope(**scope.model_dump(), permit_id=permit.id))
        await work.session.flush()


def _tell_added(work: UnitOfWork, permit: Permit, granted: Sequence[ScopeDetails]) -> None:
    told = PermitAdded(
        permit_id=permit.id,
        organization_id=permit.org_id,
        site_id=permit.site_id,
        kind=permit.kind,
        number=permit.number,
        authority=permit.authority,
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        waste_codes=sorted({code for scope in granted for code in scope.waste_codes}),
    )
    work.emit(told, subject=permit.id, audience={permit.org_id: "owner"})


async def against(
    work: UnitOfWork,
    org_id: str,
    *,
    kind: str,
    masses: Masses,
    on: date,
    country: str,
    operation: str | None = None,
    site_id: str | None = None,
    subject_id: str | None = None,
) -> list[Reason]:
    """`permit_scope`, `permit_expired` or `permit_tonnage`, one per code that is not covered; nothing is written.

    What is reserved for `subject_id` counts as free for it. `site_id` is where the goods are treated: a permit of another
    site covers nothing there.
    """
    needs, _ = _by_code(masses)
    question = Question(kind, on, country, operation, site_id)
    return (await _cover(work, org_id, needs, question, subject_id)).reasons


async def record(
    work: UnitOfWork,
    org_id: str,
    *,
    step: str,
    subject_id: str,
    masses: Masses,
    on: date,
    country: str,
    operation: str | None = None,
    site_id: str | None = None,
    kind: str,
) -> None:
    """Stores that the goods are covered at this step, reserving nothing. Raises Blocked with every reason.

    What is reserved for the same subject counts as free for it: ask with the subject that was reserved for.
    """
    needs, not_waste_g = _by_code(masses)
    question = Question(kind, on, country, operation, site_id)
    covered = await _cover(work, org_id, needs, question, subject_id)
    _refuse(step, covered.reasons)
    at = _Step(org_id, step, subject_id, question)
    _write_checks(work, at, covered, needs, is_reservation=False)
    _write_not_waste(work, at, not_waste_g)
    await work.session.flush()


async def _cover(
    work: UnitOfWork, org_id: str, needs: Mapping[str, int], question: Question, subject_id: str | None
) -> Coverage:
    granted = await queries.scopes_for(work, org_id, kind=question.kind, waste_codes=needs)
    held = await queries.reservations_of(work, subject_id) if subject_id else []
    own: dict[int | None, int] = {}
    for check in held:
        own[check.scope_id] = own.get(check.scope_id, 0) + check.reserved_g
    return coverage.cover(granted, needs, question, own=own)


async def reserve(
    work: UnitOfWork,
    org_id: str,
    *,
    step: str,
    subject_id: str,
    masses: Masses,
    on: date,
    country: str,
    operation: str | None,
    site_id: str | None = None,
) -> None:
    """Holds tonnage of treatment permits for the subject until `use` or `free`. Raises Blocked with every reason.

    Locks the scopes until the unit of work ends. A second call for the subject reserves more.
    """
    needs, not_waste_g = _by_code(masses)
    question = Question("treatment", on, country, operation, site_id)
    granted = await queries.scopes_for(work, org_id, kind="treatment", waste_codes=needs, lock=True)
    covered = coverage.cover(granted, needs, question, own={})
    _refuse(step, covered.reasons)
    for code, scope in covered.scopes.items():
        scope.reserved_g += needs[code]
    at = _Step(org_id, step, subject_id, question)
    _write_checks(work, at, covered, needs, is_reservation=True)
    _write_not_waste(work, at, not_waste_g)
    await work.session.flush()


async def use(work: UnitOfWork, *, subject_id: str, masses: Masses) -> None:
    """Turns what was reserved for the subject into used and frees the rest; called again, it adds to what is used.

    Raises Blocked: `permit_scope` where nothing was reserved for a code, `permit_tonnage` where too little is left.
    """
    needs, _ = _by_code(masses)
    scopes = await queries.reserved_scopes_for_update(work, subject_id)
    held = await queries.reservations_of(work, subject_id)
    on_code = {check.waste_code: check for check in reversed(held)}
    _refuse("use", _against_use(needs, on_code, scopes, held))
    _release(scopes, held)
    for code in needs.keys() & on_code.keys():
        check = on_code[code]
        check.used_g += needs[code]
        scopes[_scope_of(check)].used_g += needs[code]
    await work.session.flush()


def _against_use(
    needs: Mapping[str, int],
    on_code: Mapping[str, PermitCheck],
    scopes: Mapping[int, PermitScope],
    held: Sequence[PermitCheck],
) -> list[Reason]:
    reasons = []
    left = {scope_id: _left(scope, held) for scope_id, scope in scopes.items()}
    for code, mass_g in sorted(needs.items()):
        check = on_code.get(code)
        if check is None and mass_g:
            reasons.append(Reason("permit_scope", f"Nothing was reserved for waste {code}."))
        elif check is not None:
            left[_scope_of(check)] -= mass_g
            if left[_scope_of(check)] < 0:
                reasons.append(coverage.too_much(code, mass_g))
    return reasons


def _left(scope: PermitScope, held: Sequence[PermitCheck]) -> float:
    """Grams of the scope that the subject may use: what is free, and what is held for it."""
    own = sum(check.reserved_g for check in held if check.scope_id == scope.id)
    return float("inf") if scope.limit_g is None else scope.limit_g - scope.used_g - scope.reserved_g + own


async def free(work: UnitOfWork, *, subject_id: str) -> None:
    """Gives back what is reserved for the subject; what it has used stays used. Nothing reserved: nothing happens."""
    scopes = await queries.reserved_scopes_for_update(work, subject_id)
    held = await queries.reservations_of(work, subject_id)
    _release(scopes, held)
    for check in held:
        check.freed_at = work.now if check.used_g == 0 else None
    await work.session.flush()


def _release(scopes: Mapping[int, PermitScope], held: Sequence[PermitCheck]) -> None:
    for check in held:
        scopes[_scope_of(check)].reserved_g -= check.reserved_g
        check.reserved_g = 0


def _scope_of(check: PermitCheck) -> int:
    assert check.scope_id is not None, "a reservation lies on a scope"
    return check.scope_id


def _refuse(step: str, reasons: Sequence[Reason]) -> None:
    if reasons:
        raise Blocked("goods", step, reasons)


def _by_code(masses: Masses) -> tuple[dict[str, int], int | None]:
    try:
        return coverage.by_code(masses.items())
    except ValueError as error:
        raise invalid("", "waste_code_malformed", str(error)) from error


@dataclass(frozen=True)
class _Step:
    """Where in whose flow the question came up."""

    org_id: str
    step: str
    subject_id: str
    question: Question


def _write_checks(
    work: UnitOfWork, at: _Step, covered: Coverage, needs: Mapping[str, int], *, is_reservation: bool
) -> None:
    for code, scope in covered.scopes.items():
        check = _check(work, at, code, needs[code])
        check.scope_id = scope.id
        check.is_reservation = is_reservation
        check.reserved_g = needs[code] if is_reservation else 0
        work.add(check)


def _write_not_waste(work: UnitOfWork, at: _Step, mass_g: int | None) -> None:
    if mass_g is not None:
        check = _check(work, at, "", mass_g)
        check.why_none = "not_waste"
        work.add(check)


def _check(work: UnitOfWork, at: _Step, code: str, mass_g: int) -> PermitCheck:
    return PermitCheck(
        livemode=work.livemode,
        created_at=work.now,
        org_id=OrgId(at.org_id),
        kind=at.question.kind,
        step=at.step,
        subject_id=at.subject_id,
        waste_code=code,
        mass_g=mass_g,
        checked_on=at.question.on,
        country=at.question.country,
        operation=at.question.operation,
    )
