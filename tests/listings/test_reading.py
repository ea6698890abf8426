"""A listing by the lane: the same answer as its route's, and nothing that the door or the policies would not show."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.http.routing import Known, Runtime
from services.parties.recognizing import DOOR
from tests.conftest import client_of
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing
from tests.factories.parties import Party, organization

TOLD = ("etag", "content-type", "backhaul-version")


class Watched:
    """The lane, counting the statements that went over it."""

    def __init__(self, runtime: Runtime) -> None:
        assert runtime.lane is not None
        self._lane = runtime.lane
        self.taken = 0
        runtime.lane = self

    def connect(self) -> AbstractAsyncContextManager[Any]:
        self.taken += 1
        return self._lane.connect()

    async def known(self, token: str) -> Known | None:
        return await self._lane.known(token)

    def forget(self, token: str) -> None:
        self._lane.forget(token)


@pytest.fixture
def lane(runtime: Runtime) -> Watched:
    return Watched(runtime)


@pytest.fixture
async def route(sessions: Sessions, runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The same market without a lane."""
    without = Runtime(settings=runtime.settings, sessions=sessions, authenticate=runtime.authenticate)
    async with client_of(without) as client:
        yield client


async def asked_both(
    client: httpx.AsyncClient, route: httpx.AsyncClient, party: Party, path: str
) -> tuple[httpx.Response, httpx.Response]:
    await client.get(path, headers=party.headers)
    return await client.get(path, headers=party.headers), await route.get(path, headers=party.headers)


def told(answer: httpx.Response) -> tuple[Any, ...]:
    return (answer.status_code, answer.json(), {name: answer.headers.get(name) for name in TOLD})


@pytest.mark.parametrize(("role", "by_lane_at_least"), [("recycler", 1), ("operator", 0)])
async def test_the_lane_answers_what_the_route_does(
    sessions: Sessions,
    client: httpx.AsyncClient,
    route: httpx.AsyncClient,
    lane: Watched,
    role: str,
    by_lane_at_least: int,
) -> None:
    seller, reader = await organization(sessions), await organization(sessions, [role])
    listing = await open_listing(sessions, seller, [motors(), lithium_modules()])

    by_lane, by_route = await asked_both(client, route, reader, f"/v1/listings/{listing.id}")

    assert lane.taken >= by_lane_at_least
    assert told(by_lane) == told(by_route)
    assert len(by_lane.json()["items"]) == 2


NEAR = "near=51.3127,9.4797&radius_km=50"
SEARCHES = [
    "",
    "?limit=1",
    "?material=steel&sort=closing",
    f"?{NEAR}",
    f"?{NEAR}&sort=distance&limit=2",
    "?text=motors",
]


@pytest.mark.parametrize("query", SEARCHES)
async def test_a_search_is_answered_as_by_the_route(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, lane: Watched, query: str
) -> None:
    seller, reader = await organization(sessions), await organization(sessions, ["recycler"])
    for _ in range(3):
        await open_listing(sessions, seller, [motors()])

    by_lane, by_route = await asked_both(client, route, reader, f"/v1/listings/search{query}")

    assert lane.taken >= 1
    assert by_lane.json()["data"]
    assert told(by_lane) == told(by_route)


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?material=unobtainium",
        "?near=north",
        "?sort=distance",
        "?cursor=!!",
        "?closes_until=0.5",
        "?text=motors%00",
    ],
)
async def test_a_search_that_is_refused_is_refused_by_the_route(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, lane: Watched, query: str
) -> None:
    reader = await organization(sessions, ["recycler"])

    by_lane, by_route = await asked_both(client, route, reader, f"/v1/listings/search{query}")

    assert (lane.taken, by_lane.status_code) == (0, 422)
    assert by_lane.json()["errors"] == by_route.json()["errors"]


async def test_what_others_may_not_see_is_refused_as_by_the_route(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, lane: Watched
) -> None:
    seller, stranger = await organization(sessions), await organization(sessions, ["recycler"])
    draft = await draft_listing(sessions, seller, [motors()])
    invited = await open_listing(sessions, seller, [motors()], visibility="invited", invited=[seller.org.id])

    answers = [
        answer
        for listing in (draft, invited)
        for answer in await asked_both(client, route, stranger, f"/v1/listings/{listing.id}")
    ]

    assert lane.taken >= 2
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 4


async def test_whom_a_capability_lets_in_reads_by_the_lane_as_by_the_route(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, lane: Watched
) -> None:
    seller, operator = await organization(sessions), await organization(sessions, ["operator"], "Backhaul")
    able, unable = await organization(sessions, ["recycler"]), await organization(sessions, ["repairer"], "Fern AG")
    asked: dict[str, Any] = {"visibility": "invited", "invited_capability": {"roles": ["recycler"]}}
    path = f"/v1/listings/{(await open_listing(sessions, seller, [motors()], **asked)).id}"

    answers = {party.org.id: await asked_both(client, route, party, path) for party in (able, operator, unable)}

    assert lane.taken == 4
    for party in (able, operator):
        by_lane, by_route = answers[party.org.id]
        assert told(by_lane) == told(by_route)
    assert [answers[party.org.id][0].status_code for party in (able, operator, unable)] == [200, 200, 404]


async def test_a_revoked_key_opens_nothing_from_then_on(
    sessions: Sessions, client: httpx.AsyncClient, lane: Watched
) -> None:
    seller, buyer = await organization(sessions), await organization(sessions, ["recycler"])
    path = f"/v1/listings/{(await open_listing(sessions, seller, [motors()])).id}"
    before = [(await client.get(path, headers=buyer.headers)).status_code for _ in range(2)]
    assert (before, lane.taken) == ([200, 200], 2)

    revoked = await client.post(f"/v1/api-keys/{buyer.actor.key_id}/revoke", headers=buyer.headers)

    assert revoked.status_code == 200
    assert (await client.get(path, headers=buyer.headers)).status_code == 401


async def test_a_role_that_is_taken_away_counts_from_then_on(
    sessions: Sessions, client: httpx.AsyncClient, lane: Watched
) -> None:
    seller, buyer = await organization(sessions), await organization(sessions, ["recycler"])
    path = f"/v1/listings/{(await open_listing(sessions, seller, [motors()])).id}"
    assert (await client.get(path, headers=buyer.headers)).status_code == 200

    async with sessions() as session:
        await session.execute(
            text("UPDATE api_key SET scopes = '{bids:read}' WHERE id = :key"), {"key": buyer.actor.key_id}
        )
        await session.commit()

    refused = await client.get(path, headers=buyer.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")


async def test_a_statement_that_forgets_to_ask_sees_what_the_policies_show(
    sessions: Sessions, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    seller, stranger = await organization(sessions), await organization(sessions, ["recycler"])
    await draft_listing(sessions, seller, [motors()])
    assert runtime.lane is not None
    await runtime.lane.known(stranger.key)
    known = await runtime.lane.known(stranger.key)
    assert known is not None

    forgetful = f"{DOOR} SELECT is_known, (SELECT count(*) FROM listing WHERE door.is_known) AS seen FROM door"
    async with runtime.lane.connect() as connection:
        row = await connection.fetchrow(forgetful, *known.parameters)

    assert dict(row) == {"is_known": True, "seen": 0}
