"""Consent that another organization acts for this one."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.kernel.ids import DelegationId, MemberId, OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned
from services.parties.models.fields import texts


class Delegation(Versioned, table=True):
    """The grantee acts for the grantor with `scopes`, at `site_ids` (none: everywhere), from `valid_from` until `valid_until`."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'revoked', 'expired')", name="status"),
        CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name="revoked_at"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by"),
        CheckConstraint("grantor_id <> grantee_id", name="two_parties"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
        CheckConstraint("valid_from < valid_until", name="validity"),
    )

    id: DelegationId = Field(default_factory=DelegationId.new, primary_key=True)
    grantor_id: OrgId = Field(foreign_key="organization.id", index=True)
    grantee_id: OrgId = Field(foreign_key="organization.id", index=True)
    granted_by: MemberId = Field(foreign_key="member.id")
    scopes: list[str] = Field(sa_column=texts())
    site_ids: list[str] = Field(sa_column=texts())
    valid_from: datetime = Field(sa_type=Instant)
    valid_until: datetime = Field(sa_type=Instant)
    status: str = "active"
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_by: OrgId | None = Field(default=None, foreign_key="organization.id")


DELEGATION = Machine(
    "delegation",
    Transition("revoke", ("active",), "revoked", ("grantor", "grantee")),
    Transition("expire", ("active",), "expired", ("time",), endpoint=False),
)
