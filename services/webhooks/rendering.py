"""The bytes of an event for one organization: the feed and the webhook send the same."""

import json
from typing import Any

from services.kernel.events import EventRow, render


def encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def body(row: EventRow, org_id: str) -> bytes:
    return encode(render(row, org_id))
