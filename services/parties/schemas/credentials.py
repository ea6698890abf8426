"""Requests and answers about API keys."""

from typing import Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import Request, Response, Text, UtcDatetime
from services.kernel.ids import KeyId, MemberId, OrgId
from services.kernel.pagination import Page
from services.parties.api_keys import IssuedKey
from services.parties.models import (
    ApiKey,
)
from services.parties.permissions import Permission


class NewApiKey(Request):
    """A key of yours, or of another member."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Warehouse system",
                    "scopes": ["listings:read", "listings:write"],
                    "expires_at": "2028-01-01T00:00:00Z",
                }
            ]
        },
    )

    name: Text
    scopes: list[Permission] | None = Field(
        default=None, min_length=1, description="Absent: all that both you and the member hold"
    )
    expires_at: UtcDatetime | None = Field(default=None, description="Absent: never")
    member_id: MemberId | None = Field(default=None, description="Whose key it is; absent: yours")


class ApiKeyAnswer(Response):
    """A key, without its secret."""

    id: KeyId
    org_id: OrgId
    member_id: MemberId
    livemode: bool
    name: str
    scopes: list[str]
    expires_at: UtcDatetime | None
    last_used_at: UtcDatetime | None = Field(description="To the minute")
    revoked_at: UtcDatetime | None
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: ApiKey) -> Self:
        return cls.model_validate(row)


class ApiKeyPage(Page[ApiKeyAnswer]):
    """API keys, newest first."""


class IssuedKeyAnswer(ApiKeyAnswer):
    """`secret` is the whole bearer token, shown this once."""

    secret: str

    @classmethod
    def issued(cls, issued: IssuedKey) -> Self:
        return cls.model_validate(ApiKeyAnswer.of(issued.key).model_dump() | {"secret": issued.token})
