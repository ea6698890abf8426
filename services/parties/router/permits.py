"""HTTP of permits."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import PermitId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import permits as papers
from services.parties import queries
from services.parties.models import Permit
from services.parties.schemas import (
    NewPermit,
    PermitAnswer,
    PermitPage,
)

permits = APIRouter(prefix="/v1", tags=["permits"], route_class=UnitOfWorkRoute)


async def _told(work: UnitOfWork, permit: Permit, actor: Actor, answer: Response) -> PermitAnswer:
    tag(answer, permit.version)
    return PermitAnswer.of(permit, (await queries.scopes_of(work, [permit.id]))[permit.id], _party(actor, permit))


def _party(actor: Actor, permit: Permit) -> str:
    return "owner" if actor.org_id == permit.org_id else "operator"


@permits.post("/permits", name="create", status_code=201, summary="Add a permit")
async def create_permit(
    permit: NewPermit, work: Work, actor: Annotated[Actor, holding("permits:write")], answer: Response
) -> PermitAnswer:
    """A permit with its scopes. Refused when a code or operation is unknown (`waste_code_malformed`, `operation_unknown`,
    `operations_do_not_fit`), when it ends before it begins (`ends_before_it_begins`), or is registered already
    (`permit_exists`).

    A treatment permit with a `site_id` covers what is treated there alone. `document_id` names its copy among your documents.
    Causes `permit.added`, and `permit.expiring` 60, 30 and 7 days before it ends with `permit.expired`.
    """
    scopes = [scope.details for scope in permit.scopes]
    added = await papers.add(work, permit.details, kind=permit.kind, scopes=scopes, by=actor)
    return await _told(work, added, actor, answer)


@permits.get("/permits", name="list", summary="List permits")
async def list_permits(work: Work, actor: Annotated[Actor, holding("permits:read")], paging: Paging) -> PermitPage:
    """Your organization's permits, newest first."""
    rows, after = await rows_of(work, queries.permits_visible_to(actor), col(Permit.id), paging)
    scopes = await queries.scopes_of(work, [row.id for row in rows])
    data = [PermitAnswer.of(row, scopes[row.id], _party(actor, row)) for row in rows]
    return PermitPage(data=data, has_more=after is not None, next_cursor=after)


@permits.get("/permits/{permit_id}", name="get", summary="Read a permit")
async def get_permit(
    permit_id: PermitId, work: Work, actor: Annotated[Actor, holding("permits:read")], answer: Response
) -> PermitAnswer:
    """One of your organization's permits."""
    return await _told(work, await queries.permit(work, permit_id, actor), actor, answer)


@permits.post("/permits/{permit_id}/withdraw", summary="Withdraw a permit", dependencies=[DryRun])
async def withdraw(
    permit_id: PermitId,
    work: Work,
    actor: Annotated[Actor, holding("permits:write")],
    matching: Matching,
    answer: Response,
) -> PermitAnswer:
    """From today on (UTC) it covers nothing; what was done under it before stays covered. Its number may be registered anew.
    Refused once it has expired or was withdrawn. Causes `permit.withdrawn`."""
    withdrawn = await papers.withdraw(work, permit_id, by=actor, check_version=matching.matches)
    return await _told(work, withdrawn, actor, answer)
