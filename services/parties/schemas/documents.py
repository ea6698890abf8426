"""Requests and answers about documents."""

from datetime import date
from typing import Self

from pydantic import Field

from services.kernel.actors import Actor
from services.kernel.http.schemas import Response, Transitions, UtcDatetime, told
from services.kernel.ids import DocumentId, FileId, OrgId
from services.kernel.objects import StoredFile
from services.kernel.pagination import Page
from services.kernel.states import choices
from services.parties.models import DOCUMENT, DocumentFacts, KindOfDocument, OrganizationDocument
from services.parties.schemas.organizations import ReasonAnswer


class FileAnswer(Response):
    """A file as it lies with us; `media_type` is what the content is."""

    id: FileId
    name: str
    media_type: str
    size_bytes: int
    sha256: str = Field(description="64 hexadecimal digits")

    @classmethod
    def of(cls, row: StoredFile) -> Self:
        return cls.model_validate(row)


class DocumentAnswer(Transitions):
    """A paper and where it stands."""

    id: DocumentId
    org_id: OrgId
    livemode: bool
    kind: str = Field(description="Open list, see reference.document_kinds")
    number: str | None
    issuer: str | None
    issued_on: date
    valid_until: date | None = Field(description="Inclusive, in UTC; null: it does not expire")
    status: str = Field(description="submitted, accepted, refused, replaced, expired or withdrawn")
    reasons: list[ReasonAnswer] = Field(description="Why it was refused")
    replaces_id: DocumentId | None
    file: FileAnswer
    reviewed_at: UtcDatetime | None
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, row: OrganizationDocument, file: StoredFile, actor: Actor, on: date) -> Self:
        party = "operator" if actor.is_operator else "owner"
        return cls(
            id=row.id,
            org_id=row.org_id,
            livemode=row.livemode,
            kind=row.kind,
            number=row.number,
            issuer=row.issuer,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            status=row.status,
            reasons=[ReasonAnswer.model_validate(reason) for reason in row.reasons],
            replaces_id=row.replaces_id,
            file=FileAnswer.of(file),
            reviewed_at=row.reviewed_at,
            created_at=row.created_at,
            version=row.version,
            **told(choices(DOCUMENT, row, by=[party], facts=DocumentFacts(on))),
        )


class DocumentPage(Page[DocumentAnswer]):
    """Documents, newest first."""


class DocumentKindAnswer(Response):
    """A kind of paper, and which roles must show it before they are verified in live mode."""

    kind: str
    asked_of: list[str] = Field(description="Roles; none: it is only welcome")
    expires: bool = Field(description="Whether it names its last day")
    why: str

    @classmethod
    def of(cls, kind: KindOfDocument) -> Self:
        return cls(kind=kind.kind, asked_of=sorted(kind.asked_of), expires=kind.expires, why=kind.why)


class DocumentKindPage(Page[DocumentKindAnswer]):
    """Kinds of documents, in the order of the table."""
