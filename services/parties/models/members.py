"""The people of an organization."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.kernel.ids import MemberId, OrgId
from services.kernel.tables import Versioned
from services.parties.models.fields import Email, Name


class MemberDetails(SQLModel):
    name: Name
    email: Email


class Member(MemberDetails, Versioned, table=True):
    """A person of an organization; `role` is a row of `permissions.ROLES`."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'manager', 'operator', 'driver', 'viewer')", name="role"),
        UniqueConstraint("org_id", "email"),
    )

    id: MemberId = Field(default_factory=MemberId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    role: str
