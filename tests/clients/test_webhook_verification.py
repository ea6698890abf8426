"""Deliveries are believed only when they are signed, unchanged and fresh."""

import base64
import json
import random
import time
from datetime import UTC, datetime

import pytest
from backhaul_client import UnknownEvent, WebhookVerificationFailed, read_event, verify_webhook
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(24, 48))).decode()
SENT_AT = 1_795_000_000
PAYLOAD = json.dumps(
    {"id": "evt_1", "type": "order.invented", "timestamp": "2026-11-18T11:06:40Z", "data": {"städte": ["Köln"]}},
    ensure_ascii=False,
).encode()


def signed(payload: bytes = PAYLOAD, secret: str = SECRET, at: int = SENT_AT) -> dict[str, str]:
    """Headers as the reference library signs them."""
    signature = Webhook(secret).sign("evt_1", datetime.fromtimestamp(at, UTC), payload.decode())
    return {"webhook-id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": signature}


def refused(payload: bytes, headers: dict[str, str], secret: str | list[str] = SECRET, now: float = SENT_AT) -> str:
    """The code of the refusal."""
    with pytest.raises(WebhookVerificationFailed) as raised:
        verify_webhook(payload, headers, secret, now=now)
    return raised.value.code


def test_a_genuine_delivery_is_read() -> None:
    event = verify_webhook(PAYLOAD, signed(), SECRET, now=SENT_AT)
    assert isinstance(event, UnknownEvent)
    assert (event.id, event.type, event.data) == ("evt_1", "order.invented", {"städte": ["Köln"]})


def test_header_names_come_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed().items()}
    assert verify_webhook(PAYLOAD, headers, SECRET, now=SENT_AT).id == "evt_1"


def test_ten_thousand_mutations_are_refused() -> None:
    chance = random.Random(20261122)
    headers = signed()
    parts = [PAYLOAD, *(value.encode() for value in headers.values())]
    accepted = 0
    for _ in range(10_000):
        mutated = list(parts)
        which = chance.randrange(len(parts))
        position = chance.randrange(len(parts[which]))
        changed = bytearray(parts[which])
        changed[position] ^= chance.randrange(1, 128)
        mutated[which] = bytes(changed)
        texts = [part.decode("latin-1") for part in mutated[1:]]
        accepted += believed(mutated[0], dict(zip(headers, texts, strict=True)))
    assert accepted == 0
    assert believed(PAYLOAD, headers)


def believed(payload: bytes, headers: dict[str, str]) -> bool:
    try:
        verify_webhook(payload, headers, SECRET, now=SENT_AT)
    except WebhookVerificationFailed:
        return False
    return True


def test_shortened_and_lengthened_payloads_are_refused() -> None:
    assert refused(PAYLOAD[:-1], signed()) == "no_match"
    assert refused(PAYLOAD + b" ", signed()) == "no_match"


def test_a_delivery_is_refused_outside_the_tolerance_on_both_sides() -> None:
    assert refused(PAYLOAD, signed(), now=SENT_AT + 301) == "too_old"
    assert refused(PAYLOAD, signed(), now=SENT_AT - 301) == "too_new"
    assert verify_webhook(PAYLOAD, signed(), SECRET, now=SENT_AT + 300).id == "evt_1"
    assert verify_webhook(PAYLOAD, signed(), SECRET, now=SENT_AT - 300).id == "evt_1"


def test_the_clock_of_the_machine_is_the_default() -> None:
    assert verify_webhook(PAYLOAD, signed(at=int(time.time())), SECRET).id == "evt_1"
    with pytest.raises(WebhookVerificationFailed):
        verify_webhook(PAYLOAD, signed(at=int(time.time()) - 1000), SECRET)


def test_the_wrong_secret_is_refused() -> None:
    assert refused(PAYLOAD, signed(), OTHER_SECRET) == "no_match"


def test_either_secret_is_believed_while_one_replaces_the_other() -> None:
    assert verify_webhook(PAYLOAD, signed(secret=OTHER_SECRET), [SECRET, OTHER_SECRET], now=SENT_AT).id == "evt_1"
    both = signed()["webhook-signature"] + " " + signed(secret=OTHER_SECRET)["webhook-signature"]
    assert verify_webhook(PAYLOAD, signed() | {"webhook-signature": both}, OTHER_SECRET, now=SENT_AT).id == "evt_1"


def test_other_signature_versions_are_passed_over() -> None:
    mac = signed()["webhook-signature"].removeprefix("v1,")
    assert refused(PAYLOAD, signed() | {"webhook-signature": f"v1a,{mac} v2,{mac}"}) == "no_match"
    assert verify_webhook(PAYLOAD, signed() | {"webhook-signature": f"v1a,AAAA v1,{mac}"}, SECRET, now=SENT_AT)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named_as_such(missing: str) -> None:
    headers = signed()
    del headers[missing]
    assert refused(PAYLOAD, headers) == "missing_header"


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1e9", "+1795000000", "１７９５００００００", "1795000000.0"])
def test_a_timestamp_that_is_no_plain_number_is_refused(timestamp: str) -> None:
    assert refused(PAYLOAD, signed() | {"webhook-timestamp": timestamp}) == "bad_timestamp"


@pytest.mark.parametrize("payload", [b"[]", b"not json"])
def test_a_signed_payload_that_is_no_envelope_is_refused(payload: bytes) -> None:
    assert refused(payload, signed(payload)) == "bad_payload"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", []])
def test_a_secret_that_is_none_is_a_mistake_of_the_caller(secret: str | list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(PAYLOAD, signed(), secret, now=SENT_AT)


def test_the_reference_library_and_ours_agree_on_good_and_bad() -> None:
    chance = random.Random(7)
    now = int(time.time())
    for _ in range(200):
        payload = json.dumps({"id": "evt_1", "n": chance.random()}).encode()
        headers = signed(payload, secret=chance.choice([SECRET, OTHER_SECRET]), at=now - chance.choice([0, 10, 900]))
        assert reference_believes(payload, headers) == ours_believes(payload, headers)


def reference_believes(payload: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(payload, headers)
    except WebhookVerificationError:
        return False
    return True


def ours_believes(payload: bytes, headers: dict[str, str]) -> bool:
    try:
        verify_webhook(payload, headers, SECRET)
    except WebhookVerificationFailed:
        return False
    return True


def test_an_envelope_of_the_feed_is_read_like_a_delivery() -> None:
    subject = {"id": "ord_1", "sequence": 2}
    event = read_event({"type": "order.invented", "data": {}, "brand_new": 1, "subject": subject})
    assert isinstance(event, UnknownEvent)
    assert (event["brand_new"], event.subject.id, event.transition) == (1, "ord_1", None)
