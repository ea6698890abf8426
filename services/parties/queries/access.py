"""Who comes in: members, invitations, sessions, API keys and delegations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.ids import DelegationId, InvitationId, KeyId, MemberId, OrgId, SessionId
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import ApiKey, Delegation, Invitation, Member, MemberSession, Organization, SignInFailure
from services.parties.queries.finding import one, seen_by


async def member(work: UnitOfWork, member_id: MemberId, org_id: OrgId) -> Member:
    """Who has gone is not found."""
    query = select(Member).where(
        col(Member.id) == member_id, col(Member.livemode) == work.livemode, *_members_of(org_id)
    )
    return await one(work, query, "member", member_id)


async def visible_member(work: UnitOfWork, member_id: MemberId, actor: Actor) -> Member:
    """Also one who has gone."""
    return await one(work, members_visible_to(actor).where(col(Member.id) == member_id), "member", member_id)


async def has_member(work: UnitOfWork, org_id: OrgId, email: str) -> bool:
    query = select(col(Member.id)).where(col(Member.email) == email, *_members_of(org_id))
    return (await work.session.execute(query)).first() is not None


def members_visible_to(actor: Actor) -> Select[Member]:
    return select(Member).where(*seen_by(Member, actor))


async def owners(work: UnitOfWork, org_id: OrgId) -> frozenset[str]:
    query = select(col(Member.id)).where(col(Member.role) == "owner", *_members_of(org_id))
    return frozenset((await work.session.execute(query)).scalars())


async def member_among_owners_for_update(
    work: UnitOfWork, member_id: MemberId, actor: Actor
) -> tuple[Member, frozenset[str]]:
    """The member and the owners who are still there, locked in the order of their ids: two who go at once see each other go."""
    found = await visible_member(work, member_id, actor)
    query = select(Member).where(
        col(Member.org_id) == found.org_id,
        or_(col(Member.id) == member_id, and_(col(Member.role) == "owner", col(Member.status) == "active")),
    )
    locked = query.order_by(col(Member.id)).with_for_update(key_share=True).execution_options(populate_existing=True)
    rows = (await work.session.execute(locked)).scalars().all()
    there = frozenset(row.id for row in rows if row.role == "owner" and row.status == "active")
    return next(row for row in rows if row.id == member_id), there


def _members_of(org_id: OrgId) -> list[ColumnElement[bool]]:
    return [col(Member.org_id) == org_id, col(Member.status) == "active"]


async def members_who_sign_in(
    work: UnitOfWork, email: str, *, livemode: bool, org_id: OrgId | None
) -> Sequence[Member]:
    """Those of this address who have a password."""
    query = select(Member).where(
        col(Member.email) == email,
        col(Member.livemode) == livemode,
        col(Member.status) == "active",
        col(Member.password_hash).is_not(None),
    )
    if org_id is not None:
        query = query.where(col(Member.org_id) == org_id)
    return (await work.session.execute(query)).scalars().all()


async def signed_in(work: UnitOfWork, session_id: SessionId) -> tuple[MemberSession, Member, Organization] | None:
    """A session with whom it stands for, of either environment."""
    query = (
        select(MemberSession, Member, Organization)
        .join(Member, col(Member.id) == col(MemberSession.member_id))
        .join(Organization, col(Organization.id) == col(MemberSession.org_id))
        .where(col(MemberSession.id) == session_id)
    )
    row = (await work.session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def session_for_update(work: UnitOfWork, session_id: SessionId) -> MemberSession:
    query = select(MemberSession).where(col(MemberSession.id) == session_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "session", session_id)


async def invitation_for_update(work: UnitOfWork, invitation_id: InvitationId, actor: Actor) -> Invitation:
    query = invitations_visible_to(actor).where(col(Invitation.id) == invitation_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "invitation", invitation_id)


async def invitation_of(work: UnitOfWork, token_hash: bytes, *, lock: bool = False) -> Invitation | None:
    """Of either environment."""
    query = select(Invitation).where(col(Invitation.token_hash) == token_hash)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.execute(query)).scalar_one_or_none()


async def sign_in_failure(work: UnitOfWork, address_hash: bytes, *, lock: bool = False) -> SignInFailure | None:
    query = select(SignInFailure).where(
        col(SignInFailure.address_hash) == address_hash, col(SignInFailure.livemode) == work.livemode
    )
    if lock:
        query = query.with_for_update()
    return (await work.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def is_invited(work: UnitOfWork, org_id: OrgId, email: str) -> bool:
    query = select(col(Invitation.id)).where(
        col(Invitation.org_id) == org_id, col(Invitation.email) == email, col(Invitation.status) == "pending"
    )
    return (await work.session.execute(query)).first() is not None


def invitations_visible_to(actor: Actor) -> Select[Invitation]:
    return select(Invitation).where(*seen_by(Invitation, actor))


async def credential(work: UnitOfWork, key_id: KeyId) -> tuple[ApiKey, Member, Organization] | None:
    """A key with whom it stands for, of either environment."""
    query = (
        select(ApiKey, Member, Organization)
        .join(Member, col(Member.id) == col(ApiKey.member_id))
        .join(Organization, col(Organization.id) == col(ApiKey.org_id))
        .where(col(ApiKey.id) == key_id)
    )
    row = (await work.session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def api_key(work: UnitOfWork, key_id: KeyId, actor: Actor) -> ApiKey:
    return await one(work, api_keys_visible_to(actor).where(col(ApiKey.id) == key_id), "API key", key_id)


async def open_keys_of_for_update(work: UnitOfWork, member_id: MemberId) -> Sequence[ApiKey]:
    """Not revoked, locked in the order of their ids."""
    query = select(ApiKey).where(col(ApiKey.member_id) == member_id, col(ApiKey.revoked_at).is_(None))
    locked = query.order_by(col(ApiKey.id)).with_for_update(key_share=True)
    return (await work.session.execute(locked.execution_options(populate_existing=True))).scalars().all()


async def api_key_for_update(work: UnitOfWork, key_id: KeyId, actor: Actor) -> ApiKey:
    query = api_keys_visible_to(actor).where(col(ApiKey.id) == key_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "API key", key_id)


def api_keys_visible_to(actor: Actor) -> Select[ApiKey]:
    """Operators too see only their own."""
    return select(ApiKey).where(col(ApiKey.org_id) == actor.org_id, col(ApiKey.livemode) == actor.livemode)


async def delegation(work: UnitOfWork, delegation_id: DelegationId, actor: Actor) -> Delegation:
    query = delegations_visible_to(actor).where(col(Delegation.id) == delegation_id)
    return await one(work, query, "delegation", delegation_id)


async def delegation_for_update(work: UnitOfWork, delegation_id: DelegationId, actor: Actor) -> Delegation:
    query = delegations_visible_to(actor).where(col(Delegation.id) == delegation_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "delegation", delegation_id)


def delegations_visible_to(actor: Actor) -> Select[Delegation]:
    """Both sides, and operators."""
    query = select(Delegation).where(col(Delegation.livemode) == actor.livemode)
    if actor.is_operator:
        return query
    return query.where(or_(col(Delegation.grantor_id) == actor.org_id, col(Delegation.grantee_id) == actor.org_id))


async def grant(
    work: UnitOfWork, grantor_id: OrgId, grantee_id: OrgId, *, livemode: bool, now: datetime
) -> tuple[Delegation, Organization] | None:
    """The newest delegation that holds now, with whom it lets act."""
    query = (
        select(Delegation, Organization)
        .join(Organization, col(Organization.id) == col(Delegation.grantor_id))
        .where(
            col(Delegation.grantor_id) == grantor_id,
            col(Delegation.grantee_id) == grantee_id,
            col(Delegation.livemode) == livemode,
            col(Delegation.status) == "active",
            col(Delegation.valid_from) <= now,
            col(Delegation.valid_until) > now,
        )
        .order_by(col(Delegation.id).desc())
        .limit(1)
    )
    row = (await work.session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])
