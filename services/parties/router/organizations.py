"""HTTP of organizations."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.kernel.actors import Actor
from services.kernel.http.routing import Anybody, DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import OrgId
from services.parties import onboarding, queries, verification
from services.parties.models import MemberDetails
from services.parties.policy import party_of, sees_all_of
from services.parties.schemas import (
    OrganizationAnswer,
    RegisteredAnswer,
    Registration,
)

onboarding_ = APIRouter(prefix="/v1", tags=["onboarding"], route_class=UnitOfWorkRoute)
organizations = APIRouter(prefix="/v1", tags=["organizations"], route_class=UnitOfWorkRoute)


@onboarding_.post("/organizations", status_code=201, summary="Register an organization")
async def register(registration: Registration, work: Work, actor: Anybody) -> RegisteredAnswer:
    """Needs no credential. Answers the organization and its owner's first API key, whose secret is shown this once.

    In the sandbox the organization is verified at once; a live one acts for nobody until an operator has verified it.
    Refused with `role_not_open` for the role operator, and for verifier in live mode.
    Causes `organization.registered`, `api_key.created` and, in the sandbox, `organization.verified`.
    """
    registered = await onboarding.register(
        work,
        registration.details,
        roles=list(dict.fromkeys(registration.roles)),
        owner=MemberDetails(name=registration.owner.name, email=registration.owner.email),
        livemode=registration.environment == "live",
    )
    return RegisteredAnswer.of(registered)


@organizations.get("/organizations/{organization_id}", summary="Read an organization")
async def get(
    organization_id: OrgId, work: Work, actor: Annotated[Actor, holding("organizations:read")], answer: Response
) -> OrganizationAnswer:
    """Your own organization whole; of any other its public face: id, legal name, country and roles."""
    found = await queries.organization(work, organization_id)
    if not sees_all_of(actor, found.id):
        return OrganizationAnswer.face(found)
    tag(answer, found.version)
    return OrganizationAnswer.whole(found, party_of(actor, found))


@organizations.post("/organizations/{organization_id}/verify", summary="Verify an organization", dependencies=[DryRun])
async def verify(
    organization_id: OrgId,
    work: Work,
    actor: Annotated[Actor, holding("organizations:write")],
    matching: Matching,
    answer: Response,
) -> OrganizationAnswer:
    """An operator confirms who the organization is; its roles hold from then on. Refused for everybody else.

    Causes `organization.verified`.
    """
    found = await verification.verify(work, organization_id, by=actor, check_version=matching.matches)
    tag(answer, found.version)
    return OrganizationAnswer.whole(found, party_of(actor, found))
