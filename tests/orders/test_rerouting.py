"""What was refused has one route, and its money goes back once."""

from datetime import timedelta
from typing import Any

import httpx

from services.listings import publishing
from services.listings import queries as listings
from services.orders import awarding, rerouting
from services.orders.models import Order
from services.orders.pricing import Measured
from tests.factories.bidding import placed_bid
from tests.factories.listings import lithium_modules, motors
from tests.factories.orders import Market, awarded, delivered, held, inspected, received


async def refused(market: Market) -> Order:
    """Three of ten motors, 0.300 t; 36.00 are contested."""
    order = await held(market, [motors(title="Motors", quantity=10, mass={"value": "1", "unit": "t"})])
    await delivered(market, order)
    line = (await market.lines(order))["Motors"]
    await inspected(market, await received(market, order), {line.id: Measured(3, 300_000)})
    await market.settle()
    return order


async def route(market: Market, order: Order, title: str = "Motors", **body: Any) -> httpx.Response:
    line = (await market.lines(order))[title]
    url = f"/v1/orders/{order.id}/route_remainder"
    headers = market.seller.headers | {"If-Match": "*"}
    return await market.client.post(url, json={"line_id": line.id, **body}, headers=headers)


def to_buyer(market: Market, **given: Any) -> dict[str, Any]:
    return {"route": "redirect", "redirect": {"processor_id": market.buyer.org.id, **given}}


async def test_a_return_ends_when_the_goods_are_back_at_the_seller(market: Market) -> None:
    order = await refused(market)
    answer = await route(market, order, route="return")
    assert answer.status_code == 200, answer.text
    routed, *_ = await market.remainders(order)
    haul = await delivered(market, order)
    back, *_ = await market.remainders(order)

    assert (routed.status, back.status) == ("routed", "ended")
    assert (haul.job.id, haul.receiver, haul.custodian) == (routed.pickup_id, market.seller, market.buyer)
    assert len(answer.json()["receipt_ids"]) == 1


async def test_a_route_gives_the_money_back_at_once_and_only_once(market: Market) -> None:
    order = await refused(market)
    await route(market, order, route="return")
    await market.advance(timedelta(days=7))
    deal = await market.deal(order)
    assert (deal.status, deal.contested_minor) == ("closed", 0)
    assert (await market.told(deal.id)).count("deal.adjusted") == 1


async def test_silence_for_two_business_days_gives_the_money_back_and_leaves_the_route_open(market: Market) -> None:
    order = await refused(market)
    remainder, *_ = await market.remainders(order)
    await market.advance(remainder.acknowledge_by)

    silent, *_ = await market.remainders(order)
    assert (silent.status, silent.acknowledged_at is not None) == ("open", True)
    assert (await market.order(order)).status == "settled"
    assert (await route(market, order, route="return")).status_code == 200


async def test_an_order_with_a_remainder_without_route_does_not_close(market: Market) -> None:
    order = await refused(market)
    await market.advance(timedelta(days=21))
    assert (await market.order(order)).status == "settled"


async def test_a_refused_quantity_is_routed_once(market: Market) -> None:
    order = await refused(market)
    await route(market, order, route="return")
    again = await route(market, order, route="return")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_route")


async def test_only_the_seller_routes(market: Market) -> None:
    order = await refused(market)
    line = (await market.lines(order))["Motors"]
    body = {"line_id": line.id, "route": "return"}
    url = f"/v1/orders/{order.id}/route_remainder"
    read = {"If-Match": "*"}
    by_buyer = await market.client.post(url, json=body, headers=market.buyer.headers | read)
    by_carrier = await market.client.post(url, json=body, headers=market.carrier.headers | read)
    assert (by_buyer.status_code, by_carrier.status_code) == (403, 404)


async def test_a_redirect_names_the_next_processor(market: Market) -> None:
    order = await refused(market)
    answer = await route(market, order, route="redirect")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/redirect")


async def test_what_the_new_listing_lacks_is_pointed_at_in_the_request(market: Market) -> None:
    order = await refused(market)
    stranger = {"processor_id": "org_01kaq4m8q3e8xvw2t5n6r7s8d9"}
    unknown = await route(market, order, route="redirect", redirect=stranger)
    hazardous = await route(
        market, order, route="redirect", redirect={"processor_id": market.plant.org.id, "is_hazardous": True}
    )
    assert unknown.json()["errors"][0]["pointer"] == "/redirect/processor_id"
    pointers = {error["pointer"] for error in hazardous.json()["errors"]}
    assert {"/redirect/hp_codes", "/redirect/un_number", "/redirect/packaging"} <= pointers
    remainder, *_ = await market.remainders(order)
    assert remainder.status == "open"


async def test_a_redirect_may_say_anew_how_the_goods_are_packed(market: Market) -> None:
    order = await held(market, [lithium_modules(packaging={"kind": "Pallet", "packages": 4})])
    await delivered(market, order)
    line = (await market.lines(order))["Lithium modules"]
    await inspected(market, await received(market, order), {line.id: Measured(12, 360_000)})
    packaging = {"kind": "Steel drum", "packages": 3, "un_packing": "P908", "special_provisions": ["376"]}
    redirect = {"processor_id": market.plant.org.id, "packaging": packaging}
    answer = await route(market, order, "Lithium modules", route="redirect", redirect=redirect)
    listing_id = answer.json()["remainders"][0]["listing_id"]
    async with market.work() as work:
        item, *_ = await listings.items(work, listing_id)
    assert item.packaging is not None
    assert (item.packaging["un_packing"], item.packaging["special_provisions"]) == ("P908", ["376"])


async def test_a_relisting_ends_the_route_when_it_is_published(market: Market) -> None:
    order = await refused(market)
    answer = await route(market, order, route="relist", relist={"mode": "negotiated"})
    remainder, *_ = answer.json()["remainders"]
    async with market.work() as work:
        listing = await listings.listing(work, remainder["listing_id"])
    assert (remainder["status"], listing.status, listing.visibility) == ("ended", "open", "public")


async def test_a_redirect_ends_with_a_confirmed_child_order_and_not_before(market: Market) -> None:
    order = await refused(market)
    await route(market, order, **to_buyer(market))
    routed, *_ = await market.remainders(order)
    async with market.work() as work:
        listing = await listings.listing(work, str(routed.listing_id))
    bid = await placed_bid(market.sessions, listing, market.buyer, "10.00")
    child = await awarded(market.sessions, bid, market.seller)
    after_award, *_ = await market.remainders(order)
    async with market.work(market.buyer) as work:
        await awarding.confirm(work, bid.id, terms_hash=child.terms_hash, by=market.buyer.actor)
    after_confirmation, *_ = await market.remainders(order)
    assert (after_award.status, after_confirmation.status) == ("routed", "ended")
    assert child.parent_order_id == order.id


async def test_a_redirect_nobody_takes_looks_for_a_route_again(market: Market) -> None:
    order = await refused(market)
    await route(market, order, **to_buyer(market))
    routed, *_ = await market.remainders(order)
    listing_id = routed.listing_id
    assert listing_id is not None
    async with market.work(market.seller) as work:
        await publishing.withdraw(work, listing_id, by=market.seller.actor)
        await rerouting.fell_through(work, listing_id=listing_id)
    again, *_ = await market.remainders(order)
    assert (again.status, again.route, again.listing_id) == ("open", None, None)
    assert (await route(market, order, route="return")).status_code == 200
