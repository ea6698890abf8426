"""Bids that are taken together: what the route would have answered, written and told, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.bidding import intent_log
from services.bidding.together import desk, queries, taking
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from tests.bidding.lots import open_lot
from tests.conftest import Advance, Race, client_of
from tests.factories.bidding import processor
from tests.factories.listings import motors
from tests.factories.parties import Party, organization

DRAWN = (
    "id",
    "ordinal",
    "received_at",
    "created_at",
    "occurred_at",
    "recorded_at",
    "cause",
    "request_id",
    "listing_id",
)


@pytest.fixture
async def route(sessions: Sessions, runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The same market without a lane."""
    without = Runtime(settings=runtime.settings, sessions=sessions, authenticate=runtime.authenticate)
    async with client_of(without) as client:
        yield client


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bids of each batch were answered without their routes."""
    counts: list[int] = []
    take = taking.take

    async def counted(*args: Any, **named: Any) -> list[Any]:
        answers = await take(*args, **named)
        counts.append(sum(answer is not None for answer in answers))
        return answers

    monkeypatch.setattr(desk, "take", counted)
    return counts


@pytest.fixture
async def seller(sessions: Sessions) -> Party:
    return await organization(sessions)


@pytest.fixture
async def bidder(sessions: Sessions) -> Party:
    return await processor(sessions)


@pytest.fixture
async def listing(sessions: Sessions, seller: Party) -> Listing:
    return await open_lot(sessions, seller, [motors()], mode="timed")


async def bid(
    client: httpx.AsyncClient, listing: Listing, bidder: Party, euros: int, key: str | None = None, **more: Any
) -> httpx.Response:
    sent = {
        "listing_id": listing.id,
        "site_id": bidder.site.id,
        "price": {"amount": f"{euros}.00", "currency": "EUR"},
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    headers = bidder.headers if key is None else bidder.headers | {"Idempotency-Key": key}
    return await client.post("/v1/bids", json=sent | more, headers=headers)


async def rows(sessions: Sessions, sql: str, **values: Any) -> list[dict[str, Any]]:
    async with sessions() as session:
        return [dict(row._mapping) for row in (await session.execute(text(sql), values)).all()]


def plain(told: Any, drawn: dict[str, str]) -> Any:
    """Without what is drawn or read from a clock; ids by the order in which they come up."""
    if isinstance(told, dict):
        return {name: plain(inner, drawn) for name, inner in told.items() if name not in DRAWN}
    if isinstance(told, list):
        return [plain(inner, drawn) for inner in told]
    if isinstance(told, str) and len(told) == 30 and told[:4] in ("bid_", "lst_", "evt_"):
        return drawn.setdefault(told, f"{told[:4]}{len(drawn)}")
    return told


async def left(sessions: Sessions, listing: Listing) -> list[Any]:
    """Everything that bids for the listing have left in the database."""
    drawn: dict[str, str] = {listing.id: "the listing"}
    bids = await rows(sessions, "SELECT * FROM bid WHERE listing_id = :id ORDER BY sequence", id=listing.id)
    ids = [one["id"] for one in bids]
    events = await rows(sessions, "SELECT * FROM event WHERE subject_id = ANY (:ids) ORDER BY ordinal", ids=ids)
    entries = await rows(sessions, "SELECT * FROM audit_entry WHERE subject_ids && :ids ORDER BY ordinal", ids=ids)
    auction = await rows(sessions, "SELECT * FROM auction WHERE listing_id = :id", id=listing.id)
    end = await rows(sessions, "SELECT version FROM listing WHERE id = :id", id=listing.id)
    for entry in entries:
        for change in entry["changes"]:
            change["fields"].pop("received_at", None)
            change["fields"].pop("created_at", None)
        entry["changes"].sort(key=lambda change: str(change["kind"]))
        entry["subject_ids"] = len(entry["subject_ids"])
    for one in auction:
        one.pop("ends_at")
    return [plain(found, drawn) for found in (bids, events, entries, auction, end)]


async def story(client: httpx.AsyncClient, listing: Listing, one: Party, other: Party) -> list[Any]:
    """First, better, too low, raised by its limit, and its own again."""
    asked = [
        await bid(client, listing, one, 100),
        await bid(client, listing, other, 140, f"two {listing.id}", limit={"amount": "200.00", "currency": "EUR"}),
        await bid(client, listing, one, 141),
        await bid(client, listing, one, 120),
        await bid(client, listing, one, 190, haulage_ceiling={"amount": "700.00", "currency": "EUR"}),
        await bid(client, listing, other, 250, f"three {listing.id}", co2e={"value": "120", "unit": "kg"}),
    ]
    return [(answer.status_code, answer.json(), answer.headers.get("etag")) for answer in asked]


async def test_a_bid_is_answered_and_leaves_what_its_route_would(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, seller: Party, taken: list[int]
) -> None:
    one, other = await processor(sessions), await processor(sessions)
    for party in (one, other):
        await client.get("/v1/bids", headers=party.headers)
    told, remains = [], []
    for way in (client, route):
        listing = await open_lot(sessions, seller, mode="timed")
        told.append(plain([list(answer) for answer in await story(way, listing, one, other)], {listing.id: "lst"}))
        remains.append(await left(sessions, listing))
    assert taken == [1] * 6
    assert [answer[0] for answer in told[0]] == [201, 201, 201, 409, 201, 201]
    assert told[0] == told[1]
    assert remains[0] == remains[1]


async def test_a_key_that_was_used_replays_whoever_took_it(
    client: httpx.AsyncClient, route: httpx.AsyncClient, listing: Listing, bidder: Party, taken: list[int]
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    first = await bid(client, listing, bidder, 100, "mine")
    by_lane, by_route = await bid(client, listing, bidder, 100, "mine"), await bid(route, listing, bidder, 100, "mine")
    other = await bid(client, listing, bidder, 101, "mine")
    assert taken == [1, 0, 0]
    assert first.status_code == by_lane.status_code == by_route.status_code == 201
    assert by_lane.json() == by_route.json() == first.json()
    assert by_lane.headers["idempotency-replayed"] == "true"
    assert by_lane.headers["etag"] == first.headers["etag"]
    assert other.json()["code"] == "idempotency_key_reused"


async def test_what_came_after_the_end_is_refused_with_both_instants(
    client: httpx.AsyncClient, listing: Listing, bidder: Party, advance: Advance, taken: list[int]
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    assert listing.effective_end_at is not None
    await advance(listing.effective_end_at + timedelta(seconds=1))
    await client.get("/v1/bids", headers=bidder.headers)
    answer = await bid(client, listing, bidder, 100)
    told = {error["code"]: error["detail"] for error in answer.json()["errors"]}
    assert (taken, answer.status_code, answer.json()["code"]) == ([1], 409, "bidding_has_closed")
    assert told["received_at"] > told["ended_at"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            "UPDATE permit SET valid_from = '2001-01-01', valid_until = '2001-01-02' WHERE org_id = :bidder",
            "permit_expired",
        ),
        (
            "UPDATE permit_scope SET limit_g = 1 FROM permit WHERE permit.id = permit_id AND org_id = :bidder",
            "permit_tonnage",
        ),
        ("UPDATE organization SET verification_status = 'suspended' WHERE id = :bidder", "not_a_processor"),
        ("UPDATE site SET org_id = :seller WHERE org_id = :bidder", "site_not_yours"),
        ("UPDATE listing SET stops = '{recall_quarantine}' WHERE id = :listing", "recall_quarantine"),
        ("UPDATE listing SET visibility = 'invited' WHERE id = :listing", "not_found"),
        ("UPDATE organization SET vat_id = 'DE123456789' WHERE id IN (:bidder, :seller)", "own_listing"),
        ("UPDATE api_key SET revoked_at = now() WHERE org_id = :bidder", "unauthenticated"),
    ],
)
async def test_whatever_changes_is_asked_from_the_commit_on(
    sessions: Sessions,
    client: httpx.AsyncClient,
    seller: Party,
    listing: Listing,
    bidder: Party,
    taken: list[int],
    change: str,
    code: str,
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    assert (await bid(client, listing, bidder, 100)).status_code == 201
    values = {"bidder": bidder.org.id, "seller": seller.org.id, "listing": listing.id}
    async with sessions() as session:
        await session.execute(text(change), {name: value for name, value in values.items() if f":{name}" in change})
        await session.commit()
    answer = await bid(client, listing, bidder, 110)
    assert taken == [1, 0]
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "more",
    [
        {"price": {"amount": "100.00", "currency": "USD"}},
        {"limit": {"amount": "1.00", "currency": "EUR"}},
        {"disposition": "dispose"},
        {"operation": "R99"},
        {"parts": []},
        {"site_id": "site_00000000000000000000000000"},
        {"listing_id": "lst_00000000000000000000000000"},
        {"unknown": 1},
    ],
)
async def test_what_it_cannot_take_is_the_routes(
    client: httpx.AsyncClient,
    route: httpx.AsyncClient,
    listing: Listing,
    bidder: Party,
    taken: list[int],
    more: dict[str, Any],
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    by_lane, by_route = [await bid(way, listing, bidder, 100, **more) for way in (client, route)]
    told = [answer.json() | {"request_id": None} for answer in (by_lane, by_route)]
    assert sum(taken) == 0
    assert by_lane.status_code == by_route.status_code > 400
    assert told[0] == told[1]


async def test_a_bid_with_an_end_of_its_own_is_the_routes(
    client: httpx.AsyncClient, listing: Listing, bidder: Party, taken: list[int]
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    answer = await bid(client, listing, bidder, 100, valid_until="2099-01-01T00:00:00Z")
    assert (sum(taken), answer.status_code) == (0, 201)


@pytest.mark.parametrize("mode", ["sealed", "negotiated"])
async def test_other_ways_to_sell_are_the_routes(
    sessions: Sessions, client: httpx.AsyncClient, seller: Party, bidder: Party, taken: list[int], mode: str
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    answer = await bid(client, await open_lot(sessions, seller, mode=mode), bidder, 100)
    assert (sum(taken), answer.status_code) == (0, 201)


async def test_a_batch_that_breaks_leaves_nothing_and_every_bid_to_its_route(
    sessions: Sessions, client: httpx.AsyncClient, listing: Listing, bidder: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.get("/v1/bids", headers=bidder.headers)
    monkeypatch.setattr(queries, "WRITE", queries.WRITE.replace("SELECT (SELECT count(*) FROM kept)", "SELECT 1 / 0"))
    answer = await bid(client, listing, bidder, 100, "mine")
    told = await rows(sessions, "SELECT type FROM event WHERE subject_id = :id", id=answer.json()["id"])
    assert answer.status_code == 201
    assert len(await rows(sessions, "SELECT id FROM bid WHERE listing_id = :id", id=listing.id)) == 1
    assert len(told) == 2


@pytest.mark.parametrize("is_taken", [True, False])
async def test_an_end_that_moves_is_the_listings_too_and_is_told(
    sessions: Sessions,
    client: httpx.AsyncClient,
    route: httpx.AsyncClient,
    seller: Party,
    bidder: Party,
    advance: Advance,
    taken: list[int],
    is_taken: bool,
) -> None:
    closes_at = (await rows(sessions, "SELECT clock_timestamp() + interval '1 hour' AS at"))[0]["at"]
    cap, later = closes_at + timedelta(hours=1), closes_at + timedelta(minutes=5)
    listing = await open_lot(sessions, seller, [motors()], mode="timed", closes_at=closes_at, hard_cap_at=cap)
    await advance(closes_at - timedelta(minutes=2))
    await client.get("/v1/bids", headers=bidder.headers)
    answer = await bid(client if is_taken else route, listing, bidder, 100)
    (end,) = await rows(sessions, "SELECT effective_end_at, version FROM listing WHERE id = :id", id=listing.id)
    (told,) = await rows(sessions, "SELECT data, audience FROM event WHERE type = 'listing.extended'")
    assert (sum(taken), answer.status_code) == (int(is_taken), 201)
    assert end == {"effective_end_at": later, "version": listing.version + 1}
    assert [datetime.fromisoformat(told["data"][name]) for name in ("ended_at", "closes_at")] == [closes_at, later]
    assert told["audience"] == {seller.org.id: "seller", bidder.org.id: "processor"}


async def test_twins_that_arrive_together_have_one_effect(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller, mode="timed")
    await race.client.get("/v1/bids", headers=bidder.headers)
    answers = await asyncio.gather(*(bid(race.client, listing, bidder, 100, "twin") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await race.value("SELECT count(*) FROM bid WHERE listing_id = :id", id=listing.id) == 1
    assert await race.value("SELECT count FROM auction WHERE listing_id = :id", id=listing.id) == 1


async def test_a_lot_that_is_held_up_holds_up_nobody_elses(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    held, free = [await open_lot(race.sessions, seller, mode="timed") for _ in range(2)]
    await race.client.get("/v1/bids", headers=bidder.headers)
    async with UnitOfWork(race.sessions, system(False)) as work:
        await intent_log.seal(work, held.id)
        waiting = asyncio.create_task(bid(race.client, held, bidder, 100))
        await asyncio.sleep(0.2)
        told = await asyncio.wait_for(bid(race.client, free, bidder, 100), timeout=5)
        assert not waiting.done()
    assert (told.status_code, (await waiting).status_code) == (201, 201)


async def test_many_at_once_are_taken_together_in_a_total_order(race: Race, taken: list[int]) -> None:
    seller = await organization(race.sessions)
    bidders = [await processor(race.sessions) for _ in range(6)]
    listing = await open_lot(race.sessions, seller, mode="timed")
    for party in bidders:
        await race.client.get("/v1/bids", headers=party.headers)
    answers = await asyncio.gather(*(bid(race.client, listing, bidders[n % 6], 100 + n * 7 % 60) for n in range(60)))
    async with race.sessions() as session:
        query = text("SELECT id, sequence, status, bidder_id FROM bid WHERE listing_id = :id ORDER BY received_at, id")
        log = (await session.execute(query, {"id": listing.id})).all()
    assert {row.id for row in log} == {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert [row.sequence for row in log] == list(range(1, len(log) + 1))
    assert {row.id for row in log if row.status == "active"} == set({row.bidder_id: row.id for row in log}.values())
    assert sum(taken) == 60
    assert len(taken) < 30
