"""The chain of custody of a site: each event's hash covers the one before it, so none is changed or slipped in unnoticed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import text

from services.certification import evidence, queries
from services.certification.models import CustodyEvent, CustodyLine, MaterialBatch
from services.kernel.unit_of_work import UnitOfWork

GENESIS = bytes(32)
_SAID = (
    "id",
    "livemode",
    "type",
    "timezone",
    "site_id",
    "from_site_id",
    "to_site_id",
    "reported_by",
    "sender_id",
    "receiver_id",
    "operation",
    "activity",
    "announced_g",
    "received_g",
    "accepted_g",
    "refused_g",
    "packaging_g",
    "loss_g",
    "loss_reason",
    "adjusted_g",
    "reason",
    "mass_method",
    "source",
    "order_id",
    "pickup_id",
    "position",
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('backhaul.custody.' || :site, 0))")


def content(event: CustodyEvent, lines: Iterable[CustodyLine]) -> dict[str, Any]:
    """What the hash covers: everything the event says, its lines in the order of their batches."""
    return {
        **{name: getattr(event, name) for name in _SAID},
        "occurred_at": _instant(event.occurred_at),
        "recorded_at": _instant(event.created_at),
        "lines": [
            {
                "batch_id": line.batch_id,
                "direction": line.direction,
                "mass_g": line.mass_g,
                "disposition": line.disposition,
            }
            for line in sorted(lines, key=lambda line: line.batch_id)
        ],
    }


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def hash_of(event: CustodyEvent, lines: Iterable[CustodyLine]) -> bytes:
    return evidence.chained(event.prev_hash, content(event, lines))


async def lock(work: UnitOfWork, *site_ids: str) -> None:
    """The chains of these sites, until the unit of work ends. In the order of their ids, so that two events lock alike."""
    for site_id in sorted(set(site_ids)):
        await work.session.execute(_LOCK, {"site": site_id})


async def append(
    work: UnitOfWork, event: CustodyEvent, lines: Sequence[CustodyLine], *, born: Sequence[MaterialBatch] = ()
) -> None:
    """Puts the event at the end of its site's chain and writes it with its lines and the batches it bears. The caller holds
    the chain's lock."""
    last = await queries.last_of_chain(work, event.site_id)
    event.position = last.position + 1 if last is not None else 1
    event.prev_hash = last.hash if last is not None else GENESIS
    event.hash = hash_of(event, lines)
    for rows in ([event], born, lines):
        work.session.add_all(rows)
        await work.session.flush()


def faults(events: Sequence[CustodyEvent], lines: Mapping[str, Sequence[CustodyLine]]) -> list[str]:
    """The ids of events whose content does not give their hash, or that do not follow the event before them in `events`
    (of one site, by position)."""
    broken = [event.id for event in events if hash_of(event, lines.get(event.id, ())) != event.hash]
    astray = [
        after.id
        for before, after in pairwise(events)
        if after.position == before.position + 1 and after.prev_hash != before.hash
    ]
    return sorted({*broken, *astray})
