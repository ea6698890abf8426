"""Twenty awards of different bids on one lot at once."""

import asyncio

import httpx
import pytest

from services.bidding.models import Bid
from tests.conftest import Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.orders import negotiated, payable
from tests.factories.parties import Party, organization


@pytest.mark.race
async def test_of_twenty_awards_at_once_one_wins(race: Race) -> None:
    seller = await organization(race.sessions)
    listing = await negotiated(race.sessions, seller)
    await payable(race.sessions, seller)
    bidders = [await processor(race.sessions, name=f"Verwerter {number}") for number in range(20)]
    bids = [await placed_bid(race.sessions, listing, bidder) for bidder in bidders]

    answers = await asyncio.gather(*(_award(race.client, seller, bid) for bid in bids))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_awarded"}
    assert await race.value('SELECT count(*) FROM "order"') == 1
    assert await race.value("SELECT count(*) FROM award WHERE ended_at IS NULL") == 1
    assert await race.value("SELECT sum(reserved_g) FROM permit_scope") == 12_600_000


async def _award(client: httpx.AsyncClient, seller: Party, bid: Bid) -> httpx.Response:
    headers = seller.headers | {"If-Match": f'"{bid.version}"'}
    return await client.post(f"/v1/bids/{bid.id}/award", headers=headers)
