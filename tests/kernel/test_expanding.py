"""Things written out beside the ids that name them, for those who may read them."""

from typing import Any

import httpx
import pytest
from sqlalchemy import event

from services.bidding.models import Bid
from services.kernel.http.routing import Runtime
from services.listings.models import Listing
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import open_listing
from tests.factories.parties import Party, organization

Json = dict[str, Any]


@pytest.fixture
async def buyer(runtime: Runtime) -> Party:
    return await processor(runtime.sessions)


@pytest.fixture
async def listing(runtime: Runtime) -> Listing:
    return await open_listing(runtime.sessions, await organization(runtime.sessions, roles=["manufacturer"]))


@pytest.fixture
async def bid(runtime: Runtime, listing: Listing, buyer: Party) -> Bid:
    return await placed_bid(runtime.sessions, listing, buyer)


async def _read(client: httpx.AsyncClient, path: str, party: Party) -> httpx.Response:
    return await client.get(f"/v1/{path}", headers=party.headers)


async def test_a_bid_is_told_with_its_listing(
    client: httpx.AsyncClient, buyer: Party, bid: Bid, listing: Listing
) -> None:
    told = (await _read(client, f"bids/{bid.id}?expand=listing", buyer)).json()
    alone: Json = (await _read(client, f"listings/{listing.id}", buyer)).json()
    assert told["expanded"]["listing"]["title"] == alone["title"]
    assert told["expanded"]["listing"]["id"] == told["listing_id"] == listing.id


async def test_nothing_is_written_out_unasked(client: httpx.AsyncClient, buyer: Party, bid: Bid) -> None:
    assert (await _read(client, f"bids/{bid.id}", buyer)).json()["expanded"] is None


async def test_an_unknown_name_is_refused_with_those_there_are(
    client: httpx.AsyncClient, buyer: Party, bid: Bid
) -> None:
    answer = await _read(client, f"bids/{bid.id}?expand=seller", buyer)
    assert answer.status_code == 422
    assert "listing" in answer.json()["errors"][0]["detail"]


async def test_names_may_stand_together(client: httpx.AsyncClient, buyer: Party) -> None:
    answers = [
        await _read(client, f"orders?{asked}", buyer) for asked in ("expand=listing,bid", "expand=listing&expand=bid")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_list_asks_once_for_each_name(
    client: httpx.AsyncClient, runtime: Runtime, buyer: Party, bid: Bid, engine: Any
) -> None:
    other = await open_listing(runtime.sessions, await organization(runtime.sessions, roles=["manufacturer"]))
    await placed_bid(runtime.sessions, other, buyer)
    of_one = await _statements(engine, client, "bids?expand=listing&limit=1", buyer)
    of_two = await _statements(engine, client, "bids?expand=listing", buyer)
    assert of_one == of_two


async def _statements(engine: Any, client: httpx.AsyncClient, path: str, party: Party) -> int:
    seen: list[str] = []

    def note(*told: Any) -> None:
        seen.append(told[2])

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    assert (await _read(client, path, party)).status_code == 200
    event.remove(engine.sync_engine, "before_cursor_execute", note)
    return len(seen)


async def test_a_credential_that_may_not_read_listings_may_not_expand_them(
    client: httpx.AsyncClient, buyer: Party, bid: Bid
) -> None:
    body = {"name": "Bids alone", "scopes": ["bids:read"]}
    secret = (await client.post("/v1/api-keys", json=body, headers=buyer.headers)).json()["secret"]
    answer = await client.get(f"/v1/bids/{bid.id}?expand=listing", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
