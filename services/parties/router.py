"""HTTP of the parties."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import Anybody, DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import KeyId, OrgId, PermitId, SiteId
from services.kernel.pagination import Paging, rows_of
from services.parties import api_keys as keys
from services.parties import members as people
from services.parties import onboarding, queries, verification
from services.parties import permits as papers
from services.parties import sites as places
from services.parties.models import ApiKey, Member, MemberDetails, Permit, Site
from services.parties.policy import party_of, sees_all_of
from services.parties.schemas import (
    ApiKeyAnswer,
    ApiKeyPage,
    IssuedKeyAnswer,
    MemberAnswer,
    MemberPage,
    NewApiKey,
    NewMember,
    NewPermit,
    NewSite,
    OrganizationAnswer,
    PermitAnswer,
    PermitPage,
    RegisteredAnswer,
    Registration,
    SiteAnswer,
    SitePage,
)

onboarding_ = APIRouter(prefix="/v1", tags=["onboarding"], route_class=UnitOfWorkRoute)
organizations = APIRouter(prefix="/v1", tags=["organizations"], route_class=UnitOfWorkRoute)
sites = APIRouter(prefix="/v1", tags=["sites"], route_class=UnitOfWorkRoute)
members = APIRouter(prefix="/v1", tags=["members"], route_class=UnitOfWorkRoute)
api_keys = APIRouter(prefix="/v1", tags=["api_keys"], route_class=UnitOfWorkRoute)
permits = APIRouter(prefix="/v1", tags=["permits"], route_class=UnitOfWorkRoute)
routers = [onboarding_, organizations, sites, members, api_keys, permits]


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


@sites.post("/sites", status_code=201, summary="Add a site")
async def create(site: NewSite, work: Work, actor: Annotated[Actor, holding("sites:write")]) -> SiteAnswer:
    """A place of your organization. Refused when the time zone is not IANA's or the place closes before it opens."""
    return SiteAnswer.of(await places.create(work, site, by=actor))


@sites.get("/sites", summary="List sites")
async def list_(work: Work, actor: Annotated[Actor, holding("sites:read")], paging: Paging) -> SitePage:
    """Your organization's sites, newest first."""
    rows, after = await rows_of(work, queries.sites_visible_to(actor), col(Site.id), paging)
    return SitePage(data=[SiteAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@sites.get("/sites/{site_id}", name="get", summary="Read a site")
async def get_site(site_id: SiteId, work: Work, actor: Annotated[Actor, holding("sites:read")]) -> SiteAnswer:
    """One of your organization's sites."""
    return SiteAnswer.of(await queries.visible_site(work, site_id, actor))


@members.post("/members", name="create", status_code=201, summary="Add a member")
async def create_member(
    member: NewMember, work: Work, actor: Annotated[Actor, holding("members:write")]
) -> MemberAnswer:
    """A person who acts for your organization. Refused when the e-mail address is a member's already."""
    return MemberAnswer.of(await people.create(work, member, role=member.role, by=actor))


@members.get("/members", name="list", summary="List members")
async def list_members(work: Work, actor: Annotated[Actor, holding("members:read")], paging: Paging) -> MemberPage:
    """Your organization's members, newest first."""
    rows, after = await rows_of(work, queries.members_visible_to(actor), col(Member.id), paging)
    return MemberPage(data=[MemberAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@api_keys.post("/api-keys", name="create", status_code=201, summary="Create an API key")
async def create_key(key: NewApiKey, work: Work, actor: Annotated[Actor, holding("api_keys:write")]) -> IssuedKeyAnswer:
    """The secret is shown this once. Refused with `scopes_not_held` for a scope that you or the member do not hold.

    To rotate a key, create the next one, change over, then revoke the old one. Causes `api_key.created`.
    """
    issued = await keys.create(
        work, by=actor, name=key.name, scopes=key.scopes, expires_at=key.expires_at, member_id=key.member_id
    )
    return IssuedKeyAnswer.issued(issued)


@api_keys.get("/api-keys", name="list", summary="List API keys")
async def list_keys(work: Work, actor: Annotated[Actor, holding("api_keys:read")], paging: Paging) -> ApiKeyPage:
    """Your organization's keys, newest first, revoked and expired ones included, secrets never."""
    rows, after = await rows_of(work, queries.api_keys_visible_to(actor), col(ApiKey.id), paging)
    return ApiKeyPage(data=[ApiKeyAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@api_keys.post("/api-keys/{api_key_id}/revoke", summary="Revoke an API key", dependencies=[DryRun])
async def revoke(api_key_id: KeyId, work: Work, actor: Annotated[Actor, holding("api_keys:write")]) -> ApiKeyAnswer:
    """The key opens nothing from now on, the one you call with included. Refused when it was revoked before.

    Causes `api_key.revoked`.
    """
    return ApiKeyAnswer.of(await keys.revoke(work, api_key_id, by=actor))


@permits.post("/permits", name="create", status_code=201, summary="Add a permit")
async def create_permit(
    permit: NewPermit, work: Work, actor: Annotated[Actor, holding("permits:write")]
) -> PermitAnswer:
    """A permit with its scopes. Refused when a code or operation is unknown, or the permit is registered already.

    Causes `permit.added`.
    """
    scopes = [scope.details for scope in permit.scopes]
    added = await papers.add(work, permit.details, kind=permit.kind, scopes=scopes, by=actor)
    return PermitAnswer.of(added, (await queries.scopes_of(work, [added.id]))[added.id])


@permits.get("/permits", name="list", summary="List permits")
async def list_permits(work: Work, actor: Annotated[Actor, holding("permits:read")], paging: Paging) -> PermitPage:
    """Your organization's permits, newest first."""
    rows, after = await rows_of(work, queries.permits_visible_to(actor), col(Permit.id), paging)
    scopes = await queries.scopes_of(work, [row.id for row in rows])
    data = [PermitAnswer.of(row, scopes[row.id]) for row in rows]
    return PermitPage(data=data, has_more=after is not None, next_cursor=after)


@permits.get("/permits/{permit_id}", name="get", summary="Read a permit")
async def get_permit(permit_id: PermitId, work: Work, actor: Annotated[Actor, holding("permits:read")]) -> PermitAnswer:
    """One of your organization's permits."""
    found = await queries.permit(work, permit_id, actor)
    return PermitAnswer.of(found, (await queries.scopes_of(work, [found.id]))[found.id])
