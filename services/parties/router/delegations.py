"""HTTP of delegations."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import DelegationId
from services.kernel.pagination import Paging, rows_of
from services.parties import delegating, queries
from services.parties.models import Delegation
from services.parties.schemas import DelegationAnswer, DelegationPage, NewDelegation

delegations = APIRouter(prefix="/v1", tags=["delegations"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("delegations:read")]
Writes = Annotated[Actor, holding("delegations:write")]


@delegations.post("/delegations", name="create", status_code=201, summary="Let another organization act for you")
async def create_delegation(delegation: NewDelegation, work: Work, actor: Writes, answer: Response) -> DelegationAnswer:
    """From `valid_from` until `valid_until` the grantee's credentials act for you with `Backhaul-Account: <your id>`, within
    these scopes and within their own. Of several delegations that hold, the newest counts. A delegate does not delegate.

    Refused with `scopes_not_held` for a scope that your credential does not carry; with `never_delegated`,
    `not_bound_to_a_site`, `organization_not_found`, `site_not_found`, `grantee_is_grantor` or `ends_before_it_begins` for terms
    that cannot be; with `outlives_its_maker` where your key expires sooner. Causes `delegation.granted`.
    """
    granted = await delegating.grant(work, delegation.terms, by=actor)
    tag(answer, granted.version)
    return DelegationAnswer.of(granted, actor)


@delegations.get("/delegations", name="list", summary="List delegations")
async def list_delegations(work: Work, actor: Reads, paging: Paging) -> DelegationPage:
    """Those you have given and those you hold, newest first, whatever became of them."""
    rows, after = await rows_of(work, queries.delegations_visible_to(actor), col(Delegation.id), paging)
    data = [DelegationAnswer.of(row, actor) for row in rows]
    return DelegationPage(data=data, has_more=after is not None, next_cursor=after)


@delegations.get("/delegations/{delegation_id}", name="get", summary="Read a delegation")
async def get_delegation(delegation_id: DelegationId, work: Work, actor: Reads, answer: Response) -> DelegationAnswer:
    """One that you have given or that you hold."""
    found = await queries.delegation(work, delegation_id, actor)
    tag(answer, found.version)
    return DelegationAnswer.of(found, actor)


@delegations.post(
    "/delegations/{delegation_id}/revoke", name="revoke", summary="End a delegation", dependencies=[DryRun]
)
async def revoke_delegation(
    delegation_id: DelegationId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DelegationAnswer:
    """By either side; from now on the grantee acts for the grantor no more. Causes `delegation.revoked`."""
    revoked = await delegating.revoke(work, delegation_id, by=actor, check_version=matching.matches)
    tag(answer, revoked.version)
    return DelegationAnswer.of(revoked, actor)
