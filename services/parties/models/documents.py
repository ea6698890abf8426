"""The papers an organization shows: which kinds there are, whom they are asked of and why, and how they are reviewed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Self, get_args

from pydantic import model_validator
from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from services.kernel.errors import Reason
from services.kernel.ids import DocumentId, FileId, OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field
from services.parties.models.fields import Name

DocumentKind = Literal[
    "trade_register",
    "vat_certificate",
    "insurance",
    "carrier_licence",
    "treatment_permit",
    "broker_registration",
    "verifier_accreditation",
    "bank_statement",
]
DocumentStatus = Literal["submitted", "accepted", "refused", "replaced", "expired", "withdrawn"]
STATUSES: tuple[str, ...] = get_args(DocumentStatus)
EVERYBODY = frozenset(
    {"manufacturer", "holder", "carrier", "repairer", "remanufacturer", "recycler", "broker", "verifier"}
)


@dataclass(frozen=True)
class KindOfDocument:
    """`asked_of` are the roles that must show it before they are verified in live mode; of none it is only welcome.
    `expires` tells that it names a last day."""

    kind: str
    asked_of: frozenset[str]
    expires: bool
    why: str


KINDS: dict[str, KindOfDocument] = {
    one.kind: one
    for one in (
        KindOfDocument(
            "trade_register", EVERYBODY, False, "Whoever trades here exists in a public register, under this name."
        ),
        KindOfDocument(
            "vat_certificate", frozenset(), False, "It settles doubts about a VAT id that no form check can."
        ),
        KindOfDocument(
            "insurance",
            frozenset({"carrier"}),
            True,
            "A load that is lost or burns is paid for by the carrier's insurer.",
        ),
        KindOfDocument(
            "carrier_licence",
            frozenset({"carrier"}),
            True,
            "Moving goods for others needs a licence from the authority.",
        ),
        KindOfDocument(
            "treatment_permit",
            frozenset({"recycler"}),
            True,
            "A plant that recycles waste needs its authority's permit; the scopes are registered as permits.",
        ),
        KindOfDocument(
            "broker_registration", frozenset({"broker"}), False, "Brokering waste is notified to the authority first."
        ),
        KindOfDocument(
            "verifier_accreditation",
            frozenset({"verifier"}),
            True,
            "A confirmation is worth what the body that accredited its verifier stands for.",
        ),
        KindOfDocument("bank_statement", frozenset(), False, "It settles doubts about whose account is paid."),
    )
}
"""The one table of what is asked of whom."""


def asked_of(roles: Collection[str]) -> list[str]:
    """The kinds that these roles must show, in the order of the table."""
    return [one.kind for one in KINDS.values() if not one.asked_of.isdisjoint(roles)]


class DocumentDetails(SQLModel):
    """`valid_until` is inclusive; a document without it does not expire."""

    kind: DocumentKind
    number: Name | None = None
    issuer: Name | None = None
    issued_on: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def _names_its_last_day(self) -> Self:
        if self.valid_until is None and KINDS[self.kind].expires:
            raise ValueError(f"{self.kind} names its last day: valid_until")
        return self


class OrganizationDocument(Versioned, table=True):
    """A paper with its file. `replaces` names the one it takes the place of; `reasons` say why it was refused."""

    __tablename__ = "organization_document"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint("issued_on <= valid_until", name="validity"),
        Index("ix_organization_document_org_id", "org_id", "kind"),
        Index(
            "uq_organization_document_successor",
            "replaces_id",
            unique=True,
            postgresql_where=text("status IN ('submitted', 'accepted')"),
        ),
    )

    id: DocumentId = Field(default_factory=DocumentId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    file_id: FileId = Field(foreign_key="stored_file.id")
    kind: str
    number: str | None = None
    issuer: str | None = None
    issued_on: date
    valid_until: date | None = None
    replaces_id: DocumentId | None = Field(default=None, foreign_key="organization_document.id")
    status: str = "submitted"
    reasons: list[dict[str, str]] = json_field(default_factory=list)
    reviewed_at: datetime | None = Field(default=None, sa_type=Instant)
    reviewed_by: str | None = None

    def holds_on(self, on: date) -> bool:
        return self.status == "accepted" and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True)
class DocumentFacts:
    on: date


def _is_in_force(document: OrganizationDocument, facts: DocumentFacts) -> Iterable[Reason]:
    if document.valid_until is not None and document.valid_until < facts.on:
        yield Reason("document_expired", f"It was valid until {document.valid_until}.")


DOCUMENT = Machine(
    "document",
    Transition("accept", ("submitted",), "accepted", ("operator",), (_is_in_force,)),
    Transition("refuse", ("submitted",), "refused", ("operator",)),
    Transition("withdraw", ("submitted", "accepted"), "withdrawn", ("owner",)),
    Transition("replace", ("refused", "accepted", "expired"), "replaced", ("time",), endpoint=False),
    Transition("expire", ("accepted",), "expired", ("time",), endpoint=False),
)
"""A refused paper is followed by its successor, which names it; an accepted one gives way when its successor is accepted."""
