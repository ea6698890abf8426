"""An organization's chain as a file: NDJSON, a header line, then one line per entry, each in canonical JSON.

The header says which part of the chain follows and what it goes on from, so that files read in pieces are verified as one.
"""

from services.kernel.audit import queries
from services.kernel.audit.lines import content_of, sealed
from services.kernel.audit.values import instant
from services.kernel.audit.verifying import FORMAT, START
from services.kernel.errors import invalid
from services.kernel.unit_of_work import UnitOfWork

MEDIA_TYPE = "application/x-ndjson"
MOST_LINES = 10_000


async def export(work: UnitOfWork, org_id: str, *, after_seq: int = 0, limit: int = MOST_LINES) -> bytes:
    """The entries after `after_seq`. An entry that has no place in the chain yet, a second or so, is not in it.

    Raises Invalid for a place the chain has not reached.
    """
    prev_hash = await _hash_at(work, org_id, after_seq)
    entries = await queries.chained(work, org_id, after=after_seq, limit=limit)
    head = await queries.head(work, org_id)
    header = {
        "format": FORMAT,
        "org_id": org_id,
        "livemode": work.livemode,
        "exported_at": instant(work.now),
        "after_seq": after_seq,
        "prev_hash": prev_hash.hex(),
        "last_seq": entries[-1].seq if entries else after_seq,
        "last_hash": ((entries[-1].hash if entries else None) or prev_hash).hex(),
        "head_seq": head.seq if head is not None else 0,
        "head_hash": ((head.hash if head is not None else None) or START).hex(),
    }
    return sealed(header) + b"".join(sealed(content_of(entry)) for entry in entries)


async def _hash_at(work: UnitOfWork, org_id: str, seq: int) -> bytes:
    if seq == 0:
        return START
    entry = await queries.link(work, org_id, seq)
    if entry is None or entry.hash is None:
        raise invalid("/after_seq", "not_in_chain", "The chain has no entry with this number yet.")
    return entry.hash
