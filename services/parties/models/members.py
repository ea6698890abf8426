"""The people of an organization, those it has asked to join, and how they sign in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.kernel.errors import Reason
from services.kernel.ids import InvitationId, MemberId, OrgId, SessionId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned
from services.parties.models.fields import Email, Name

_IS_A_ROLE = "role IN ('owner', 'manager', 'operator', 'driver', 'viewer')"


class MemberDetails(SQLModel):
    name: Name
    email: Email


class Member(MemberDetails, Versioned, table=True):
    """A person of an organization; `role` is a row of `permissions.ROLES`. An address is free again once its member has gone."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint(_IS_A_ROLE, name="role"),
        CheckConstraint("status IN ('active', 'removed')", name="status"),
        CheckConstraint("(status = 'removed') = (removed_at IS NOT NULL)", name="removed_at"),
        Index("uq_member_org_id_email", "org_id", "email", unique=True, postgresql_where=text("status = 'active'")),
        Index("ix_member_email", "email"),
    )

    id: MemberId = Field(default_factory=MemberId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    role: str
    status: str = "active"
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
    password_hash: str | None = None
    password_set_at: datetime | None = Field(default=None, sa_type=Instant)


@dataclass(frozen=True)
class MemberFacts:
    """`owners` are the ids of the organization's owners who are still there."""

    owners: frozenset[str]


def _another_owner_stays(member: Member, facts: MemberFacts) -> Iterable[Reason]:
    if facts.owners == {member.id}:
        yield Reason("last_owner", "An organization has an owner; make another member one first.")


MEMBER = Machine(
    "member",
    Transition("change_role", ("active",), None, ("colleague",), (_another_owner_stays,), endpoint=False),
    Transition("remove", ("active",), "removed", ("colleague",), (_another_owner_stays,)),
)


class Invitation(Versioned, table=True):
    """`token_hash` is the SHA-256 of what is shown once; `member_id` is who came."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint(_IS_A_ROLE, name="role"),
        CheckConstraint("status IN ('pending', 'accepted', 'revoked', 'expired')", name="status"),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("(status = 'accepted') = (member_id IS NOT NULL)", name="member_id"),
        UniqueConstraint("token_hash"),
        Index(
            "uq_invitation_org_id_email", "org_id", "email", unique=True, postgresql_where=text("status = 'pending'")
        ),
    )

    id: InvitationId = Field(default_factory=InvitationId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    email: str
    name: str | None = None
    role: str
    status: str = "pending"
    token_hash: bytes
    invited_by: MemberId = Field(foreign_key="member.id")
    member_id: MemberId | None = Field(default=None, foreign_key="member.id")
    expires_at: datetime = Field(sa_type=Instant)


def _is_in_time(invitation: Invitation, now: datetime) -> Iterable[Reason]:
    if invitation.expires_at <= now:
        yield Reason("invitation_expired", f"It was good until {invitation.expires_at.isoformat()}.")


INVITATION = Machine(
    "invitation",
    Transition("accept", ("pending",), "accepted", ("invited",), (_is_in_time,), endpoint=False),
    Transition("revoke", ("pending",), "revoked", ("colleague",)),
    Transition("expire", ("pending",), "expired", ("time",), endpoint=False),
)


class MemberSession(Row, table=True):
    """A person signed in with a password, until `expires_at` or `ended_at`."""

    __tablename__ = "member_session"
    __table_args__ = (CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),)

    id: SessionId = Field(default_factory=SessionId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    member_id: MemberId = Field(foreign_key="member.id", index=True)
    secret_hash: bytes
    expires_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class SignInFailure(Row, table=True):
    """Wrong passwords in a row for an address of an organization, known or not; the address itself is not kept."""

    __tablename__ = "sign_in_failure"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("octet_length(address_hash) = 32", name="address_hash"),
        Index("ix_sign_in_failure_last_at", "last_at"),
    )

    address_hash: bytes = Field(primary_key=True)
    livemode: bool = Field(primary_key=True)
    count: int
    last_at: datetime = Field(sa_type=Instant)
