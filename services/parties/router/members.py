"""HTTP of members."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import MemberId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import members as people
from services.parties import queries, signing_in
from services.parties.models import Member
from services.parties.schemas import ChangedMember, MemberAnswer, MemberPage, NewMember, NewPassword

members = APIRouter(prefix="/v1", tags=["members"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("members:read")]
Writes = Annotated[Actor, holding("members:write")]


async def _told(work: UnitOfWork, member: Member, actor: Actor, answer: Response) -> MemberAnswer:
    tag(answer, member.version)
    return MemberAnswer.of(member, actor, await queries.owners(work, actor.org))


@members.post("/members", name="create", status_code=201, summary="Add a member")
async def create_member(member: NewMember, work: Work, actor: Writes, answer: Response) -> MemberAnswer:
    """A person who acts for your organization, without a way to sign in: create a key for them, or invite them instead.

    Refused with `member_exists` when the e-mail address is a member's already, and with `role_above_yours` for a role that
    may do more than your credential. Causes `member.joined`.
    """
    return await _told(work, await people.create(work, member, role=member.role, by=actor), actor, answer)


@members.get("/members", name="list", summary="List members")
async def list_members(
    work: Work,
    actor: Reads,
    paging: Paging,
    removed: Annotated[bool, Query(description="Those who have gone, instead of those who are there")] = False,
) -> MemberPage:
    """Your organization's members, newest first."""
    status = "removed" if removed else "active"
    query = queries.members_visible_to(actor).where(col(Member.status) == status)
    rows, after = await rows_of(work, query, col(Member.id), paging)
    owners = await queries.owners(work, actor.org)
    data = [MemberAnswer.of(row, actor, owners) for row in rows]
    return MemberPage(data=data, has_more=after is not None, next_cursor=after)


@members.get("/members/{member_id}", name="get", summary="Read a member")
async def get_member(member_id: MemberId, work: Work, actor: Reads, answer: Response) -> MemberAnswer:
    """One of your organization's members, also one who has gone."""
    return await _told(work, await queries.visible_member(work, member_id, actor), actor, answer)


@members.patch("/members/{member_id}", name="update", summary="Change a member")
async def update(
    member_id: MemberId, changes: ChangedMember, work: Work, actor: Writes, matching: Matching, answer: Response
) -> MemberAnswer:
    """Name and role; what a role loses, the member's keys and sessions lose at once.

    Refused with `role_above_yours` where the old or the new role may do more than your credential, and with `last_owner` (409)
    for the only owner left. Causes `member.role_changed`.
    """
    changed = await people.change(
        work, member_id, by=actor, name=changes.name, role=changes.role, check_version=matching.matches
    )
    return await _told(work, changed, actor, answer)


@members.post("/members/{member_id}/remove", name="remove", summary="Remove a member", dependencies=[DryRun])
async def remove_member(
    member_id: MemberId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> MemberAnswer:
    """The member's keys and sessions open nothing from now on; the e-mail address may be invited anew.

    Refused with `role_above_yours` for a member who may do more than your credential, and with `last_owner` (409) for the only
    owner left. Causes `member.removed` and, for each key, `api_key.revoked`.
    """
    return await _told(
        work, await people.remove(work, member_id, by=actor, check_version=matching.matches), actor, answer
    )


@members.post("/members/me/password", name="set_password", summary="Set your password")
async def set_password(
    new: NewPassword, work: Work, actor: Annotated[Actor, holding("organizations:read")], answer: Response
) -> MemberAnswer:
    """Your own, to sign in with; your other sessions end. Needs a session that is younger than 15 minutes, so that nobody who
    finds a screen unlocked takes the account over; a first password is also set with a key that carries your whole role and
    does not expire. Refused with `sign_in_again` otherwise, and with `not_for_delegates` under a delegation.
    """
    return await _told(work, await signing_in.set_password(work, new.password, by=actor), actor, answer)
