"""Papers: handed in by their organization, looked at by an operator, mended and handed in again until they stand."""

from collections.abc import Sequence
from datetime import date

from services.kernel import timers
from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid, NotFound
from services.kernel.ids import DocumentId
from services.kernel.objects import StoredFile
from services.kernel.states import Moved, move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import expiring, queries
from services.parties.errors import NotReplaceable, OrganizationIsClosed
from services.parties.events import DocumentAccepted, DocumentRefused, DocumentSubmitted, DocumentWithdrawn, Told
from services.parties.models import DOCUMENT, DocumentDetails, DocumentFacts, OrganizationDocument


async def submit(
    work: UnitOfWork,
    details: DocumentDetails,
    file: StoredFile,
    *,
    by: Actor,
    replaces_id: DocumentId | None = None,
) -> OrganizationDocument:
    """Raises Invalid for dates that cannot be, NotReplaceable, NotFound for a foreign predecessor, OrganizationIsClosed."""
    _refuse_impossible(details, work.now.date())
    if (await queries.organization(work, by.org)).status == "closed":
        raise OrganizationIsClosed()
    document = OrganizationDocument(
        **details.model_dump(),
        org_id=by.org,
        file_id=file.id,
        replaces_id=replaces_id,
        livemode=work.livemode,
        created_at=work.now,
    )
    if replaces_id is not None:
        await _follow(work, document, replaces_id, by)
    work.add(document)
    await work.session.flush()
    told = DocumentSubmitted(
        document_id=document.id,
        organization_id=document.org_id,
        kind=document.kind,
        valid_until=document.valid_until,
        replaces_id=replaces_id,
    )
    work.emit(told, subject=document.id, audience={document.org_id: "owner"})
    return document


def _refuse_impossible(details: DocumentDetails, today: date) -> None:
    wrong = []
    if details.issued_on > today:
        wrong.append(Detail("/issued_on", "in_the_future", "A paper was issued today or before."))
    if details.valid_until is not None and details.valid_until < details.issued_on:
        wrong.append(Detail("/valid_until", "ends_before_it_begins", "A paper ends no earlier than it was issued."))
    elif details.valid_until is not None and details.valid_until < today:
        wrong.append(Detail("/valid_until", "document_expired", "The paper has expired already."))
    if wrong:
        raise Invalid(*wrong)


async def _follow(work: UnitOfWork, document: OrganizationDocument, old_id: DocumentId, by: Actor) -> None:
    """What was refused gives way at once; what counts or counted stays until its successor is accepted."""
    old = await queries.document_for_update(work, old_id, by)
    if old.org_id != by.org:
        raise NotFound("document", old_id)
    if old.kind != document.kind or old.status not in ("refused", "accepted", "expired"):
        raise NotReplaceable(old_id)
    if await queries.has_open_successor(work, old_id):
        raise NotReplaceable(old_id)
    if old.status == "refused":
        move(DOCUMENT, old, "replace", by="time")


async def accept(
    work: UnitOfWork, document_id: DocumentId, *, by: Actor, check_version: CheckVersion = any_version
) -> OrganizationDocument:
    """An operator's word. Raises Forbidden, TransitionNotPossible, Blocked (`document_expired`)."""
    document, party = await _taken(work, document_id, by, check_version)
    moved = move(DOCUMENT, document, "accept", by=party, facts=DocumentFacts(work.now.date()))
    _note_review(work, document, by, [])
    if document.replaces_id is not None:
        await _retire(work, document.replaces_id, by)
    await expiring.watch_document(work, document)
    told = DocumentAccepted(
        document_id=document.id,
        organization_id=document.org_id,
        kind=document.kind,
        valid_until=document.valid_until,
    )
    _tell(work, document, told, moved)
    return document


async def _retire(work: UnitOfWork, old_id: DocumentId, by: Actor) -> None:
    old = await queries.document_for_update(work, old_id, by)
    if old.status in ("accepted", "expired"):
        move(DOCUMENT, old, "replace", by="time")
        await timers.cancel(work, expiring.DOCUMENT_WATCH, old.id)


async def refuse(
    work: UnitOfWork,
    document_id: DocumentId,
    *,
    reasons: Sequence[Told],
    by: Actor,
    check_version: CheckVersion = any_version,
) -> OrganizationDocument:
    """Raises Forbidden and TransitionNotPossible."""
    document, party = await _taken(work, document_id, by, check_version)
    moved = move(DOCUMENT, document, "refuse", by=party, facts=DocumentFacts(work.now.date()))
    _note_review(work, document, by, reasons)
    told = DocumentRefused(
        document_id=document.id, organization_id=document.org_id, kind=document.kind, reasons=list(reasons)
    )
    _tell(work, document, told, moved)
    return document


async def withdraw(
    work: UnitOfWork, document_id: DocumentId, *, by: Actor, check_version: CheckVersion = any_version
) -> OrganizationDocument:
    """Its organization's own. Raises Forbidden and TransitionNotPossible."""
    document, party = await _taken(work, document_id, by, check_version)
    moved = move(DOCUMENT, document, "withdraw", by=party, facts=DocumentFacts(work.now.date()))
    await timers.cancel(work, expiring.DOCUMENT_WATCH, document.id)
    told = DocumentWithdrawn(document_id=document.id, organization_id=document.org_id, kind=document.kind)
    _tell(work, document, told, moved)
    return document


async def _taken(
    work: UnitOfWork, document_id: DocumentId, by: Actor, check_version: CheckVersion
) -> tuple[OrganizationDocument, str]:
    document = await queries.document_for_update(work, document_id, by)
    check_version(document.version)
    return document, "operator" if by.is_operator else "owner"


def _note_review(work: UnitOfWork, document: OrganizationDocument, by: Actor, reasons: Sequence[Told]) -> None:
    document.reasons = [reason.model_dump() for reason in reasons]
    document.reviewed_at, document.reviewed_by = work.now, by.label


def _tell(
    work: UnitOfWork,
    document: OrganizationDocument,
    event: DocumentAccepted | DocumentRefused | DocumentWithdrawn,
    moved: Moved,
) -> None:
    work.emit(event, subject=document.id, audience={document.org_id: "owner"}, moved=moved)
