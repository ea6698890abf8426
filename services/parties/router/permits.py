"""HTTP of permits."""

from typing import Annotated

from fastapi import APIRouter
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding
from services.kernel.ids import PermitId
from services.kernel.pagination import Paging, rows_of
from services.parties import permits as papers
from services.parties import queries
from services.parties.models import Permit
from services.parties.schemas import (
    NewPermit,
    PermitAnswer,
    PermitPage,
)

permits = APIRouter(prefix="/v1", tags=["permits"], route_class=UnitOfWorkRoute)


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
