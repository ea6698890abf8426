"""Requests and answers about members, invitations and sessions."""

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from services.kernel.actors import Actor
from services.kernel.http.schemas import Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import InvitationId, MemberId, OrgId, SessionId
from services.kernel.pagination import Page
from services.kernel.states import choices
from services.parties.inviting import Accepted, Invited
from services.parties.models import (
    INVITATION,
    MEMBER,
    Email,
    Invitation,
    Member,
    MemberDetails,
    MemberFacts,
    MemberSession,
)
from services.parties.permissions import MemberRole
from services.parties.signing_in import Started

PERSON: JsonDict = {"name": "Erika Muster", "email": "erika@nordwerk.example"}
PASSWORD = "seven green lorries at noon"
Password = Annotated[str, StringConstraints(min_length=12, max_length=200), Field(description="12 to 200 characters")]
Environment = Literal["sandbox", "live"]


class NewMember(Request, MemberDetails):
    """A person; what the role may do is in the reference."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid", json_schema_extra={"examples": [{**PERSON, "role": "manager"}]}
    )

    role: MemberRole


class ChangedMember(Request):
    """What is given changes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "operator"}]})

    name: Text | None = None
    role: MemberRole | None = None


class NewPassword(Request):
    """A password of your own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": PASSWORD}]})

    password: Password


class MemberAnswer(Transitions):
    """A person of the organization."""

    id: MemberId
    org_id: OrgId
    livemode: bool
    name: str
    email: str
    role: str = Field(description="owner, manager, operator, driver or viewer")
    status: str = Field(description="active or removed")
    has_password: bool = Field(description="Whether this person can sign in")
    removed_at: UtcDatetime | None
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, row: Member, actor: Actor, owners: Collection[str]) -> Self:
        """`owners` are those of the actor's organization."""
        parts = ["colleague"] if row.org_id == actor.org_id and actor.delegation_id is None else []
        return cls(
            **row.model_dump(exclude={"password_hash", "password_set_at"}),
            has_password=row.password_hash is not None,
            **told(choices(MEMBER, row, by=parts, facts=MemberFacts(frozenset(owners)))),
        )


class MemberPage(Page[MemberAnswer]):
    """Members, newest first."""


class NewInvitation(Request):
    """Whom to ask in, and as what."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**PERSON, "role": "manager"}]})

    email: Email
    name: Text | None = None
    role: MemberRole


class InvitationAnswer(Transitions):
    """A place kept for a person, without its token."""

    id: InvitationId
    org_id: OrgId
    livemode: bool
    email: str
    name: str | None
    role: str = Field(description="owner, manager, operator, driver or viewer")
    status: str = Field(description="pending, accepted, revoked or expired")
    invited_by: MemberId
    member_id: MemberId | None = Field(description="Who came")
    expires_at: UtcDatetime
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, row: Invitation, actor: Actor) -> Self:
        parts = ["colleague"] if row.org_id == actor.org_id and actor.delegation_id is None else []
        return cls(**row.model_dump(exclude={"token_hash"}), **told(choices(INVITATION, row, by=parts)))


class InvitationPage(Page[InvitationAnswer]):
    """Invitations, newest first."""


class InvitedAnswer(InvitationAnswer):
    """`token` is for who is invited, shown this once; how it reaches them is yours to arrange."""

    token: str = Field(examples=["bhi_8c1f…"])

    @classmethod
    def invited(cls, invited: Invited, actor: Actor) -> Self:
        return cls.model_validate(
            InvitationAnswer.of(invited.invitation, actor).model_dump() | {"token": invited.token}
        )


class Acceptance(Request):
    """`name` may be left out where the invitation names you; with a password you are signed in at once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": f"bhi_{'8c1f' * 16}", "name": "Erika Muster", "password": PASSWORD}]},
    )

    token: Text
    name: Text | None = None
    password: Password | None = None


class NewSession(Request):
    """Who signs in, with a password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": PERSON["email"], "password": PASSWORD, "environment": "sandbox"}]},
    )

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    organization_id: OrgId | None = Field(
        default=None, description="Needed where the address is a member of several organizations"
    )
    environment: Environment = "sandbox"


class SessionAnswer(Response):
    """A person signed in; whatever the role may do, the session may."""

    id: SessionId
    org_id: OrgId
    member_id: MemberId
    livemode: bool
    expires_at: UtcDatetime
    ended_at: UtcDatetime | None
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: MemberSession) -> Self:
        return cls.model_validate(row)


class StartedSession(SessionAnswer):
    """`token` is the bearer token, shown this once."""

    token: str = Field(examples=["bhs_ses_01kaq4m8q3e8xvw2t5n6r7s8d9_8c1f…"])

    @classmethod
    def started(cls, started: Started) -> Self:
        return cls.model_validate(SessionAnswer.of(started.session).model_dump() | {"token": started.token})


class AcceptedAnswer(Response):
    """The new member, signed in if a password was set."""

    member: MemberAnswer
    session: StartedSession | None

    @classmethod
    def of(cls, accepted: Accepted, actor: Actor) -> Self:
        session = StartedSession.started(accepted.started) if accepted.started else None
        return cls(member=MemberAnswer.of(accepted.member, actor, ()), session=session)
