"""Checking that a delivery came from Backhaul, by Standard Webhooks (HMAC-SHA256, signature version v1)."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ._errors import WebhookVerificationFailed
from ._generated.events import EVENTS
from ._models import Event, UnknownEvent


def verify_webhook(
    payload: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    tolerance: float = 300,
    now: float | None = None,
) -> Event:
    """The event of a genuine delivery.

    payload: the body as it arrived, never re-encoded JSON. secret: `whsec_…`, or several while one is being rotated.
    tolerance: seconds the delivery may be older or newer than `now` (Unix seconds, default the machine's clock).
    Raises WebhookVerificationFailed, or ValueError for a secret that is none.
    """
    secrets = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    if not secrets:
        raise ValueError("no secret to verify with")
    message_id, timestamp, signatures = _signed_headers(headers)
    _refuse_out_of_time(timestamp, tolerance, time.time() if now is None else now)
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + payload
    _refuse_unsigned(signed, signatures, secrets)
    return read_event(_parsed(payload))


def read_event(envelope: Mapping[str, Any]) -> Event:
    """An event envelope, of a delivery or of the event feed, as its class; an unknown type as UnknownEvent."""
    return EVENTS.get(str(envelope.get("type")), UnknownEvent)(envelope)


def _signed_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    values = [lowered.get(f"webhook-{name}") for name in ("id", "timestamp", "signature")]
    message_id, timestamp, signatures = values
    if not (message_id and timestamp and signatures):
        raise WebhookVerificationFailed(
            "webhook-id, webhook-timestamp and webhook-signature are needed", code="missing_header"
        )
    return message_id, timestamp, signatures


def _refuse_out_of_time(timestamp: str, tolerance: float, now: float) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise WebhookVerificationFailed("webhook-timestamp is not a number of seconds", code="bad_timestamp")
    age = now - int(timestamp)
    if age > tolerance:
        raise WebhookVerificationFailed(f"sent {age:.0f} s ago", code="too_old")
    if age < -tolerance:
        raise WebhookVerificationFailed(f"sent {-age:.0f} s in the future", code="too_new")


def _refuse_unsigned(signed: bytes, signatures: str, secrets: list[bytes]) -> None:
    """Compares the base64 texts, since several texts decode to the same bytes. Every pair is compared, match or not."""
    expected = [base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()) for secret in secrets]
    given = [one.removeprefix("v1,").encode() for one in signatures.split(" ") if one.startswith("v1,")]
    matches = [hmac.compare_digest(signature, ours) for signature in given for ours in expected]
    if not any(matches):
        raise WebhookVerificationFailed("no signature matches", code="no_match")


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(payload)
    except ValueError as error:
        raise WebhookVerificationFailed("signed, but not JSON", code="bad_payload") from error
    if not isinstance(envelope, dict):
        raise WebhookVerificationFailed("signed, but not an event envelope", code="bad_payload")
    return envelope


def _key(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is base64 after whsec_") from error
    if not key:
        raise ValueError("a webhook secret is not empty")
    return key
