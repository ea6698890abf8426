"""The one form in which an entry is hashed, exported and verified: a line of canonical JSON (RFC 8785)."""

import hashlib
from typing import Any

import rfc8785

from services.kernel.audit.model import AuditEntry
from services.kernel.audit.values import instant


def content_of(entry: AuditEntry) -> dict[str, Any]:
    """All that an entry's hash covers: everything but the hash itself."""
    return {
        "id": str(entry.id),
        "livemode": entry.livemode,
        "org_id": str(entry.org_id),
        "acting_org_id": entry.acting_org_id,
        "delegation_id": entry.delegation_id,
        "actor_kind": entry.actor_kind,
        "member_id": entry.member_id,
        "key_id": entry.key_id,
        "session_id": entry.session_id,
        "operation": entry.operation,
        "request_id": entry.request_id,
        "recorded_at": instant(entry.created_at),
        "changes": entry.changes,
        "seq": entry.seq,
        "prev_hash": entry.prev_hash.hex() if entry.prev_hash is not None else None,
    }


def hash_of(content: dict[str, Any]) -> bytes:
    return hashlib.sha256(rfc8785.dumps(content)).digest()


def sealed(content: dict[str, Any]) -> bytes:
    """The content with its own hash beside it, as a line."""
    return rfc8785.dumps(content | {"hash": hash_of(content).hex()}) + b"\n"
