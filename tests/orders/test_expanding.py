"""Orders told with what they are about."""

from tests.factories.listings import motors
from tests.factories.orders import Market, dispatched, held


async def test_an_order_is_told_with_its_listing_and_its_bid(market: Market) -> None:
    order = await held(market, [motors()])
    url = f"/v1/orders/{order.id}?expand=listing,bid"
    told = (await market.client.get(url, headers=market.seller.headers)).json()["expanded"]
    assert (told["listing"]["id"], told["bid"]["id"]) == (order.listing_id, order.bid_id)


async def test_what_the_caller_may_not_see_is_null(market: Market) -> None:
    order = await held(market, [motors()])
    await dispatched(market, order)
    url = f"/v1/pickups?order_id={order.id}&expand=order"
    by_buyer = (await market.client.get(url, headers=market.buyer.headers)).json()["data"]
    by_carrier = (await market.client.get(url, headers=market.carrier.headers)).json()["data"]
    assert [job["expanded"]["order"]["id"] for job in by_buyer] == [order.id]
    assert [job["expanded"]["order"] for job in by_carrier] == [None]
