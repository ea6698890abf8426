"""HTTP of organizations."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import (
    Anybody,
    DryRun,
    Matching,
    MustMatch,
    UnitOfWorkRoute,
    Work,
    holding,
    runtime_of,
    tag,
)
from services.kernel.ids import OrgId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import onboarding, queries, verification
from services.parties.models import MemberDetails, Organization, VerificationStatus
from services.parties.policy import party_of, sees_all_of
from services.parties.schemas import (
    ChangedOrganization,
    OrganizationAnswer,
    OrganizationPage,
    ReasonsGiven,
    RegisteredAnswer,
    Registration,
)

onboarding_ = APIRouter(prefix="/v1", tags=["onboarding"], route_class=UnitOfWorkRoute)
organizations = APIRouter(prefix="/v1", tags=["organizations"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("organizations:read")]
Writes = Annotated[Actor, holding("organizations:write")]


@onboarding_.post("/organizations", status_code=201, summary="Register an organization")
async def register(registration: Registration, request: Request, work: Work, actor: Anybody) -> RegisteredAnswer:
    """Needs no credential. Answers the organization and its owner's first API key, whose secret is shown this once.

    In the sandbox the organization is verified at once; a live one hands in its documents, submits itself for review and
    acts for nobody until an operator has verified it.
    Refused with `role_not_open` for the role operator, and for verifier in live mode; with `vat_id_invalid` or `lei_invalid`
    for a number that cannot be one; with `live_not_served` (403) by a server of the sandbox alone.
    Causes `organization.registered`, `api_key.created` and, in the sandbox, `organization.verified`.
    """
    registered = await onboarding.register(
        work,
        registration.details,
        roles=list(dict.fromkeys(registration.roles)),
        owner=MemberDetails(name=registration.owner.name, email=registration.owner.email),
        livemode=registration.environment == "live",
        serves_live=runtime_of(request).settings.is_live,
    )
    return RegisteredAnswer.of(registered, await verification.facts_of(work, registered.organization))


async def _whole(work: UnitOfWork, organization: Organization, actor: Actor, answer: Response) -> OrganizationAnswer:
    tag(answer, organization.version)
    facts = await verification.facts_of(work, organization)
    return OrganizationAnswer.whole(organization, party_of(actor, organization), facts)


@organizations.get("/organizations", name="list", summary="List organizations")
async def list_organizations(
    work: Work,
    actor: Reads,
    paging: Paging,
    verification_status: Annotated[VerificationStatus | None, Query(description="e.g. in_review")] = None,
) -> OrganizationPage:
    """Your own; an operator's list holds everybody, newest first."""
    query = queries.organizations_visible_to(actor)
    if verification_status is not None:
        query = query.where(col(Organization.verification_status) == verification_status)
    rows, after = await rows_of(work, query, col(Organization.id), paging)
    facts = await verification.facts_of_every(work, rows)
    data = [OrganizationAnswer.whole(row, party_of(actor, row), facts[row.id]) for row in rows]
    return OrganizationPage(data=data, has_more=after is not None, next_cursor=after)


@organizations.get("/organizations/{organization_id}", summary="Read an organization")
async def get(organization_id: OrgId, work: Work, actor: Reads, answer: Response) -> OrganizationAnswer:
    """Your own organization whole; of any other its public face: id, legal name, country and roles."""
    found = await queries.organization(work, organization_id)
    if not sees_all_of(actor, found.id):
        return OrganizationAnswer.face(found)
    return await _whole(work, found, actor, answer)


@organizations.patch("/organizations/{organization_id}", name="update", summary="Change an organization")
async def update(
    organization_id: OrgId,
    changes: ChangedOrganization,
    work: Work,
    actor: Writes,
    matching: MustMatch,
    answer: Response,
) -> OrganizationAnswer:
    """Your own: legal identity, bank account and contacts. Needs If-Match (428 without).

    A verified live organization that changes `legal_name`, `vat_id`, `lei` or `iban` is in review again and begins nothing
    new until an operator has looked; what is under way goes on. While it is in review these cannot change
    (`identity_under_review`). Of an IBAN only its mask can be read afterwards. Refused with `vat_id_invalid`, `lei_invalid`
    or `iban_invalid` for a number that cannot be one, and with `organization_closed` for good.
    Causes `organization.updated` and, where it is in review again, `organization.submitted`.
    """
    changed = await onboarding.change(work, organization_id, changes, by=actor, check_version=matching.matches)
    return await _whole(work, changed, actor, answer)


@organizations.post(
    "/organizations/{organization_id}/submit", summary="Submit an organization for review", dependencies=[DryRun]
)
async def submit(
    organization_id: OrgId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """Your own, unverified or rejected, once every document that its roles are asked for is handed in; otherwise refused with
    `document_missing` or `document_expired` for each. Causes `organization.submitted`."""
    found = await verification.submit(work, organization_id, by=actor, check_version=matching.matches)
    return await _whole(work, found, actor, answer)


@organizations.post(
    "/organizations/{organization_id}/request_changes",
    summary="Request changes of an organization",
    dependencies=[DryRun],
)
async def request_changes(
    organization_id: OrgId, body: ReasonsGiven, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """An operator has open points: the organization mends them and submits itself again. Refused for everybody else.

    Causes `organization.changes_requested`.
    """
    found = await verification.request_changes(
        work, organization_id, reasons=body.told, by=actor, check_version=matching.matches
    )
    return await _whole(work, found, actor, answer)


@organizations.post("/organizations/{organization_id}/verify", summary="Verify an organization", dependencies=[DryRun])
async def verify(
    organization_id: OrgId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """An operator confirms who the organization in review is; its roles hold from then on. Refused for everybody else, and
    with `document_missing`, `document_under_review` or `document_expired` for each paper that was not accepted.

    Causes `organization.verified`.
    """
    found = await verification.verify(work, organization_id, by=actor, check_version=matching.matches)
    return await _whole(work, found, actor, answer)


@organizations.post("/organizations/{organization_id}/reject", summary="Reject an organization", dependencies=[DryRun])
async def reject(
    organization_id: OrgId, body: ReasonsGiven, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """An operator ends the review without a verification; submitted again, it begins anew. Refused for everybody else.

    Causes `organization.rejected`.
    """
    found = await verification.reject(
        work, organization_id, reasons=body.told, by=actor, check_version=matching.matches
    )
    return await _whole(work, found, actor, answer)


@organizations.post(
    "/organizations/{organization_id}/suspend", summary="Suspend an organization", dependencies=[DryRun]
)
async def suspend(
    organization_id: OrgId, body: ReasonsGiven, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """An operator locks its roles: it begins nothing new and finishes what is under way. Refused for everybody else.

    Causes `organization.suspended`.
    """
    found = await verification.suspend(
        work, organization_id, reasons=body.told, by=actor, check_version=matching.matches
    )
    return await _whole(work, found, actor, answer)


@organizations.post(
    "/organizations/{organization_id}/reinstate", summary="Reinstate an organization", dependencies=[DryRun]
)
async def reinstate(
    organization_id: OrgId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """An operator ends the suspension. Refused for everybody else, and for each paper that is not in force any more
    (`document_missing`, `document_under_review`, `document_expired`).

    Causes `organization.reinstated`.
    """
    found = await verification.reinstate(work, organization_id, by=actor, check_version=matching.matches)
    return await _whole(work, found, actor, answer)


@organizations.post("/organizations/{organization_id}/close", summary="Close an organization", dependencies=[DryRun])
async def close(
    organization_id: OrgId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> OrganizationAnswer:
    """For good, by its owner or an operator: it begins nothing any more. What is under way goes on to its end, and its
    credentials keep working for that. Causes `organization.closed`."""
    found = await verification.close(work, organization_id, by=actor, check_version=matching.matches)
    return await _whole(work, found, actor, answer)
