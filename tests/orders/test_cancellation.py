"""Calling an order off before loading."""

from typing import Any

import httpx
from sqlalchemy import text

from services.listings import queries as listings
from services.orders.models import Order
from services.pickups import queries as pickups
from tests.factories.bidding import placed_bid
from tests.factories.listings import motors
from tests.factories.orders import Market, awarded, delivered, dispatched, held, negotiated
from tests.factories.parties import Party
from tests.factories.pickups import PHOTO, a_signature, signed_by_both


async def cancel(market: Market, order: Order, by: Party, **query: Any) -> httpx.Response:
    url = f"/v1/orders/{order.id}/cancel"
    headers = by.headers | {"If-Match": "*"}
    return await market.client.post(url, json={"reason": "The plant is down."}, headers=headers, params=query)


async def reserved_g(market: Market) -> int:
    async with market.sessions() as session:
        return int((await session.execute(text("SELECT sum(reserved_g) FROM permit_scope"))).scalar_one())


async def test_a_cancelled_order_returns_the_money_and_frees_everything(market: Market) -> None:
    order = await held(market, [motors()])
    answer = await cancel(market, order, market.buyer)
    await market.settle()

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (await market.deal(order)).status == "cancelled"
    assert await reserved_g(market) == 0
    async with market.work() as work:
        jobs = await pickups.pickups_of(work, order.id)
        listing = await listings.listing(work, order.listing_id)
    assert ([job.status for job in jobs], listing.status) == (["cancelled"], "closed")


async def test_a_seller_may_cancel_what_nobody_has_confirmed(market: Market) -> None:
    listing = await negotiated(market.sessions, market.seller)
    bid = await placed_bid(market.sessions, listing, market.buyer)
    order = await awarded(market.sessions, bid, market.seller)
    answer = await cancel(market, order, market.seller)
    assert (answer.status_code, answer.json()["cancel_reason"]) == (200, "The plant is down.")
    assert await reserved_g(market) == 0


async def test_nothing_is_cancelled_once_goods_are_loaded(market: Market) -> None:
    order = await held(market, [motors()])
    await delivered(market, order)
    answer = await cancel(market, order, market.seller)
    told = (await market.client.get(f"/v1/orders/{order.id}", headers=market.seller.headers)).json()
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_not_possible")
    assert "cancel" not in told["allowed_transitions"]


async def test_goods_on_a_lorry_forbid_it_even_before_the_order_has_heard(market: Market) -> None:
    order = await held(market, [motors()])
    haul = await dispatched(market, order)
    body = a_signature(haul, photos=[PHOTO])
    await signed_by_both(market.client, haul, "handover", haul.custodian, body)
    answer = await cancel(market, order, market.buyer)
    assert ((await market.order(order)).status, answer.json()["code"]) == ("confirmed", "already_loaded")


async def test_a_stranger_finds_no_order_to_cancel(market: Market) -> None:
    order = await held(market, [motors()])
    assert (await cancel(market, order, market.carrier)).status_code == 404
