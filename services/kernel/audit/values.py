"""How a column's value stands in an entry: JSON that survives PostgreSQL and RFC 8785 unchanged."""

import hashlib
import json
import math
from datetime import UTC, date, datetime
from typing import Any

import rfc8785
from pydantic import BaseModel

LONGEST = 4_096
"""In characters; what is longer stands as the SHA-256 and the size of its canonical JSON."""
_EXACT = 2**53 - 1


def plain(value: Any) -> Any:
    """Instants in UTC, decimals and integers beyond 2⁵³ as text, bytes and long values as `{"sha256", "bytes"}`."""
    if isinstance(value, bytes):
        return _digest(value)
    found = _json(value)
    return _digest(rfc8785.dumps(found)) if _is_long(found) else found


def _is_long(found: Any) -> bool:
    if isinstance(found, str):
        return len(found) > LONGEST
    return isinstance(found, list | dict) and len(json.dumps(found)) > LONGEST


def _digest(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _json(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return int(value) if abs(value) <= _EXACT else str(value)
        case float():
            return value + 0.0 if math.isfinite(value) and abs(value) <= _EXACT else str(value)
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case bytes():
            return _digest(value)
        case BaseModel():
            return _json(value.model_dump(mode="json"))
        case dict():
            return {str(name): _json(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_json(inner) for inner in value]
        case set() | frozenset():
            return sorted((_json(inner) for inner in value), key=str)
    return str(value)


def instant(value: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond where there is one."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
