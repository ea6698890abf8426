"""Permits, their scopes, and what was asked of them. Masses are integer grams; dates are inclusive."""

from datetime import date, datetime
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, text
from sqlmodel import Field, SQLModel

from services.kernel.ids import DocumentId, OrgId, PermitCheckId, PermitId, SiteId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned
from services.parties.models.fields import CountryCode, Name, texts


class PermitDetails(SQLModel):
    """Valid from–until, both inclusive. `evidence` says where the document lies; `document_id` is its copy with us.

    A treatment permit with a site covers what is treated there alone.
    """

    site_id: SiteId | None = Field(default=None, foreign_key="site.id")
    number: Name
    authority: Name
    valid_from: date
    valid_until: date
    evidence: Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)] | None = None
    document_id: DocumentId | None = Field(default=None, foreign_key="organization_document.id")


class Permit(PermitDetails, Versioned, table=True):
    """An authority's document: `treatment` of waste at a place, or its `transport`.

    `status` tells its organization where it stands; whether it covers goods on a day is a matter of its dates alone.
    """

    __tablename__ = "permit"
    __table_args__ = (
        CheckConstraint("kind IN ('treatment', 'transport')", name="kind"),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        CheckConstraint("status IN ('active', 'expired', 'withdrawn')", name="status"),
        CheckConstraint("(status = 'withdrawn') = (withdrawn_on IS NOT NULL)", name="withdrawal"),
        Index(
            "uq_permit_number",
            "org_id",
            "authority",
            "number",
            "livemode",
            unique=True,
            postgresql_where=text("status <> 'withdrawn'"),
        ),
    )

    id: PermitId = Field(default_factory=PermitId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    kind: str
    status: str = "active"
    withdrawn_on: date | None = None

    def is_in_force(self, on: date) -> bool:
        """A permit that was withdrawn later covers what was done before."""
        is_withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= on
        return self.valid_from <= on <= self.valid_until and not is_withdrawn


PERMIT = Machine(
    "permit",
    Transition("withdraw", ("active",), "withdrawn", ("owner",)),
    Transition("expire", ("active",), "expired", ("time",), endpoint=False),
)


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
    waste_codes: list[str] = Field(sa_column=texts())
    operations: list[str] = Field(sa_column=texts())
    territories: list[str] = Field(sa_column=texts())
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
