"""Organizations. What one may do follows from its verification, not from the roles it picked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field as Limits
from pydantic import StringConstraints, model_validator
from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from services.kernel.errors import Reason
from services.kernel.ids import OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field
from services.parties.models.fields import CountryCode, Email, Name, Phone, texts

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
VerificationStatus = Literal["unverified", "in_review", "verified", "rejected", "suspended", "closed"]
STATUSES: tuple[str, ...] = get_args(VerificationStatus)
IDENTITY = frozenset({"legal_name", "vat_id", "lei", "iban"})
"""What a verification has confirmed; a verified live organization that changes it is looked at again."""

WrittenNumber = Annotated[str, StringConstraints(min_length=4, max_length=50, strip_whitespace=True)]
"""VAT id, LEI or IBAN as somebody writes it; `identity` checks and normalises it."""


class OrganizationDetails(SQLModel):
    legal_name: Name
    country: CountryCode = Field(description="ISO 3166-1 alpha-2")
    contact_email: Email
    vat_id: Annotated[str, StringConstraints(min_length=4, max_length=20, strip_whitespace=True)] | None = None
    lei: Annotated[str, StringConstraints(min_length=20, max_length=20)] | None = None


class Contact(SQLModel):
    """Whom to call or to write to, about what; at least one of e-mail and telephone."""

    kind: Literal["general", "dispatch", "billing", "compliance", "emergency"]
    name: Name
    email: Email | None = None
    phone: Phone | None = Field(default=None, description="E.164, e.g. +495615550123")

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.email is None and self.phone is None:
            raise ValueError("a contact has an e-mail address or a telephone number")
        return self


class OrganizationChanges(SQLModel):
    """What is set changes; None empties what may be unknown."""

    legal_name: Name | None = None
    contact_email: Email | None = None
    vat_id: WrittenNumber | None = None
    lei: WrittenNumber | None = None
    iban: WrittenNumber | None = None
    contacts: Annotated[list[Contact], Limits(max_length=50)] | None = None

    @model_validator(mode="after")
    def _keep_what_is_needed(self) -> Self:
        for name in ("legal_name", "contact_email", "contacts"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class Organization(OrganizationDetails, Versioned, table=True):
    """A legal entity. What it may do follows from `verification_status`, not from the roles it picked.

    `reasons` are those of the last request for changes, rejection or suspension. Of the bank account only a mask and a
    fingerprint are kept: two organizations with one account share the fingerprint, and nobody reads the number.
    """

    __tablename__ = "organization"
    __table_args__ = (
        CheckConstraint(f"verification_status IN {STATUSES}", name="verification_status"),
        CheckConstraint(f"cardinality(roles) > 0 AND roles <@ ARRAY{list(ROLES)}::text[]", name="roles"),
        CheckConstraint("(iban_masked IS NULL) = (iban_fingerprint IS NULL)", name="iban"),
        Index("ix_organization_roles", "roles", postgresql_using="gin"),
        Index("ix_organization_iban_fingerprint", "iban_fingerprint"),
    )

    id: OrgId = Field(default_factory=OrgId.new, primary_key=True)
    roles: list[str] = Field(sa_column=texts())
    verification_status: str = "unverified"
    contacts: list[dict[str, Any]] = json_field(default_factory=list)
    iban_masked: str | None = None
    iban_fingerprint: str | None = None
    reasons: list[dict[str, str]] = json_field(default_factory=list)
    submitted_at: datetime | None = Field(default=None, sa_type=Instant)
    verified_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def status(self) -> str:
        return self.verification_status

    @status.setter
    def status(self, value: str) -> None:
        self.verification_status = value

    @property
    def is_verified(self) -> bool:
        return self.verification_status == "verified"


@dataclass(frozen=True)
class OrganizationFacts:
    """`papers` is what stands against the documents that its roles are asked for."""

    papers: tuple[Reason, ...] = ()


def _papers_are_handed_in(organization: Organization, facts: OrganizationFacts) -> Iterable[Reason]:
    return (reason for reason in facts.papers if reason.code != "document_under_review")


def _papers_are_accepted(organization: Organization, facts: OrganizationFacts) -> Iterable[Reason]:
    return facts.papers


ORGANIZATION = Machine(
    "organization",
    Transition("submit", ("unverified", "rejected"), "in_review", ("owner",), (_papers_are_handed_in,)),
    Transition("request_changes", ("in_review",), "unverified", ("operator",)),
    Transition("verify", ("in_review",), "verified", ("operator",), (_papers_are_accepted,)),
    Transition("verify_by_rule", ("unverified",), "verified", ("time",), endpoint=False),
    Transition("reject", ("in_review",), "rejected", ("operator",)),
    Transition("reopen", ("verified",), "in_review", ("owner",), endpoint=False),
    Transition("suspend", ("verified",), "suspended", ("operator",)),
    Transition("reinstate", ("suspended",), "verified", ("operator",), (_papers_are_accepted,)),
    Transition(
        "close",
        ("unverified", "in_review", "verified", "rejected", "suspended"),
        "closed",
        ("owner", "operator"),
    ),
)
"""Whatever the status, what is under way is finished: the parties of a deal are its own, not those of a role."""
