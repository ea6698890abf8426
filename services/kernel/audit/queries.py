"""Who reads which entries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.kernel.actors import Actor
from services.kernel.audit.model import AuditEntry
from services.kernel.ids import MemberId
from services.kernel.unit_of_work import UnitOfWork


def visible_to(actor: Actor) -> SelectOfScalar[AuditEntry]:
    """What was done for the actor's organization, and what it did for others. A delegate reads the grantor's chain alone."""
    return select(AuditEntry).where(col(AuditEntry.livemode) == actor.livemode, _seen_by(actor))


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    for_it = col(AuditEntry.org_id) == actor.org
    return for_it if actor.delegation_id else or_(for_it, col(AuditEntry.acting_org_id) == actor.org)


def narrowed(
    query: SelectOfScalar[AuditEntry],
    *,
    subject_id: str | None = None,
    member_id: MemberId | None = None,
    operation: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> SelectOfScalar[AuditEntry]:
    """`since` is included, `until` is not."""
    if subject_id is not None:
        query = query.where(col(AuditEntry.subject_ids).contains([subject_id]))
    if member_id is not None:
        query = query.where(col(AuditEntry.member_id) == member_id)
    if operation is not None:
        query = query.where(col(AuditEntry.operation) == operation)
    if since is not None:
        query = query.where(col(AuditEntry.created_at) >= since)
    return query if until is None else query.where(col(AuditEntry.created_at) < until)


async def chained(work: UnitOfWork, org_id: str, *, after: int, limit: int) -> Sequence[AuditEntry]:
    """Of the organization's chain, ascending."""
    query = _of_chain(org_id).where(col(AuditEntry.seq) > after).order_by(col(AuditEntry.seq)).limit(limit)
    return (await work.session.execute(query)).scalars().all()


async def link(work: UnitOfWork, org_id: str, seq: int) -> AuditEntry | None:
    query = _of_chain(org_id).where(col(AuditEntry.seq) == seq)
    return (await work.session.execute(query)).scalar_one_or_none()


async def head(work: UnitOfWork, org_id: str) -> AuditEntry | None:
    query = _of_chain(org_id).order_by(col(AuditEntry.seq).desc()).limit(1)
    return (await work.session.execute(query)).scalar_one_or_none()


def _of_chain(org_id: str) -> SelectOfScalar[AuditEntry]:
    return select(AuditEntry).where(col(AuditEntry.org_id) == org_id, col(AuditEntry.seq).is_not(None))
