"""Standing orders: what fits is told, what just misses is explained, and what bids by itself stays within its limits."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from services.bidding.models import Bid, DemandMatch
from services.kernel.database import Sessions
from services.kernel.events import EventRow
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings.models import Listing
from services.parties import sites
from tests.conftest import Advance, Settle
from tests.factories.bidding import processor
from tests.factories.demands import demand_order
from tests.factories.listings import motors, open_listing, published_listing
from tests.factories.parties import Party, yard


async def kept(sessions: Sessions) -> list[DemandMatch]:
    async with sessions() as session:
        return list((await session.execute(select(DemandMatch))).scalars())


async def bids(sessions: Sessions) -> list[Bid]:
    async with sessions() as session:
        return list((await session.execute(select(Bid).order_by(col(Bid.id)))).scalars())


async def told(sessions: Sessions, type: str) -> list[EventRow]:
    async with sessions() as session:
        return list((await session.execute(select(EventRow).where(col(EventRow.type) == type))).scalars())


async def the_miss(sessions: Sessions) -> dict[str, Any]:
    """Of the one near miss, its one criterion."""
    [near] = await kept(sessions)
    assert not near.is_match
    [miss] = near.misses
    return miss


async def at(sessions: Sessions, seller: Party, latitude: float, **given: Any) -> Listing:
    """Published so far north."""
    async with UnitOfWork(sessions, seller.actor) as work:
        site = await sites.create(work, yard(latitude=latitude), by=seller.actor)
    return await open_listing(sessions, seller, site_id=site.id, **given)


async def test_a_published_listing_that_fits_is_told_to_whoever_ordered_it(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    order = await demand_order(sessions, rheinkreis)
    listing = await open_listing(sessions, seller)
    await settle()
    [event] = await told(sessions, "demand_order.matched")
    assert event.audience_orgs == [rheinkreis.org.id]
    assert (event.data["demand_order_id"], event.data["listing_id"]) == (order.id, listing.id)
    assert [(match.is_match, match.misses) for match in await kept(sessions)] == [(True, [])]


async def test_what_was_published_before_is_not_held_against_a_new_order(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await open_listing(sessions, seller)
    await settle()
    await demand_order(sessions, rheinkreis)
    await settle()
    assert await kept(sessions) == []


async def test_another_material_is_no_near_miss(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, material="pp")
    await open_listing(sessions, seller)
    await settle()
    assert await kept(sessions) == []


NEAR_MISSES = [
    ({"condition_floor": "used_good"}, {"criterion": "condition", "wanted": "used_good", "offered": "salvage"}),
    ({"waste_codes": ["16 02 16"]}, {"criterion": "waste_code", "wanted": "160216", "offered": "160214"}),
    (
        {"weekly": {"value": "11.5", "unit": "t"}},
        {"criterion": "quantity", "wanted": "11500000", "offered": "12000000"},
    ),
    ({"least_share_bps": 9_000}, {"criterion": "material_share", "wanted": "9000", "offered": "8000"}),
    ({"disposition": "dispose"}, {"criterion": "disposition", "wanted": "dispose", "offered": "recycle"}),
    (
        {"price_limit": {"amount": "9.00", "currency": "USD"}},
        {"criterion": "currency", "wanted": "USD", "offered": "EUR"},
    ),
]


@pytest.mark.parametrize(("given", "miss"), NEAR_MISSES)
async def test_a_near_miss_says_by_how_much(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, given: dict[str, Any], miss: dict[str, str]
) -> None:
    await demand_order(sessions, rheinkreis, **given)
    await open_listing(sessions, seller)
    await settle()
    assert miss.items() <= (await the_miss(sessions)).items()
    assert await told(sessions, "demand_order.matched") == []


async def test_who_expects_to_be_paid_misses_an_order_that_asks_to_be_paid(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, price_limit={"amount": "-15.00", "currency": "EUR"})
    await open_listing(sessions, seller, price_direction="buyer_pays")
    await settle()
    miss = await the_miss(sessions)
    assert (miss["criterion"], miss["wanted"], miss["unit"]) == ("price", "-15.00", "EUR/t")


async def test_a_little_too_far_is_a_near_miss_and_far_away_is_none(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, radius_km=100)
    await at(sessions, seller, 52.35)
    await at(sessions, seller, 53.5)
    await settle()
    miss = await the_miss(sessions)
    assert (miss["criterion"], miss["wanted"], miss["offered"], miss["unit"]) == ("distance", "100", "115.3", "km")


async def test_two_criteria_are_a_near_miss_and_three_are_none(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, settle: Settle
) -> None:
    two: dict[str, Any] = {"waste_codes": ["160216"], "condition_floor": "new"}
    await demand_order(sessions, rheinkreis, **two)
    await demand_order(sessions, zweitlauf, **two, least_share_bps=9_000)
    await open_listing(sessions, seller)
    await settle()
    [near] = await kept(sessions)
    assert near.org_id == rheinkreis.org.id
    assert [miss["criterion"] for miss in near.misses] == ["condition", "waste_code"]


async def test_an_invited_listing_is_held_against_the_orders_of_the_invited_alone(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis)
    await demand_order(sessions, zweitlauf)
    await open_listing(sessions, seller, visibility="invited", invited=[zweitlauf.org.id])
    await settle()
    assert [match.org_id for match in await kept(sessions)] == [zweitlauf.org.id]


async def test_an_order_bids_by_itself_at_its_own_price(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    price = {"amount": "120.00", "currency": "EUR"}
    order = await demand_order(sessions, rheinkreis, bids_by_itself=True, bid_price=price)
    listing = await open_listing(sessions, seller, mode="negotiated")
    await settle()
    [bid] = await bids(sessions)
    assert (bid.listing_id, bid.bidder_id, bid.price_minor, bid.status) == (
        listing.id,
        rheinkreis.org.id,
        12_000,
        "active",
    )
    [match] = await kept(sessions)
    assert (match.demand_order_id, match.bid_id, match.reserved_g) == (order.id, bid.id, 12_000_000)


async def test_a_lot_priced_as_a_whole_is_bid_for_by_its_tonnes(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    await open_listing(sessions, seller, price_unit="lot", mode="negotiated")
    await settle()
    assert [bid.price_minor for bid in await bids(sessions)] == [12 * 15_000]


async def test_an_order_waits_with_its_bid_until_the_listing_opens(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, advance: Advance
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    async with UnitOfWork(sessions, seller.actor) as work:
        opens_at = work.now + timedelta(days=1)
    await published_listing(sessions, seller, opens_at=opens_at)
    await settle()
    assert ([match.bid_id for match in await kept(sessions)], await bids(sessions)) == ([None], [])
    await advance(timedelta(days=1, minutes=1))
    assert len(await bids(sessions)) == 1


async def test_the_week_has_an_end_and_the_next_begins_anew(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, advance: Advance
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    await open_listing(sessions, seller)
    await open_listing(sessions, seller)
    await settle()
    assert len(await bids(sessions)) == 1
    await advance(timedelta(days=7))
    await open_listing(sessions, seller)
    await settle()
    assert len(await bids(sessions)) == 2


async def test_what_a_lost_bid_reserved_is_free_again(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    await demand_order(sessions, rheinkreis, bids_by_itself=True)
    listing = await open_listing(sessions, seller)
    await settle()
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    await settle()
    await open_listing(sessions, seller)
    await settle()
    assert [bid.status for bid in await bids(sessions)] == ["lost", "active"]


async def test_what_the_market_refuses_is_kept_with_the_match(
    sessions: Sessions, seller: Party, settle: Settle
) -> None:
    buyer = await processor(sessions, waste_codes=("160216",))
    await demand_order(sessions, buyer, bids_by_itself=True)
    await open_listing(sessions, seller, [motors()])
    await settle()
    assert await bids(sessions) == []
    assert [match.refused_code for match in await kept(sessions)] == ["permit_scope"]


async def post(client: httpx.AsyncClient, party: Party, path: str, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/demand-orders{path}", headers=party.headers, json=body or None)


def a_body(party: Party, **given: Any) -> dict[str, Any]:
    usual = {
        "name": "Steel",
        "site_id": party.site.id,
        "material": "steel",
        "weekly": {"value": "20", "unit": "t"},
        "radius_km": 200,
        "price_limit": {"amount": "150.00", "currency": "EUR"},
        "disposition": "recycle",
        "operation": "R4",
    }
    return {**usual, **given}


async def test_an_order_is_given_paused_resumed_and_cancelled(
    client: httpx.AsyncClient, sessions: Sessions, rheinkreis: Party
) -> None:
    given = (await post(client, rheinkreis, "", **a_body(rheinkreis))).json()
    assert (given["status"], given["left_this_week"]["value"]) == ("active", "20000")
    assert given["allowed_transitions"] == ["pause", "cancel"]
    states = [
        (await post(client, rheinkreis, f"/{given['id']}/{name}")).json()["status"]
        for name in ("pause", "resume", "cancel")
    ]
    assert states == ["paused", "active", "cancelled"]
    again = await post(client, rheinkreis, f"/{given['id']}/resume")
    assert again.status_code == 409


async def test_a_paused_order_is_held_against_nothing(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    order = await demand_order(sessions, rheinkreis)
    await post(client, rheinkreis, f"/{order.id}/pause")
    await open_listing(sessions, seller)
    await settle()
    assert await kept(sessions) == []


async def test_matches_and_near_misses_are_listed_apart(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle
) -> None:
    order = await demand_order(sessions, rheinkreis)
    fits = await open_listing(sessions, seller)
    await open_listing(sessions, seller, [motors(mass={"value": "21", "unit": "t"})])
    await settle()
    path = f"/v1/demand-orders/{order.id}/matches"
    matches = (await client.get(path, headers=rheinkreis.headers, params={"is_match": True})).json()["data"]
    near = (await client.get(path, headers=rheinkreis.headers, params={"is_match": False})).json()["data"]
    assert [match["listing_id"] for match in matches] == [fits.id]
    assert near[0]["misses"] == [{"criterion": "quantity", "wanted": "20000000", "offered": "21000000", "unit": "g"}]


async def test_nobody_else_reads_an_order(
    client: httpx.AsyncClient, sessions: Sessions, rheinkreis: Party, zweitlauf: Party
) -> None:
    order = await demand_order(sessions, rheinkreis)
    answer = await client.get(f"/v1/demand-orders/{order.id}", headers=zweitlauf.headers)
    listed = await client.get("/v1/demand-orders", headers=zweitlauf.headers)
    assert (answer.status_code, listed.json()["data"]) == (404, [])


REFUSED = [
    ({"bid_price": {"amount": "150.01", "currency": "EUR"}}, "bid_above_limit"),
    ({"bid_price": {"amount": "1.00", "currency": "USD"}}, "currency_differs"),
    ({"haulage_ceiling": {"amount": "-1.00", "currency": "EUR"}}, "negative"),
    ({"operation": "R99"}, "operation_unknown"),
    ({"valid_until": "2020-01-01T00:00:00Z"}, "in_the_past"),
]


@pytest.mark.parametrize(("given", "code"), REFUSED)
async def test_an_order_that_contradicts_itself_is_refused(
    client: httpx.AsyncClient, rheinkreis: Party, given: dict[str, Any], code: str
) -> None:
    answer = await post(client, rheinkreis, "", **a_body(rheinkreis, **given))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


async def test_a_seller_gives_no_order(client: httpx.AsyncClient, seller: Party) -> None:
    answer = await post(client, seller, "", **a_body(seller))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_processor")
