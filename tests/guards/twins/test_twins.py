"""Every POST that takes an Idempotency-Key: twenty twins at once, and a retry after a death between effect and answer."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url, text

from services.app import openapi_document
from services.kernel import database, second_wall
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.http.routing import Runtime
from tests.conftest import Race, client_of, clone, leave, with_lane_to
from tests.guards.authorization.asking import Operation, operations, owner_of, request
from tests.guards.authorization.calls import calls
from tests.guards.authorization.world import World, built

TWINS = 20
WITHOUT_KEY = {"oauth.token"}
"""Every token is a new one, and RFC 6749 knows no key."""

ENDS_ITS_CREDENTIAL = {"sessions.end"}
"""Whoever comes again with what the first has ended is nobody, and gets no replay: 401 is his answer."""

_REVIEW = "UPDATE organization SET verification_status = 'in_review' WHERE id = :seller"
PREPARED = {
    "organizations.submit": text("UPDATE organization SET verification_status = 'unverified' WHERE id = :seller"),
    "organizations.request_changes": text(_REVIEW),
    "organizations.reject": text(_REVIEW),
    "organizations.verify": text(_REVIEW),
    "listings.relist_remainder": text(
        "UPDATE listing SET status = 'partially_awarded', lot_rule = 'by_item' WHERE id = :draft"
    ),
}
"""Where things must stand for these to succeed: the sandbox verifies at once, and nothing of the market is sold in part."""

Rows = dict[str, int]


@dataclass(frozen=True)
class Place:
    """A clone of the market of the authorization matrix, with the app on it."""

    runtime: Runtime
    client: httpx.AsyncClient
    url: str

    async def rows(self) -> Rows:
        """How many rows each table holds; the queue's work is done elsewhere."""
        async with second_wall.house(self.runtime.sessions) as session:
            tables = (await session.execute(_TABLES)).scalars().all()
            counted = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables)
            return {row[0]: row[1] for row in await session.execute(text(counted))}


_TABLES = text(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    " AND table_name NOT LIKE 'pgqueuer%' ORDER BY 1"
)


class DyingServer:
    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.guards.twins.dying", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def send(self, url: str, sent: httpx.Request) -> dict[str, int]:
        """The status it would have answered with, and the signal it died of."""
        line = {
            "url": url,
            "method": sent.method,
            "path": sent.url.path,
            "query": sent.url.query.decode(),
            "headers": [(name, value) for name, value in sent.headers.items()],
            "body": base64.b64encode(sent.content).decode(),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._read())
        return answer

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture
def dying(tmp_path: Path) -> Iterator[DyingServer]:
    server = DyingServer(tmp_path)
    yield server
    server.stop()


@pytest.mark.race
async def test_every_post_has_one_effect_for_twins_and_for_a_retry_after_a_death(
    race: Race, postgres: EmbeddedPostgres, dying: DyingServer
) -> None:
    asked = [each for each in operations(_document(race)) if each.method == "POST" and each.id not in WITHOUT_KEY]
    async with built(race.runtime, race.client) as world:
        sent = {each.id: _request(race.client, each, world) for each in asked}
        sent["sessions.end"].headers["Authorization"] = f"Bearer {await _session(race.client, sent['sessions.create'])}"
        things = {"seller": world.party("seller").org.id, "draft": world["draft"]}
        await leave(race.runtime)
        found = [
            f"{each.id}: {violation}"
            for each in asked
            for violation in await _violations(Source(race, postgres, each.id, things), dying, sent[each.id])
        ]
    assert not found, "\n".join(["", *found])


def _document(race: Race) -> dict[str, Any]:
    transport = race.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    app: Any = transport.app
    return openapi_document(app)


def _request(client: httpx.AsyncClient, operation: Operation, world: World) -> httpx.Request:
    call = calls(world)[operation.id]
    sent = request(client, operation, call, owner_of(world, call))
    sent.read()
    sent.headers["Idempotency-Key"] = f"twins-of-{operation.id}-{os.urandom(8).hex()}"
    return sent


async def _session(client: httpx.AsyncClient, signing_in: httpx.Request) -> str:
    signing_in = _copy(signing_in)
    signing_in.headers["Idempotency-Key"] = "a session to be ended"
    answer = await client.send(signing_in)
    return str(answer.json()["token"])


async def _violations(source: "Source", dying: DyingServer, sent: httpx.Request) -> list[str]:
    async with _cloned(source, "died") as place:
        before = await place.rows()
        death = await asyncio.to_thread(dying.send, place.url, sent)
        after_death = await place.rows()
        retried = await place.client.send(_copy(sent))
        after_retry = await place.rows()
    async with _cloned(source, "twins") as place:
        twins = await asyncio.gather(*(place.client.send(_copy(sent)) for _ in range(TWINS)))
        after_twins = await place.rows()
    return [
        *_of_death(source, death, retried, _difference(before, after_death), _difference(after_death, after_retry)),
        *_of_twins(source, list(twins), _difference(after_death, after_twins)),
    ]


def _of_death(
    source: "Source", death: dict[str, int], retried: httpx.Response, effect: Rows, again: Rows
) -> Iterator[str]:
    if death["signal"] != 9 or not 200 <= death["status"] < 300 or not effect:
        yield f"did not die after an effect: {death}, {effect}"
    is_replay = retried.status_code == death["status"] and "idempotency-replayed" in retried.headers
    if not is_replay and not source.is_nobody(retried):
        yield f"the retry was no replay: {retried.status_code} {retried.text[:200]}"
    if again:
        yield f"the retry had an effect of its own: {again}"


def _of_twins(source: "Source", twins: list[httpx.Response], beyond_one: Rows) -> Iterator[str]:
    twins = [twin for twin in twins if not source.is_nobody(twin)]
    first = [twin for twin in twins if "idempotency-replayed" not in twin.headers]
    if len(first) != 1 or len({(twin.status_code, twin.content) for twin in twins}) != 1:
        yield f"{len(first)} of {TWINS} were first, {sorted({twin.status_code for twin in twins})}"
    if beyond_one:
        yield f"the twins left other rows than one request: {beyond_one}"


def _difference(before: Rows, after: Rows) -> Rows:
    return {table: after[table] - before[table] for table in after if after[table] != before[table]}


def _copy(sent: httpx.Request) -> httpx.Request:
    return httpx.Request(sent.method, sent.url, headers=sent.headers, content=sent.content)


@dataclass(frozen=True)
class Source:
    """What is cloned."""

    race: Race
    postgres: EmbeddedPostgres
    operation: str
    things: dict[str, str]

    def is_nobody(self, answer: httpx.Response) -> bool:
        return self.operation in ENDS_ITS_CREDENTIAL and answer.status_code == 401

    async def prepare(self, place: Place) -> None:
        if (statement := PREPARED.get(self.operation)) is not None:
            async with second_wall.house(place.runtime.sessions) as session:
                values = {name: value for name, value in self.things.items() if f":{name}" in str(statement)}
                await session.execute(statement, values)
                await session.commit()


@asynccontextmanager
async def _cloned(source: Source, name: str) -> AsyncIterator[Place]:
    template = str(make_url(source.race.url).database)
    url = clone(source.postgres, template, f"{template}_{name}")
    engine = database.connect(url, pool_size=TWINS)
    sessions = database.sessions_of(engine, settings=source.race.runtime.settings)
    runtime = replace(source.race.runtime, sessions=sessions, engine=engine)
    with_lane_to(runtime, url)
    async with client_of(runtime) as client:
        place = Place(runtime, client, url)
        await source.prepare(place)
        yield place
    await leave(runtime)
    source.postgres.drop_database(f"{template}_{name}")
