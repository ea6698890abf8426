"""The tests in JavaScript, each reported under its own sentence."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.webhooks import signing
from tests.clients.sample import build_app, served
from tests.clients.typescript import node

SENT_AT = 1_795_000_000
SECRET, OTHER_SECRET = (signing.PREFIX + base64.b64encode(bytes(range(at, at + 32))).decode() for at in (0, 32))
ENVELOPE = {"id": "evt_1", "type": "order.settled", "livemode": False, "seq": 3, "data": {"städte": ["Köln"]}}
NONSENSE = (b"[]", b"not json", b'{"\xff": 1}')

pytestmark = pytest.mark.xdist_group("typescript")


@pytest.fixture(scope="module")
def transport(project: Path) -> dict[str, str]:
    return node.verdicts(node.program(project, "transport.mjs"))


@pytest.mark.parametrize("sentence", node.sentences("transport.mjs"))
def test_transport(sentence: str, transport: dict[str, str]) -> None:
    assert transport[sentence] == ""


@pytest.fixture(scope="module")
def webhooks(project: Path) -> dict[str, str]:
    payload = json.dumps(ENVELOPE, ensure_ascii=False).encode()
    delivery = {
        "payload": payload.decode(),
        "headers": _signed(payload, SECRET),
        "rotating": _signed(payload, SECRET, OTHER_SECRET),
        "secret": SECRET,
        "otherSecret": OTHER_SECRET,
        "sentAt": SENT_AT,
    }
    nonsense = [{"payload": base64.b64encode(one).decode(), "headers": _signed(one, SECRET)} for one in NONSENSE]
    variables = {"DELIVERY": json.dumps(delivery), "SIGNED_NONSENSE": json.dumps(nonsense)}
    return node.verdicts(node.program(project, "webhooks.mjs"), variables)


def _signed(body: bytes, *secrets: str) -> dict[str, str]:
    """Headers as the server sends them."""
    return signing.headers(secrets, message_id="evt_1", timestamp=SENT_AT, body=body)


@pytest.mark.parametrize("sentence", node.sentences("webhooks.mjs"))
def test_webhooks(sentence: str, webhooks: dict[str, str]) -> None:
    assert webhooks[sentence] == ""


@pytest.fixture(scope="module")
def sample(sample_project: Path) -> Iterator[dict[str, str]]:
    with served(build_app()) as url:
        yield node.verdicts(node.program(sample_project, "sample.mjs"), {"SAMPLE_URL": url})


@pytest.mark.parametrize("sentence", node.sentences("sample.mjs"))
def test_sample(sentence: str, sample: dict[str, str]) -> None:
    assert sample[sentence] == ""
