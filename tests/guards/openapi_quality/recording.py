"""Records the examples of the reference: `make examples`. Every operation is asked once, as its owner, and undone.

pytest runs this file where it is named, and never by itself: it writes `services/kernel/http/openapi/examples.json`.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col

from services.app import openapi_document
from services.kernel import clock
from services.kernel.events import EventRow, render
from services.kernel.http.openapi.examples import RECORDED
from services.kernel.http.routing import Runtime
from tests.guards.authorization.asking import Call, Operation, operations, owner_of, request
from tests.guards.authorization.calls import calls
from tests.guards.authorization.world import World, built
from tests.guards.openapi_quality.smoothing import Smoothing

MOST_ROWS = 2
TEXTS = ("text/", "application/vc+jwt", "application/x-ndjson")


@dataclass
class Recorded:
    answers: dict[str, list[list[Any]]] = field(default_factory=dict)
    events: dict[str, Any] = field(default_factory=dict)


async def test_every_operation_is_asked_once(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async with runtime.sessions() as session:
        begun = await clock.market_now(session, livemode=False)
    async with built(runtime, client) as world:
        known, found = calls(world), Recorded()
        await _record_events(found, world, causes=None)
        asked = operations(_document(client))
        for operation in asked:
            if operation.id in known:
                await _record(found, operation, known[operation.id], world, client)
    _write(found, begun)
    print("without an answer of their own:", sorted({each.id for each in asked} - set(found.answers)))


def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    return openapi_document(transport.app)  # type: ignore[arg-type]


async def _record(found: Recorded, operation: Operation, call: Call, world: World, client: httpx.AsyncClient) -> None:
    for media_type in _media_types(_document(client)["paths"][operation.template][operation.method.lower()]):
        sent = request(client, operation, call, owner_of(world, call))
        sent.headers["Accept"] = media_type
        savepoint = await world.sessions.kw["bind"].begin_nested()
        try:
            answer = await client.send(sent)
            if answer.is_success:
                found.answers.setdefault(operation.id, []).append(_told(answer))
                await _record_events(found, world, causes=answer.headers["x-request-id"])
        finally:
            await savepoint.rollback()


def _media_types(told: dict[str, Any]) -> list[str]:
    """What a success may be written in; anything, where there is nothing to choose."""
    answers = [response for status, response in told["responses"].items() if status.startswith("2")]
    offered = list(answers[0].get("content", {}))
    return offered if len(offered) > 1 else ["*/*"]


def _told(answer: httpx.Response) -> list[Any]:
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if not answer.content:
        return [str(answer.status_code), media_type, None]
    if media_type == "application/json" or media_type.endswith("+json"):
        return [str(answer.status_code), media_type, _shortened(answer.json())]
    return [str(answer.status_code), media_type, answer.text if media_type.startswith(TEXTS) else None]


def _shortened(body: Any) -> Any:
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        return body | {"data": body["data"][:MOST_ROWS]}
    return body


async def _record_events(found: Recorded, world: World, *, causes: str | None) -> None:
    """The first of each type is kept."""
    query = select(EventRow).order_by(col(EventRow.ordinal))
    if causes is not None:
        query = query.where(col(EventRow.cause) == causes)
    async with world.sessions() as session:
        for row in (await session.execute(query)).scalars():
            if row.audience_orgs:
                found.events.setdefault(row.type, _numbered(_fullest(row)))


def _fullest(row: EventRow) -> dict[str, Any]:
    """As that role hears it from which the least is hidden."""
    return max((render(row, org_id) for org_id in sorted(row.audience_orgs)), key=lambda event: len(event["data"]))


def _numbered(event: dict[str, Any]) -> dict[str, Any]:
    """What was rolled back has no place in the feed; it is shown as it would have had."""
    numbers = {"id": event["subject"]["id"], "sequence": event["subject"]["sequence"] or 1}
    return event | {"seq": event["seq"] or 1, "subject": numbers}


def _write(found: Recorded, begun: datetime) -> None:
    smooth = Smoothing(begun)
    events = {name: smooth.json(event) for name, event in sorted(found.events.items())}
    answers = {name: smooth.json(told) for name, told in sorted(found.answers.items())}
    told = {"answers": answers, "events": events}
    RECORDED.write_text(json.dumps(told, indent=1, ensure_ascii=False, sort_keys=False) + "\n", "utf-8")
