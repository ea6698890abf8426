"""The people of an organization."""

from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.ids import InvitationId, MemberId
from services.kernel.states import move
from services.kernel.tables import CheckVersion
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, queries, signing_in
from services.parties.errors import MemberExists
from services.parties.events import MemberJoined, MemberRemoved, MemberRoleChanged
from services.parties.models import MEMBER, Member, MemberDetails, MemberFacts
from services.parties.permissions import MemberRole
from services.parties.policy import must_be_of_the_house, must_carry


async def create(work: UnitOfWork, details: MemberDetails, *, role: MemberRole, by: Actor) -> Member:
    """Raises MemberExists when the address is a member's already, and RoleAboveYours."""
    must_be_of_the_house(by)
    must_carry(by, role)
    member = Member(
        livemode=work.livemode,
        created_at=work.now,
        org_id=by.org,
        name=details.name,
        email=details.email,
        role=role,
    )
    return await join(work, member)


async def join(work: UnitOfWork, member: Member, *, invitation_id: InvitationId | None = None) -> Member:
    """Takes the person in, whoever asked for it. Raises MemberExists."""
    if await queries.has_member(work, member.org_id, member.email):
        raise MemberExists(member.email)
    work.add(member)
    await work.session.flush()
    told = MemberJoined(
        member_id=member.id, organization_id=member.org_id, role=member.role, invitation_id=invitation_id
    )
    work.emit(told, subject=member.id, audience={member.org_id: "owner"})
    return member


async def change(
    work: UnitOfWork,
    member_id: MemberId,
    *,
    by: Actor,
    name: str | None,
    role: MemberRole | None,
    check_version: CheckVersion,
) -> Member:
    """None leaves as it is. Raises RoleAboveYours for a role above the caller's, old or new, and Blocked for the last owner."""
    member, facts = await _colleague(work, member_id, by, check_version)
    MEMBER.find("change_role", member.status)
    if role is not None and role != member.role:
        _change_role(work, member, role, facts, by)
    if name is not None and name != member.name:
        member.name = name
        member.version += 1
    return member


def _change_role(work: UnitOfWork, member: Member, role: MemberRole, facts: MemberFacts, by: Actor) -> None:
    must_carry(by, member.role)
    must_carry(by, role)
    moved = move(MEMBER, member, "change_role", by="colleague", facts=facts)
    told = MemberRoleChanged(member_id=member.id, organization_id=member.org_id, old_role=member.role, new_role=role)
    member.role = role
    work.emit(told, subject=member.id, audience={member.org_id: "owner"}, moved=moved)


async def remove(work: UnitOfWork, member_id: MemberId, *, by: Actor, check_version: CheckVersion) -> Member:
    """From the commit on his keys and sessions open nothing. Raises RoleAboveYours, and Blocked for the last owner."""
    member, facts = await _colleague(work, member_id, by, check_version)
    must_carry(by, member.role)
    moved = move(MEMBER, member, "remove", by="colleague", facts=facts)
    member.removed_at, member.password_hash, member.password_set_at = work.now, None, None
    revoked = [api_keys.withdraw(work, key) for key in await queries.open_keys_of_for_update(work, member.id)]
    await signing_in.end_all(work, member.id)
    told = MemberRemoved(
        member_id=member.id,
        organization_id=member.org_id,
        removed_at=work.now,
        revoked_key_ids=[key.id for key in revoked],
    )
    work.emit(told, subject=member.id, audience={member.org_id: "owner"}, moved=moved)
    return member


async def _colleague(
    work: UnitOfWork, member_id: MemberId, by: Actor, check_version: CheckVersion
) -> tuple[Member, MemberFacts]:
    must_be_of_the_house(by)
    member, owners = await queries.member_among_owners_for_update(work, member_id, by)
    if member.org_id != by.org:
        raise Forbidden("Only the organization's own members do this.")
    check_version(member.version)
    return member, MemberFacts(owners)
