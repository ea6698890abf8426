"""Requests and answers about API keys and access tokens."""

from typing import Self

from pydantic import ConfigDict, Field, StrictInt

from services.kernel.http.schemas import Request, Response, Text, UtcDatetime
from services.kernel.ids import KeyId, MemberId, OrgId
from services.kernel.pagination import Page
from services.parties.api_keys import LONGEST_OVERLAP, IssuedKey
from services.parties.models import ApiKey
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
    expires_at: UtcDatetime | None = Field(
        default=None, description="Absent: never; no later than the key you call with"
    )
    member_id: MemberId | None = Field(default=None, description="Whose key it is; absent: yours")


class Rotation(Request):
    """How long the old key goes on beside its successor."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_seconds": 86_400}]})

    overlap_seconds: StrictInt = Field(ge=0, le=int(LONGEST_OVERLAP.total_seconds()), description="At most seven days")


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
    replaces_id: KeyId | None = Field(description="The key that was rotated into this one")
    replaced_by_id: KeyId | None = Field(description="The key that this one was rotated into")
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


class TokenForm(Request):
    """RFC 6749 4.4.2, as application/x-www-form-urlencoded. Client id and secret may come by HTTP Basic instead."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "grant_type": "client_credentials",
                    "client_id": "key_01kaq4m8q3e8xvw2t5n6r7s8d9",
                    "client_secret": "8c1f" * 16,
                    "scope": "listings:read bids:write",
                }
            ]
        }
    )

    grant_type: str = Field(description="client_credentials", json_schema_extra={"enum": ["client_credentials"]})
    client_id: str | None = Field(default=None, description="The id of an API key")
    client_secret: str | None = Field(default=None, description="The key's secret, or the whole bearer token")
    scope: str | None = Field(default=None, description="Permissions, separated by spaces; absent: all the key holds")
    account: str | None = Field(
        default=None, description="The organization to act for under a delegation; absent: your own"
    )


class TokenAnswer(Response):
    """RFC 6749 5.1."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"access_token": "eyJ0eXAi…", "token_type": "Bearer", "expires_in": 600, "scope": "bids:write"}
            ]
        }
    )

    access_token: str
    token_type: str = "Bearer"
    expires_in: int
    scope: str


class TokenError(Response):
    """RFC 6749 5.2."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"error": "invalid_client", "error_description": "Client id and secret do not belong together."}
            ]
        }
    )

    error: str = Field(
        description="invalid_request, invalid_client, invalid_scope, invalid_target or unsupported_grant_type"
    )
    error_description: str


class PublicKey(Response):
    """RFC 8037."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class KeySet(Response):
    """RFC 7517: the public keys by which access tokens are checked."""

    keys: list[PublicKey]
