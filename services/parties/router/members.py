"""HTTP of members."""

from typing import Annotated

from fastapi import APIRouter
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding
from services.kernel.pagination import Paging, rows_of
from services.parties import members as people
from services.parties import queries
from services.parties.models import Member
from services.parties.schemas import (
    MemberAnswer,
    MemberPage,
    NewMember,
)

members = APIRouter(prefix="/v1", tags=["members"], route_class=UnitOfWorkRoute)


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
