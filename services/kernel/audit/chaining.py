"""Every organization's entries are given their place in its chain after the commit, by one elected process."""

from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.kernel.audit.lines import content_of, hash_of
from services.kernel.audit.model import AuditEntry
from services.kernel.audit.verifying import START

_ELECT = text("SELECT pg_try_advisory_xact_lock(hashtext('backhaul.audit'))")
_HEADS = text(
    "SELECT org.id AS org_id, head.seq, head.hash FROM unnest(CAST(:orgs AS text[])) AS org (id) CROSS JOIN LATERAL"
    " (SELECT seq, hash FROM audit_entry WHERE org_id = org.id AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1) head"
)
Head = tuple[int, bytes]
"""The seq and hash of the last entry of a chain."""


async def chain(session: AsyncSession, *, batch: int = 500) -> int:
    """Chains one batch of committed entries, in the order of their inserts; how many. 0 if another process is at it."""
    if not (await session.execute(_ELECT)).scalar_one():
        return 0
    query = select(AuditEntry).where(col(AuditEntry.seq).is_(None)).order_by(col(AuditEntry.ordinal)).limit(batch)
    entries = (await session.execute(query)).scalars().all()
    if entries:
        heads = await _heads(session, {entry.org_id for entry in entries})
        _link(entries, heads)
        await session.flush()
    return len(entries)


async def _heads(session: AsyncSession, orgs: Iterable[str]) -> dict[str, Head]:
    rows = (await session.execute(_HEADS, {"orgs": sorted(orgs)})).all()
    return {row.org_id: (row.seq, row.hash) for row in rows}


def _link(entries: Iterable[AuditEntry], heads: dict[str, Head]) -> None:
    for entry in entries:
        seq, prev_hash = heads.get(entry.org_id, (0, START))
        entry.seq, entry.prev_hash = seq + 1, prev_hash
        entry.hash = hash_of(content_of(entry))
        heads[entry.org_id] = (entry.seq, entry.hash)
