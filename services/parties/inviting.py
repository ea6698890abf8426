"""How a person joins an organization: a token shown once to who invites, good for fourteen days of market time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.ids import InvitationId
from services.kernel.states import move
from services.kernel.tables import CheckVersion
from services.kernel.timers import cancel, schedule, timer
from services.kernel.unit_of_work import UnitOfWork
from services.parties import members, passwords, queries, signing_in
from services.parties.errors import InvitationPending, InvitationUnknown, LiveNotServed, MemberExists
from services.parties.models import INVITATION, Invitation, Member
from services.parties.permissions import MemberRole
from services.parties.policy import must_be_of_the_house, must_carry
from services.parties.signing_in import Started

PREFIX = "bhi_"
LASTS = timedelta(days=14)
EXPIRE = "invitation.expire"


@dataclass(frozen=True)
class Invited:
    """`token` is for who is invited; it is never seen again."""

    invitation: Invitation
    token: str


@dataclass(frozen=True)
class Accepted:
    """`started` where a password was set: the member is signed in."""

    invitation: Invitation
    member: Member
    started: Started | None


async def invite(work: UnitOfWork, *, by: Actor, email: str, name: str | None, role: MemberRole) -> Invited:
    """Raises RoleAboveYours, MemberExists, and InvitationPending for who was invited before."""
    must_be_of_the_house(by)
    must_carry(by, role)
    assert by.member_id is not None, "who is of the house is a member"
    if await queries.has_member(work, by.org, email):
        raise MemberExists(email)
    if await queries.is_invited(work, by.org, email):
        raise InvitationPending(email)
    token = PREFIX + secrets.token_hex(32)
    invitation = Invitation(
        livemode=work.livemode,
        created_at=work.now,
        org_id=by.org,
        email=email,
        name=name,
        role=role,
        token_hash=_hash(token),
        invited_by=by.member_id,
        expires_at=work.now + LASTS,
    )
    work.add(invitation)
    await schedule(work, EXPIRE, invitation.id, invitation.expires_at)
    return Invited(invitation, token)


async def revoke(
    work: UnitOfWork, invitation_id: InvitationId, *, by: Actor, check_version: CheckVersion
) -> Invitation:
    """From the commit on the token opens nothing."""
    must_be_of_the_house(by)
    invitation = await queries.invitation_for_update(work, invitation_id, by)
    check_version(invitation.version)
    move(INVITATION, invitation, "revoke", by="colleague" if invitation.org_id == by.org_id else "stranger")
    await cancel(work, EXPIRE, invitation.id)
    return invitation


async def accept(
    work: UnitOfWork, *, token: str, name: str | None, password: str | None, serves_live: bool
) -> Accepted:
    """Raises InvitationUnknown, LiveNotServed, Blocked after its time, TransitionNotPossible the second time, MemberExists."""
    invitation = await _shown(work, token, serves_live=serves_live)
    called = name or invitation.name
    if called is None:
        raise invalid("/name", "name_needed", "The invitation names nobody; say your name.")
    password_hash = await passwords.hashed(password) if password is not None else None
    invitation = await _locked(work, invitation.token_hash)
    member = Member(
        livemode=work.livemode,
        created_at=work.now,
        org_id=invitation.org_id,
        name=called,
        email=invitation.email,
        role=invitation.role,
        password_hash=password_hash,
        password_set_at=work.now if password_hash else None,
    )
    await members.join(work, member, invitation_id=invitation.id)
    move(INVITATION, invitation, "accept", by="invited", facts=work.now)
    invitation.member_id = member.id
    work.trail.is_of(member.org_id, member.id)
    await cancel(work, EXPIRE, invitation.id)
    return Accepted(invitation, member, signing_in.issue(work, member) if password_hash else None)


async def _shown(work: UnitOfWork, token: str, *, serves_live: bool) -> Invitation:
    """Read without a lock, for the hash of the password takes its time."""
    async with work.as_house(of_both=True):
        invitation = await queries.invitation_of(work, _hash(token))
    if invitation is None:
        raise InvitationUnknown()
    if invitation.livemode and not serves_live:
        raise LiveNotServed()
    await work.act_as(Actor(kind="anonymous", livemode=invitation.livemode, org_id=invitation.org_id))
    INVITATION.find("accept", invitation.status)
    return invitation


async def _locked(work: UnitOfWork, token_hash: bytes) -> Invitation:
    invitation = await queries.invitation_of(work, token_hash, lock=True)
    assert invitation is not None, "invitations are not deleted"
    INVITATION.find("accept", invitation.status)
    return invitation


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@timer(EXPIRE)
async def expire(work: UnitOfWork, invitation_id: str) -> None:
    invitation = await queries.invitation_for_update(work, InvitationId(invitation_id), work.actor)
    move(INVITATION, invitation, "expire", by="time")
