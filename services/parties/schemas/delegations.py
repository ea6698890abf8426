"""Requests and answers about delegations."""

from typing import Self

from pydantic import ConfigDict, Field

from services.kernel.actors import Actor
from services.kernel.http.schemas import Request, Transitions, UtcDatetime, told
from services.kernel.ids import DelegationId, MemberId, OrgId, SiteId
from services.kernel.pagination import Page
from services.kernel.states import choices
from services.parties.delegating import Terms
from services.parties.models import DELEGATION, Delegation
from services.parties.permissions import Permission
from services.parties.policy import sides_of


class NewDelegation(Request):
    """Who may act for you: how far, where, and how long."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "grantee_id": "org_01kaq4m8q3e8xvw2t5n6r7s8d9",
                    "scopes": ["listings:read", "listings:write"],
                    "valid_until": "2028-01-01T00:00:00Z",
                }
            ]
        },
    )

    grantee_id: OrgId
    scopes: list[Permission] = Field(
        min_length=1,
        max_length=100,
        description="Of what you hold yourself; never organizations:write, members:write, api_keys:write or"
        " delegations:write",
    )
    site_ids: list[SiteId] = Field(
        default_factory=list,
        max_length=200,
        description="Empty: everywhere. Limited to sites, it carries only scopes of sites, listings, orders, receipts,"
        " pickups and handovers",
    )
    valid_from: UtcDatetime | None = Field(default=None, description="Absent: at once")
    valid_until: UtcDatetime

    @property
    def terms(self) -> Terms:
        return Terms(self.grantee_id, self.scopes, self.site_ids, self.valid_from, self.valid_until)


class DelegationAnswer(Transitions):
    """Both sides see the same."""

    id: DelegationId
    livemode: bool
    grantor_id: OrgId
    grantee_id: OrgId
    granted_by: MemberId
    scopes: list[str]
    site_ids: list[SiteId]
    valid_from: UtcDatetime
    valid_until: UtcDatetime
    status: str = Field(description="active (from `valid_from` on), revoked or expired")
    revoked_at: UtcDatetime | None
    revoked_by: OrgId | None = Field(description="Which of the two sides")
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, row: Delegation, actor: Actor) -> Self:
        return cls(**row.model_dump(), **told(choices(DELEGATION, row, by=sides_of(actor, row))))


class DelegationPage(Page[DelegationAnswer]):
    """Delegations, newest first."""
