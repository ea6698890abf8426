"""Examples of answers and of events, recorded from the app by the tests (`make examples`) and kept beside this file."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from services.kernel.http.openapi.operations import MEDIA_TYPE_JSON, Document, operations

_KEY = "key_01kaq4m8q3e8xvw2t5n6r00000"
WRITTEN: dict[str, Document] = {
    "documents.create": {
        "file": "(the bytes of certificate.pdf)",
        "kind": "carrier_licence",
        "number": "D-09-4711",
        "issuer": "Stadt Kassel",
        "issued_on": "2026-03-01",
        "valid_until": "2031-02-28",
    },
    "imports.create": {
        "file": "(the bytes of manifest.csv)",
        "profile": "backhaul-1",
        "listing_id": "lst_01kaq4m8q3e8xvw2t5n6r00000",
    },
    "oauth.token": {"grant_type": "client_credentials", "client_id": _KEY, "client_secret": "bh_test_shown_once"},
}
"""Requests that are forms."""
_ENDED: Document = {
    "id": "ses_01kaq4m8q3e8xvw2t5n6r00000",
    "org_id": "org_01kaq4m8q3e8xvw2t5n6r00000",
    "member_id": "mem_01kaq4m8q3e8xvw2t5n6r00000",
    "livemode": False,
    "expires_at": "2026-11-23T21:00:00Z",
    "ended_at": "2026-11-23T10:30:00Z",
    "created_at": "2026-11-23T09:00:00Z",
}
UNRECORDED: dict[str, list[list[Any]]] = {"sessions.end": [["200", MEDIA_TYPE_JSON, _ENDED]]}
"""Answers that no key is given."""
RECORDED = Path(__file__).parent / "examples.json"


def complete(document: Document) -> None:
    """An operation that could not be recorded shows what another one answers of the same schema."""
    known: dict[str, Any] = {}
    answers = UNRECORDED | recorded()["answers"]
    for operation in operations(document):
        for media in operation.told.get("requestBody", {}).get("content", {}).values():
            if operation.id in WRITTEN:
                media["example"] = WRITTEN[operation.id]
        for status, media_type, example in answers.get(operation.id, []):
            media = operation.told["responses"].get(status, {}).get("content", {}).get(media_type)
            if media is not None and example is not None:
                shown = _message(example) if media_type == "text/event-stream" else example
                media["example"] = known[str(media["schema"])] = shown
    for media in _answers(document):
        if "example" not in media and str(media["schema"]) in known:
            media["example"] = known[str(media["schema"])]
    for event_type, hook in document.get("webhooks", {}).items():
        if event_type in recorded()["events"]:
            hook["post"]["requestBody"]["content"][MEDIA_TYPE_JSON]["example"] = recorded()["events"][event_type]


def _message(stream: str) -> dict[str, str]:
    """The first one of a stream, by its fields."""
    lines = stream.partition("\n\n")[0].splitlines()
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def _answers(document: Document) -> Iterator[Document]:
    for operation in operations(document):
        for status, response in operation.told["responses"].items():
            if status.startswith("2") and MEDIA_TYPE_JSON in response.get("content", {}):
                yield response["content"][MEDIA_TYPE_JSON]


@cache
def recorded() -> dict[str, Any]:
    """`answers` by operationId: (status, media type, body); `events` by type: the whole envelope."""
    if not RECORDED.exists():
        return {"answers": {}, "events": {}}
    found: dict[str, Any] = json.loads(RECORDED.read_text("utf-8"))
    return found
