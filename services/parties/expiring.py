"""What runs out says so before: reminders 60, 30 and 7 days ahead, and the day itself.

`valid_until` is inclusive and counts in UTC: a paper ends with the first instant of the day after.
"""

from datetime import UTC, date, datetime, time, timedelta

from services.kernel import timers
from services.kernel.ids import DocumentId, PermitId
from services.kernel.states import move
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.events import DocumentExpired, DocumentExpiring, PermitExpired, PermitExpiring
from services.parties.models import DOCUMENT, PERMIT, OrganizationDocument, Permit

DOCUMENT_WATCH = "document.expire"
PERMIT_WATCH = "permit.expire"
REMIND_DAYS = (60, 30, 7)
LAST_DAY = date(9998, 12, 31)
"""A paper without an end is often written down as ending on 9999-12-31, after which no day comes."""


async def watch_document(work: UnitOfWork, document: OrganizationDocument) -> None:
    """A paper without a last day needs no watching."""
    if document.valid_until is not None:
        await timers.schedule(work, DOCUMENT_WATCH, document.id, next_look(document.valid_until, work.now))


async def watch_permit(work: UnitOfWork, permit: Permit) -> None:
    await timers.schedule(work, PERMIT_WATCH, permit.id, next_look(permit.valid_until, work.now))


def next_look(valid_until: date, now: datetime) -> datetime:
    """The next reminder or the end, whichever comes first; at once for what has ended already."""
    end = _end(valid_until)
    ahead = (end - timedelta(days=days) for days in (*REMIND_DAYS, 0))
    return min((moment for moment in ahead if moment > now), default=now)


def _end(valid_until: date) -> datetime:
    return datetime.combine(min(valid_until, LAST_DAY) + timedelta(days=1), time(), UTC)


@timer(DOCUMENT_WATCH)
async def _look_at_document(work: UnitOfWork, document_id: str) -> None:
    document = await queries.any_document_for_update(work, DocumentId(document_id))
    if document.status != "accepted" or document.valid_until is None:
        return
    if _end(document.valid_until) <= work.now:
        _expire_document(work, document, document.valid_until)
        return
    told = DocumentExpiring(
        document_id=document.id,
        organization_id=document.org_id,
        kind=document.kind,
        valid_until=document.valid_until,
        days_left=_days_left(document.valid_until, work.now),
    )
    work.emit(told, subject=document.id, audience={document.org_id: "owner"})
    await watch_document(work, document)


def _expire_document(work: UnitOfWork, document: OrganizationDocument, valid_until: date) -> None:
    moved = move(DOCUMENT, document, "expire", by="time")
    told = DocumentExpired(
        document_id=document.id, organization_id=document.org_id, kind=document.kind, valid_until=valid_until
    )
    work.emit(told, subject=document.id, audience={document.org_id: "owner"}, moved=moved)


@timer(PERMIT_WATCH)
async def _look_at_permit(work: UnitOfWork, permit_id: str) -> None:
    permit = await queries.any_permit_for_update(work, PermitId(permit_id))
    if permit.status != "active":
        return
    if _end(permit.valid_until) <= work.now:
        _expire_permit(work, permit)
        return
    told = PermitExpiring(
        permit_id=permit.id,
        organization_id=permit.org_id,
        number=permit.number,
        valid_until=permit.valid_until,
        days_left=_days_left(permit.valid_until, work.now),
    )
    work.emit(told, subject=permit.id, audience={permit.org_id: "owner"})
    await watch_permit(work, permit)


def _expire_permit(work: UnitOfWork, permit: Permit) -> None:
    moved = move(PERMIT, permit, "expire", by="time")
    told = PermitExpired(
        permit_id=permit.id, organization_id=permit.org_id, number=permit.number, valid_until=permit.valid_until
    )
    work.emit(told, subject=permit.id, audience={permit.org_id: "owner"}, moved=moved)


def _days_left(valid_until: date, now: datetime) -> int:
    """Begun days count: a reminder that fires to the instant says 60."""
    return -((now - _end(valid_until)) // timedelta(days=1))
