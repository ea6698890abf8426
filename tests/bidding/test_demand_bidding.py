"""Orders that bid by themselves keep out of their people's way, and within what they say at the moment they bid."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import col

from services.bidding.demanding import autobidding, matching
from services.kernel.actors import system
from services.kernel.audit.model import AuditEntry
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.listings.dividing import splitting
from services.listings.dividing.splitting import Taking
from tests.bidding.test_demand_orders import bids, kept, the_miss, told
from tests.conftest import Settle
from tests.factories.bidding import placed_bid
from tests.factories.demands import demand_order
from tests.factories.listings import motors, open_listing
from tests.factories.parties import Party


async def test_a_bid_of_its_people_is_not_replaced_by_the_orders(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    listing = await open_listing(sessions, seller)
    by_hand = await placed_bid(sessions, listing, rheinkreis, "180.00")
    await settle()
    assert [(bid.id, bid.status) for bid in await bids(sessions)] == [(by_hand.id, "active")]
    assert [(match.bid_id, match.refused_code) for match in await kept(sessions)] == [(None, "already_bid")]


async def test_of_two_orders_for_one_listing_the_first_to_bid_stands(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    for _ in range(2):
        await demand_order(sessions, rheinkreis, bids_by_itself=True)
    await open_listing(sessions, seller)
    await settle()
    assert [bid.status for bid in await bids(sessions)] == ["active"]
    assert sorted(match.reserved_g for match in await kept(sessions)) == [0, 12_000_000]


async def test_an_order_whose_time_is_over_bids_no_more_even_before_it_is_expired(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    async with UnitOfWork(sessions, rheinkreis.actor) as work:
        soon = work.now + timedelta(hours=1)
    order = await demand_order(sessions, rheinkreis, bids_by_itself=True, valid_until=soon)
    listing = await open_listing(sessions, seller)
    async with UnitOfWork(sessions, system(False)) as work:
        await matching.match(work, listing.id)
    async with UnitOfWork(sessions, system(False), now=soon) as work:
        assert await autobidding.bid(work, order.id, listing.id) is None
    assert await bids(sessions) == []


async def test_a_bid_placed_by_itself_is_in_the_audit_trail_of_its_organization(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    order = await demand_order(sessions, rheinkreis, bids_by_itself=True)
    await open_listing(sessions, seller)
    await settle()
    [bid] = await bids(sessions)
    async with sessions() as session:
        entries = (
            await session.execute(select(AuditEntry).where(col(AuditEntry.actor_kind) == "demand_order"))
        ).scalars()
        [entry] = [*entries]
    assert (entry.org_id, {bid.id, order.id} <= set(entry.subject_ids)) == (rheinkreis.org.id, True)


async def test_what_is_sold_at_a_price_is_bid_for_at_that_price(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    price = {"amount": "110.00", "currency": "EUR"}
    await open_listing(sessions, seller, mode="instant", price=price)
    await settle()
    assert [(bid.price_minor, bid.status) for bid in await bids(sessions)] == [(11_000, "active")]


async def test_what_is_sold_above_the_limit_is_a_near_miss(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    await open_listing(sessions, seller, mode="instant", price={"amount": "150.01", "currency": "EUR"})
    await settle()
    assert await the_miss(sessions) == {
        "criterion": "price",
        "wanted": "150.00",
        "offered": "150.01",
        "unit": "EUR/t",
    }
    assert await told(sessions, "demand_order.matched") == []


async def test_a_lot_that_was_split_meanwhile_is_judged_again(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    plastics = motors(title="Covers", key="covers", composition=[{"material": "pp", "ppm": 1_000_000}])
    order = await demand_order(
        sessions, rheinkreis, bids_by_itself=True, weekly={"value": "90", "unit": "t"}, least_share_bps=1
    )
    listing = await open_listing(sessions, seller, [motors(key="motors"), plastics], mode="negotiated")
    async with UnitOfWork(sessions, system(False)) as work:
        await matching.match(work, listing.id)
    async with UnitOfWork(sessions, seller.actor) as work:
        steel = (await listings.items(work, listing.id))[0]
        await splitting.split(work, listing.id, [Taking(steel.id)], by=seller.actor)
    async with UnitOfWork(sessions, system(False)) as work:
        assert await autobidding.bid(work, order.id, listing.id) is None
    assert [match.refused_code for match in await kept(sessions)] == ["missed_material_share"]


async def test_what_was_reserved_is_free_when_the_bid_by_hand_that_followed_is_lost(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    listing = await open_listing(sessions, seller)
    await settle()
    await placed_bid(sessions, listing, rheinkreis, "151.00")
    await settle()
    reserved = [match.released_at for match in await kept(sessions)]
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    await settle()
    freed = [match.released_at is not None for match in await kept(sessions)]
    assert ([bid.status for bid in await bids(sessions)], reserved, freed) == (["withdrawn", "lost"], [None], [True])
