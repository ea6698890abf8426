"""Who reads a bid, and when: over HTTP, as partners do."""

from typing import Any

import httpx
import pytest

from services.bidding.models import Bid
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings.models import Listing
from tests.bidding.lots import close_of, open_lot
from tests.conftest import Advance, Settle
from tests.factories.bidding import placed_bid
from tests.factories.parties import Party, organization


@pytest.fixture
async def operator(sessions: Sessions) -> Party:
    return await organization(sessions, roles=["operator"])


async def status_of(client: httpx.AsyncClient, bid: Bid, party: Party) -> int:
    return (await client.get(f"/v1/bids/{bid.id}", headers=party.headers)).status_code


async def listed(client: httpx.AsyncClient, listing: Listing, party: Party) -> list[str]:
    answer = await client.get("/v1/bids", params={"listing_id": listing.id}, headers=party.headers)
    return [bid["id"] for bid in answer.json()["data"]]


async def events_of(client: httpx.AsyncClient, party: Party) -> list[dict[str, Any]]:
    answer = await client.get("/v1/events", params={"limit": 200}, headers=party.headers)
    return [event for event in answer.json()["data"] if event["type"].startswith("bid.")]


async def test_before_the_close_a_sealed_bid_is_there_for_its_bidder_alone(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    operator: Party,
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    asked = {"rheinkreis": rheinkreis, "seller": seller, "zweitlauf": zweitlauf, "operator": operator}
    assert {name: await status_of(client, bid, party) for name, party in asked.items()} == {
        "rheinkreis": 200,
        "seller": 404,
        "zweitlauf": 404,
        "operator": 404,
    }
    assert {name: await listed(client, listing, party) for name, party in asked.items()} == {
        "rheinkreis": [bid.id],
        "seller": [],
        "zweitlauf": [],
        "operator": [],
    }


async def test_before_the_close_no_feed_but_the_bidders_tells_of_a_sealed_bid(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    operator: Party,
    settle: Settle,
) -> None:
    await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    await settle()
    assert [event["type"] for event in await events_of(client, rheinkreis)] == ["bid.placed", "bid.admitted"]
    assert [await events_of(client, party) for party in (seller, zweitlauf, operator)] == [[], [], []]


async def test_before_the_close_nobody_withdraws_what_it_cannot_see(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    tried = [await client.post(f"/v1/bids/{bid.id}/withdraw", headers=party.headers) for party in (seller, operator)]
    assert [answer.status_code for answer in tried] == [404, 404]


async def test_before_the_close_sealed_bids_are_not_ranked(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis)
    answer = await client.get(f"/v1/listings/{listing.id}/ranking", headers=seller.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "still_open")


async def test_after_the_close_the_seller_reads_every_bid_and_a_bidder_its_own(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    operator: Party,
    advance: Advance,
) -> None:
    listing = await open_lot(sessions, seller)
    one = await placed_bid(sessions, listing, rheinkreis)
    two = await placed_bid(sessions, listing, zweitlauf)
    await advance(close_of(listing))
    assert await listed(client, listing, seller) == [two.id, one.id]
    assert await listed(client, listing, operator) == [two.id, one.id]
    assert await listed(client, listing, rheinkreis) == [one.id]
    assert await status_of(client, one, zweitlauf) == 404


async def test_a_sealed_bid_that_was_withdrawn_is_never_opened(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    await client.post(f"/v1/bids/{bid.id}/withdraw", headers=rheinkreis.headers)
    await advance(close_of(listing))
    assert await listed(client, listing, seller) == []
    assert await listed(client, listing, rheinkreis) == [bid.id]


async def test_the_bids_of_a_sealed_listing_that_was_withdrawn_stay_sealed(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    await settle()
    assert await listed(client, listing, seller) == []
    assert await status_of(client, bid, seller) == 404


@pytest.mark.parametrize("mode", ["timed", "negotiated"])
async def test_the_seller_reads_unsealed_bids_at_once_and_other_bidders_never_do(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, mode: str
) -> None:
    listing = await open_lot(sessions, seller, mode=mode)
    bid = await placed_bid(sessions, listing, rheinkreis)
    assert await listed(client, listing, seller) == [bid.id]
    assert await listed(client, listing, zweitlauf) == []


async def test_only_the_seller_reads_the_ranking(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis)
    await advance(close_of(listing))
    path = f"/v1/listings/{listing.id}/ranking"
    asked = [await client.get(path, headers=party.headers) for party in (seller, rheinkreis, operator)]
    assert [answer.status_code for answer in asked] == [200, 403, 403]


async def test_a_bidder_is_not_told_how_many_others_there_were(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    await advance(close_of(listing))
    told = [(await client.get(f"/v1/bids/{bid.id}", headers=party.headers)).json() for party in (rheinkreis, seller)]
    assert [bid["sequence"] for bid in told] == [None, 1]
