"""Requests and answers about members."""

from typing import Self

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import MemberId, OrgId
from services.kernel.pagination import Page
from services.parties.models import (
    Member,
    MemberDetails,
)
from services.parties.permissions import MemberRole

PERSON: JsonDict = {"name": "Erika Muster", "email": "erika@nordwerk.example"}


class NewMember(Request, MemberDetails):
    """A person; what the role may do is in the reference."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid", json_schema_extra={"examples": [{**PERSON, "role": "manager"}]}
    )

    role: MemberRole


class MemberAnswer(Response):
    """A person of the organization."""

    id: MemberId
    org_id: OrgId
    livemode: bool
    name: str
    email: str
    role: str = Field(description="owner, manager, operator, driver or viewer")
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: Member) -> Self:
        return cls.model_validate(row)


class MemberPage(Page[MemberAnswer]):
    """Members, newest first."""
