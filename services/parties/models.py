"""The parties' tables. Masses are integer grams; a permit's dates are inclusive."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AllowInfNan, StringConstraints
from pydantic import Field as Limits
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Identity, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.kernel.ids import KeyId, MemberId, OrgId, PermitCheckId, PermitId, SiteId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned

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

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
CountryCode = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Email = Annotated[
    str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254, strip_whitespace=True, to_lower=True)
]
Latitude = Annotated[float, AllowInfNan(False), Limits(ge=-90, le=90)]
Longitude = Annotated[float, AllowInfNan(False), Limits(ge=-180, le=180)]
ClockTime = Annotated[str, StringConstraints(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _texts() -> "Column[list[str]]":
    return Column(ARRAY(Text), nullable=False)


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
    roles: list[str] = Field(sa_column=_texts())
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


class SiteDetails(SQLModel):
    """`opens` and `closes` are local times of `timezone`, an IANA zone; `docks` says how many lorries stand at once."""

    name: Name
    street: Name
    postal_code: Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
    city: Name
    country: CountryCode = Field(description="ISO 3166-1 alpha-2")
    latitude: Latitude
    longitude: Longitude
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    docks: int = Field(default=1, ge=1, le=500)
    opens: ClockTime = "06:00"
    closes: ClockTime = "18:00"


class Site(SiteDetails, Versioned, table=True):
    """A place of an organization."""

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint("docks BETWEEN 1 AND 500", name="docks"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="place"),
        CheckConstraint("opens < closes", name="hours"),
    )

    id: SiteId = Field(default_factory=SiteId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)


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


class ApiKey(Row, table=True):
    """`secret_hash` is the SHA-256 of a 256-bit secret that is shown once and kept nowhere."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),)

    id: KeyId = Field(default_factory=KeyId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    member_id: MemberId = Field(foreign_key="member.id", index=True)
    name: str = Field(max_length=200)
    secret_hash: bytes
    scopes: list[str] = Field(sa_column=_texts())
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)


class PermitDetails(SQLModel):
    """Valid from–until, both inclusive. `evidence` says where the document lies."""

    site_id: SiteId | None = Field(default=None, foreign_key="site.id")
    number: Name
    authority: Name
    valid_from: date
    valid_until: date
    evidence: Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)] | None = None


class Permit(PermitDetails, Versioned, table=True):
    """An authority's document: `treatment` of waste at a place, or its `transport`."""

    __tablename__ = "permit"
    __table_args__ = (
        CheckConstraint("kind IN ('treatment', 'transport')", name="kind"),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        UniqueConstraint("org_id", "authority", "number", "livemode"),
    )

    id: PermitId = Field(default_factory=PermitId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    kind: str


class ScopeDetails(SQLModel):
    """As somebody writes it down: codes in any spelling, operations as R4 or D10."""

    waste_codes: list[str]
    operations: list[str] = []
    territories: list[CountryCode] = []
    limit_g: int | None = None


class PermitScope(SQLModel, table=True):
    """What a permit allows. Codes are six digits; no territory means everywhere; `limit_g` None means no tonnage.

    `reserved_g` is the sum of `reserved_g` over its checks, `used_g` that of their `used_g`.
    """

    __tablename__ = "permit_scope"
    __table_args__ = (
        CheckConstraint("cardinality(waste_codes) > 0", name="waste_codes"),
        CheckConstraint("reserved_g >= 0 AND used_g >= 0 AND limit_g >= 0", name="not_negative"),
        CheckConstraint("used_g + reserved_g <= limit_g", name="tonnage"),
        Index("ix_permit_scope_waste_codes", "waste_codes", postgresql_using="gin"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    permit_id: PermitId = Field(foreign_key="permit.id", index=True)
    waste_codes: list[str] = Field(sa_column=_texts())
    operations: list[str] = Field(sa_column=_texts())
    territories: list[str] = Field(sa_column=_texts())
    limit_g: int | None = Field(default=None, sa_type=BigInteger)
    reserved_g: int = Field(default=0, sa_type=BigInteger)
    used_g: int = Field(default=0, sa_type=BigInteger)


class PermitCheck(Row, table=True):
    """That a scope covered `mass_g` of a code for a step of a subject, or why no permit was needed (`why_none`).

    A reservation holds `reserved_g` of its scope until it is used or freed.
    """

    __tablename__ = "permit_check"
    __table_args__ = (
        CheckConstraint("(scope_id IS NULL) = (why_none IS NOT NULL)", name="covered_or_why_none"),
        CheckConstraint("mass_g >= 0 AND reserved_g >= 0 AND used_g >= 0", name="not_negative"),
        CheckConstraint("is_reservation OR reserved_g = 0 AND used_g = 0", name="reservation"),
    )

    id: PermitCheckId = Field(default_factory=PermitCheckId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    scope_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="permit_scope.id", index=True)
    kind: str
    step: str
    subject_id: str = Field(index=True)
    waste_code: str
    mass_g: int = Field(sa_type=BigInteger)
    checked_on: date
    country: str
    operation: str | None = None
    why_none: str | None = None
    is_reservation: bool = False
    reserved_g: int = Field(default=0, sa_type=BigInteger)
    used_g: int = Field(default=0, sa_type=BigInteger)
    freed_at: datetime | None = Field(default=None, sa_type=Instant)
