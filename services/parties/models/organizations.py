"""Organizations. What one may do follows from its verification, not from the roles it picked."""

from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from services.kernel.ids import OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Versioned
from services.parties.models.fields import CountryCode, Email, Name, texts

ROLES = (
    "manufacturer",
    "holder",
    "carrier",
    "repairer",
    "remanufacturer",
    "recycler",
    "broker",
    "verifier",
    "operator",
)
PROCESSORS = frozenset({"repairer", "remanufacturer", "recycler"})
"""Who takes goods and commits to a disposition."""


class OrganizationDetails(SQLModel):
    legal_name: Name
    country: CountryCode = Field(description="ISO 3166-1 alpha-2")
    contact_email: Email
    vat_id: Annotated[str, StringConstraints(min_length=4, max_length=20, strip_whitespace=True)] | None = None


class Organization(OrganizationDetails, Versioned, table=True):
    """A legal entity. What it may do follows from `verification_status`, not from the roles it picked."""

    __tablename__ = "organization"
    __table_args__ = (
        CheckConstraint("verification_status IN ('unverified', 'verified')", name="verification_status"),
        CheckConstraint(f"cardinality(roles) > 0 AND roles <@ ARRAY{list(ROLES)}::text[]", name="roles"),
        Index("ix_organization_roles", "roles", postgresql_using="gin"),
    )

    id: OrgId = Field(default_factory=OrgId.new, primary_key=True)
    roles: list[str] = Field(sa_column=texts())
    verification_status: str = "unverified"

    @property
    def status(self) -> str:
        return self.verification_status

    @status.setter
    def status(self, value: str) -> None:
        self.verification_status = value

    @property
    def is_verified(self) -> bool:
        return self.verification_status == "verified"


ORGANIZATION = Machine(
    "organization",
    Transition("verify", ("unverified",), "verified", ("operator", "time")),
)
