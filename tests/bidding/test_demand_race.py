"""Two listings at once, or one told twice: a standing order never takes more than its week has left."""

import asyncio

import pytest

from services.bidding.demanding import autobidding, matching
from services.kernel.actors import system
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from tests.conftest import Race
from tests.factories.bidding import processor
from tests.factories.demands import demand_order
from tests.factories.listings import open_listing
from tests.factories.parties import organization

pytestmark = [pytest.mark.race, pytest.mark.xdist_group("race")]

LISTINGS = 8
TWICE_THE_MOTORS = {"value": "25", "unit": "t"}
"""Two lots of 12 t fit into a week, a third does not."""


async def held_against(race: Race, listing: Listing) -> None:
    async with UnitOfWork(race.sessions, system(False)) as work:
        await matching.match(work, listing.id)


async def try_to_bid(race: Race, order_id: str, listing: Listing) -> bool:
    async with UnitOfWork(race.sessions, system(False)) as work:
        return await autobidding.bid(work, order_id, listing.id) is not None


async def test_many_listings_at_once_do_not_take_more_than_the_week_has_left(race: Race) -> None:
    seller, buyer = await organization(race.sessions), await processor(race.sessions)
    order = await demand_order(race.sessions, buyer, bids_by_itself=True, weekly=TWICE_THE_MOTORS)
    offered = [await open_listing(race.sessions, seller) for _ in range(LISTINGS)]
    await asyncio.gather(*(held_against(race, listing) for listing in offered))
    async with asyncio.timeout(60):
        placed = await asyncio.gather(*(try_to_bid(race, order.id, listing) for listing in offered * 2))
    assert sum(placed) == 2
    assert await race.value("SELECT count(*) FROM bid") == 2
    assert await race.value("SELECT sum(reserved_g) FROM demand_match") == 24_000_000
    refused = "SELECT count(*) FROM demand_match WHERE refused_code = 'missed_quantity' AND bid_id IS NULL"
    assert await race.value(refused) == LISTINGS - 2


async def test_one_match_told_many_times_is_one_bid(race: Race) -> None:
    seller, buyer = await organization(race.sessions), await processor(race.sessions)
    order = await demand_order(race.sessions, buyer, bids_by_itself=True, weekly={"value": "100", "unit": "t"})
    listing = await open_listing(race.sessions, seller)
    await held_against(race, listing)
    async with asyncio.timeout(60):
        placed = await asyncio.gather(*(try_to_bid(race, order.id, listing) for _ in range(LISTINGS)))
    assert sum(placed) == 1
    assert await race.value("SELECT count(*) FROM bid") == 1
