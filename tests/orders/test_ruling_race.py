"""The rule and the seller at once."""

import asyncio

import httpx
import pytest

from services.bidding import closing
from services.kernel.actors import system
from services.kernel.unit_of_work import UnitOfWork
from services.orders import awarding
from tests.bidding.lots import close_of
from tests.conftest import Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import open_listing
from tests.factories.orders import payable
from tests.factories.parties import organization

pytestmark = [pytest.mark.race, pytest.mark.xdist_group("race")]


async def test_of_ten_askings_of_the_rule_and_the_sellers_own_award_one_wins(race: Race) -> None:
    seller = await organization(race.sessions)
    await payable(race.sessions, seller)
    listing = await open_listing(race.sessions, seller, award_rule="best_landed")
    bids = [
        await placed_bid(
            race.sessions, listing, await processor(race.sessions, f"Verwerter {number}"), f"{100 + number}.00"
        )
        for number in range(5)
    ]
    async with UnitOfWork(race.sessions, system(False), now=close_of(listing)) as work:
        await closing.close(work, listing.id)

    async def ask_the_rule() -> None:
        async with UnitOfWork(race.sessions, system(False)) as work:
            await awarding.award_best(work, listing_id=listing.id)

    async def award_by_hand() -> httpx.Response:
        headers = seller.headers | {"If-Match": "*"}
        return await race.client.post(f"/v1/bids/{bids[0].id}/award", headers=headers)

    asking = asyncio.gather(*(ask_the_rule() for _ in range(10)))
    by_hand = await award_by_hand()
    await asking

    assert by_hand.status_code in (200, 409)
    assert await race.value('SELECT count(*) FROM "order"') == 1
    winner = await race.value("SELECT bid_id FROM award WHERE ended_at IS NULL")
    assert winner == (bids[0].id if by_hand.status_code == 200 else bids[-1].id)
