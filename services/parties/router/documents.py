"""HTTP of documents: an organization's papers."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlmodel import col

from services.kernel import objects
from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.http.files import Objects, download, name_of
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.http.schemas import is_storable
from services.kernel.ids import DocumentId, OrgId
from services.kernel.objects import PAPERS
from services.kernel.pagination import Paging, page_of, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import documents as papers
from services.parties import queries
from services.parties.models import KINDS, DocumentDetails, DocumentKind, DocumentStatus, OrganizationDocument
from services.parties.schemas import (
    DocumentAnswer,
    DocumentKindAnswer,
    DocumentKindPage,
    DocumentPage,
    ReasonsGiven,
)

documents = APIRouter(prefix="/v1", tags=["documents"], route_class=UnitOfWorkRoute)
reference = APIRouter(prefix="/v1", tags=["reference"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("documents:read")]
Writes = Annotated[Actor, holding("documents:write")]


async def _told(work: UnitOfWork, document: OrganizationDocument, actor: Actor, answer: Response) -> DocumentAnswer:
    tag(answer, document.version)
    file = (await queries.files(work, [document.file_id]))[document.file_id]
    return DocumentAnswer.of(document, file, actor, work.now.date())


@documents.post("/documents", status_code=201, summary="Hand in a document")
async def create(
    work: Work,
    actor: Writes,
    store: Objects,
    answer: Response,
    file: Annotated[UploadFile, File(description="PDF, PNG or JPEG, up to 10 MiB")],
    kind: Annotated[DocumentKind, Form(description="See reference.document_kinds")],
    issued_on: Annotated[date, Form()],
    valid_until: Annotated[date | None, Form(description="Inclusive, in UTC; needed where the kind expires")] = None,
    number: Annotated[str | None, Form(max_length=200)] = None,
    issuer: Annotated[str | None, Form(max_length=200)] = None,
    replaces_id: Annotated[
        DocumentId | None, Form(description="The refused or ageing document that it follows")
    ] = None,
) -> DocumentAnswer:
    """A paper waits for an operator's review. `reference.document_kinds` tells which ones your roles are asked for.

    Refused for a content that is not PDF, PNG or JPEG whatever its name says (422 `file_type_not_allowed`), empty
    (`file_empty`), with a name that is `text_unstorable`, or above 10 MiB (413 `file_too_large`), for one whose dates
    cannot be (422 `document_expired`, `in_the_future`, `ends_before_it_begins`), and for a successor of what cannot be
    replaced (422 `document_not_replaceable`). What was refused gives way to its successor at once, what counts when the
    successor is accepted. Causes `document.submitted`; once accepted `document.expiring` 60, 30 and 7 days before
    `document.expired`.
    """
    details = _details(kind, number, issuer, issued_on, valid_until)
    stored = await objects.keep(work, store, await file.read(), name=name_of(file), org_id=actor.org)
    made = await papers.submit(work, details, stored, by=actor, replaces_id=replaces_id)
    return await _told(work, made, actor, answer)


def _details(
    kind: DocumentKind, number: str | None, issuer: str | None, issued_on: date, valid_until: date | None
) -> DocumentDetails:
    for name, text in {"number": number, "issuer": issuer}.items():
        if text is not None and not is_storable(text):
            raise invalid(f"/{name}", "text_unstorable", "Text may not hold NUL or lone surrogates.")
    try:
        return DocumentDetails.model_validate(
            {"kind": kind, "number": number, "issuer": issuer, "issued_on": issued_on, "valid_until": valid_until}
        )
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_context=False)]
        raise RequestValidationError(found) from None


@documents.get("/documents", name="list", summary="List documents")
async def list_documents(
    work: Work,
    actor: Reads,
    paging: Paging,
    organization_id: Annotated[OrgId | None, Query(description="For operators: of this organization")] = None,
    status: Annotated[DocumentStatus | None, Query(description="Of one status")] = None,
) -> DocumentPage:
    """Your organization's papers, newest first; an operator's list holds everybody's."""
    query = queries.documents_visible_to(actor)
    if organization_id is not None:
        query = query.where(col(OrganizationDocument.org_id) == organization_id)
    if status is not None:
        query = query.where(col(OrganizationDocument.status) == status)
    rows, after = await rows_of(work, query, col(OrganizationDocument.id), paging)
    files = await queries.files(work, [row.file_id for row in rows])
    data = [DocumentAnswer.of(row, files[row.file_id], actor, work.now.date()) for row in rows]
    return DocumentPage(data=data, has_more=after is not None, next_cursor=after)


@documents.get("/documents/{document_id}", summary="Read a document")
async def get(document_id: DocumentId, work: Work, actor: Reads, answer: Response) -> DocumentAnswer:
    """One of your organization's papers."""
    return await _told(work, await queries.document(work, document_id, actor), actor, answer)


@documents.get(
    "/documents/{document_id}/file",
    summary="Download a document's file",
    response_class=Response,
    responses={
        200: {
            "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in PAPERS},
            "description": "The file, as an attachment",
        }
    },
)
async def file(document_id: DocumentId, work: Work, actor: Reads, store: Objects) -> Response:
    """The bytes as they were handed in."""
    found = await queries.document(work, document_id, actor)
    stored = (await queries.files(work, [found.file_id]))[found.file_id]
    return download(stored, await store.get(stored.sha256))


@documents.post("/documents/{document_id}/accept", summary="Accept a document", dependencies=[DryRun])
async def accept(
    document_id: DocumentId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DocumentAnswer:
    """An operator has looked at it; it counts until its last day. Refused for everybody else, and for a paper that has
    expired meanwhile (409 `document_expired`). Causes `document.accepted`."""
    accepted = await papers.accept(work, document_id, by=actor, check_version=matching.matches)
    return await _told(work, accepted, actor, answer)


@documents.post("/documents/{document_id}/refuse", summary="Refuse a document", dependencies=[DryRun])
async def refuse(
    document_id: DocumentId, body: ReasonsGiven, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DocumentAnswer:
    """An operator says why it does not count; a mended one names it in `replaces_id`. Refused for everybody else.
    Causes `document.refused`."""
    refused = await papers.refuse(work, document_id, reasons=body.told, by=actor, check_version=matching.matches)
    return await _told(work, refused, actor, answer)


@documents.post("/documents/{document_id}/withdraw", summary="Withdraw a document", dependencies=[DryRun])
async def withdraw(
    document_id: DocumentId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DocumentAnswer:
    """Your organization takes it back, before or after its review; a role that is asked for it begins nothing new until
    another one is accepted. Causes `document.withdrawn`."""
    withdrawn = await papers.withdraw(work, document_id, by=actor, check_version=matching.matches)
    return await _told(work, withdrawn, actor, answer)


@reference.get("/reference/document-kinds", name="document_kinds", summary="List kinds of documents")
async def document_kinds(
    work: Work, actor: Annotated[Actor, holding("organizations:read")], paging: Paging
) -> DocumentKindPage:
    """Which paper which role must show before it is verified in live mode, and why."""
    rows, after = page_of(list(KINDS.values()), lambda kind: kind.kind, paging)
    return DocumentKindPage(
        data=[DocumentKindAnswer.of(kind) for kind in rows], has_more=after is not None, next_cursor=after
    )
