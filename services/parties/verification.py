"""The check of who an organization is, from the first papers to the end; live organizations may nothing before it.

submit → (request_changes →) verify or reject; afterwards suspend, reinstate, close. The papers that the roles are asked for
stand in `standing`; what an organization may begin follows from its status alone, what is under way from nothing here.
"""

from collections.abc import Sequence

from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.events import Event
from services.kernel.ids import OrgId
from services.kernel.states import Moved, move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries, standing
from services.parties.events import (
    OrganizationChangesRequested,
    OrganizationClosed,
    OrganizationReinstated,
    OrganizationRejected,
    OrganizationSubmitted,
    OrganizationSuspended,
    OrganizationVerified,
    Told,
)
from services.parties.models import ORGANIZATION, Organization, OrganizationFacts
from services.parties.policy import party_of


async def submit(
    work: UnitOfWork, org_id: OrgId, *, by: Actor, check_version: CheckVersion = any_version
) -> Organization:
    """The owner asks for the review, again after changes or a rejection. Raises Blocked with every paper that is missing."""
    organization, moved = await _move(work, org_id, "submit", by, check_version)
    organization.submitted_at = work.now
    told = OrganizationSubmitted(organization_id=organization.id, legal_name=organization.legal_name, is_reopened=False)
    return _tell(work, organization, told, moved, [])


async def request_changes(
    work: UnitOfWork,
    org_id: OrgId,
    *,
    reasons: Sequence[Told],
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Organization:
    """Back to the organization with open points."""
    organization, moved = await _move(work, org_id, "request_changes", by, check_version)
    told = OrganizationChangesRequested(organization_id=organization.id, reasons=list(reasons))
    return _tell(work, organization, told, moved, reasons)


async def verify(
    work: UnitOfWork, org_id: OrgId, *, by: Actor, check_version: CheckVersion = any_version
) -> Organization:
    """An operator's word. Raises Forbidden for anybody else, TransitionNotPossible unless it is in review, and Blocked
    with every paper that was not accepted."""
    organization, moved = await _move(work, org_id, "verify", by, check_version)
    return _verified(work, organization, moved)


def verify_by_rule(work: UnitOfWork, organization: Organization) -> None:
    """The sandbox asks for no papers, and Backhaul's own staff has shown them."""
    _verified(work, organization, move(ORGANIZATION, organization, "verify_by_rule", by="time"))


def _verified(work: UnitOfWork, organization: Organization, moved: Moved) -> Organization:
    organization.verified_at = work.now
    told = OrganizationVerified(
        organization_id=organization.id, legal_name=organization.legal_name, roles=organization.roles
    )
    return _tell(work, organization, told, moved, [])


async def reject(
    work: UnitOfWork,
    org_id: OrgId,
    *,
    reasons: Sequence[Told],
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Organization:
    """The review ends without a verification; submitted again, it begins anew."""
    organization, moved = await _move(work, org_id, "reject", by, check_version)
    told = OrganizationRejected(organization_id=organization.id, reasons=list(reasons))
    return _tell(work, organization, told, moved, reasons)


def reopen(work: UnitOfWork, organization: Organization) -> None:
    """A verified organization is another one now: what was confirmed is looked at again."""
    moved = move(ORGANIZATION, organization, "reopen", by="owner")
    organization.submitted_at = work.now
    told = OrganizationSubmitted(organization_id=organization.id, legal_name=organization.legal_name, is_reopened=True)
    _tell(work, organization, told, moved, [])


async def suspend(
    work: UnitOfWork,
    org_id: OrgId,
    *,
    reasons: Sequence[Told],
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Organization:
    """Nothing new is begun; what is under way is finished."""
    organization, moved = await _move(work, org_id, "suspend", by, check_version)
    told = OrganizationSuspended(organization_id=organization.id, reasons=list(reasons))
    return _tell(work, organization, told, moved, reasons)


async def reinstate(
    work: UnitOfWork, org_id: OrgId, *, by: Actor, check_version: CheckVersion = any_version
) -> Organization:
    """Raises Blocked with every paper that is not in force any more."""
    organization, moved = await _move(work, org_id, "reinstate", by, check_version)
    told = OrganizationReinstated(organization_id=organization.id, roles=organization.roles)
    return _tell(work, organization, told, moved, [])


async def close(
    work: UnitOfWork, org_id: OrgId, *, by: Actor, check_version: CheckVersion = any_version
) -> Organization:
    """For good, by its owner or an operator. Parties know no deals: those under way go on to their end."""
    organization, moved = await _move(work, org_id, "close", by, check_version)
    return _tell(work, organization, OrganizationClosed(organization_id=organization.id), moved, [])


async def _move(
    work: UnitOfWork, org_id: OrgId, transition: str, by: Actor, check_version: CheckVersion
) -> tuple[Organization, Moved]:
    """Whose the transition is comes first: a stranger hears neither status nor version."""
    organization = await queries.organization_for_update(work, org_id)
    party = party_of(by, organization)
    if not any(party in known.actors for known in ORGANIZATION.named(transition)):
        raise Forbidden(f"{transition} of this organization is not for you.")
    check_version(organization.version)
    facts = await facts_of(work, organization)
    return organization, move(ORGANIZATION, organization, transition, by=party, facts=facts)


async def facts_of(work: UnitOfWork, organization: Organization) -> OrganizationFacts:
    """For whoever sees the organization whole."""
    return (await facts_of_every(work, [organization]))[organization.id]


async def facts_of_every(work: UnitOfWork, organizations: Sequence[Organization]) -> dict[str, OrganizationFacts]:
    """By id."""
    papers = await standing.against_papers(work, organizations)
    return {org_id: OrganizationFacts(reasons) for org_id, reasons in papers.items()}


def _tell(
    work: UnitOfWork, organization: Organization, event: Event, moved: Moved, reasons: Sequence[Told]
) -> Organization:
    organization.reasons = [reason.model_dump() for reason in reasons]
    work.emit(event, subject=organization.id, audience={organization.id: "owner"}, moved=moved)
    return organization
