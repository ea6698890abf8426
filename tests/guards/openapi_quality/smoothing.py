"""Makes what was recorded readable and alike from one recording to the next: ids, hashes, instants, secrets."""

import hashlib
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINS = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOST = "https://api.backhaul.dev"
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(r"\b([a-z]{3,4})_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_SECRETS = {
    re.compile(r"\bbh_(test|live)_[\w-]{16,}"): r"bh_\1_shown_once",
    re.compile(r"\bbhs_[\w-]{16,}"): "bhs_shown_once",
    re.compile(r"\bwhsec_[\w+/=-]{16,}"): "whsec_c2hvd24gb25jZQ==",
    re.compile(r"\b(eyJ[\w-]{20})[\w-]*\.[\w-]+\.[\w-]*"): r"\1…",
    re.compile(r"\breq_[0-9a-f]{32}\b"): "req_5f0c8f6e2b7a4f3e9d1c0a8b7e6f5d4c",
    re.compile(r"https?://testserver"): HOST,
    re.compile(r"did:web:testserver"): "did:web:api.backhaul.dev",
}
LONGEST = 600


class Smoothing:
    """`begun` is the market's time when the recording began: what was made then is told as of `BEGINS`."""

    def __init__(self, begun: datetime) -> None:
        self._exact = BEGINS - begun
        self._days = timedelta(days=(BEGINS.date() - begun.date()).days)
        self._ids: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._hashes: dict[str, str] = {}

    def json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(inner) for inner in value]
        if isinstance(value, dict):
            return {self.text(name): self.json(inner) for name, inner in value.items()}
        return value

    def text(self, text: str) -> str:
        for pattern, plain in _SECRETS.items():
            text = pattern.sub(plain, text)
        text = _ID.sub(self._id, text)
        text = _HASH.sub(self._hash, text)
        text = _INSTANT.sub(self._instant, text)
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"

    def _id(self, found: re.Match[str]) -> str:
        known = self._ids[found.group(1)]
        number = len(known)
        body = (
            f"01kaq4m8q3e8xvw2t5n6r00{_BASE32[number // 1024 % 32]}{_BASE32[number // 32 % 32]}{_BASE32[number % 32]}"
        )
        return known.setdefault(found.group(), f"{found.group(1)}_{body}")

    def _hash(self, found: re.Match[str]) -> str:
        plain = hashlib.sha256(f"example {len(self._hashes)}".encode()).hexdigest()
        return self._hashes.setdefault(found.group(), plain)

    def _instant(self, found: re.Match[str]) -> str:
        """What was measured moves with the clock and loses its seconds; what somebody wrote keeps its time of day."""
        told = datetime.fromisoformat(found.group())
        is_measured = bool(told.second or told.microsecond)
        moved = (told + self._exact).replace(second=0, microsecond=0) if is_measured else told + self._days
        return moved.isoformat().replace("+00:00", "Z")
