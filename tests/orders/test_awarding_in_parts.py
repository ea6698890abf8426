"""A listing sold in parts: several winners, orders for what each has won, and never more than there is."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.bidding.models import Bid
from services.listings.models import Listing
from services.orders.models import Order
from tests.conftest import Race
from tests.factories.bidding import new_bid, placed_bid, processor
from tests.factories.listings import lithium_modules, motors
from tests.factories.orders import Market, awarded, confirmed, negotiated, payable
from tests.factories.parties import Party, organization

MOTORS = motors(key="motors")
PUMPS = motors(key="pumps", title="Pumps", quantity=7, mass={"value": "1", "unit": "t"})


async def read(market: Market, listing_id: str) -> dict[str, Any]:
    answer = await market.client.get(f"/v1/listings/{listing_id}", headers=market.seller.headers)
    told: dict[str, Any] = answer.json()
    return told


async def sold_in_parts(market: Market, rule: str = "by_fraction", **given: Any) -> tuple[Listing, str, str]:
    """Motors and pumps, with the ids of both."""
    listing = await negotiated(market.sessions, market.seller, [MOTORS, PUMPS], lot_rule=rule, **given)
    motors_id, pumps_id = [item["id"] for item in (await read(market, listing.id))["items"]]
    return listing, motors_id, pumps_id


def part(item_id: str, quantity: int | None = None) -> dict[str, Any]:
    return {"item_id": item_id, "quantity": quantity}


async def bid_for(market: Market, listing: Listing, *parts: dict[str, Any], bidder: Party | None = None) -> Bid:
    return await placed_bid(market.sessions, listing, bidder or market.buyer, parts=list(parts))


async def rival(market: Market) -> Party:
    party = await processor(market.sessions, name="Nebenan GmbH")
    await payable(market.sessions, party)
    return party


async def award(market: Market, bid: Bid) -> httpx.Response:
    headers = market.seller.headers | {"If-Match": "*"}
    return await market.client.post(f"/v1/bids/{bid.id}/award", headers=headers)


async def lines(market: Market, order: Order) -> list[tuple[str, int, int | None]]:
    return [(line.title, line.quantity, line.mass_g) for line in (await market.lines(order)).values()]


async def test_an_order_is_for_what_was_won_only(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market)
    bid = await bid_for(market, listing, part(motors_id, 10))

    answer = await award(market, bid)

    assert answer.status_code == 200, answer.text
    assert [(line["title"], line["quantity"], line["mass"]["value"]) for line in answer.json()["lines"]] == [
        ("Electric motors", 10, "3000")
    ]
    told = await read(market, listing.id)
    assert (told["status"], [item["free_quantity"] for item in told["items"]]) == ("partially_awarded", [30, 7])


async def test_the_price_and_the_permit_are_for_what_was_won(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market)
    order = await confirmed(
        market.sessions, await bid_for(market, listing, part(motors_id, 10)), market.seller, market.buyer
    )
    assert (await market.deal(order)).goods_minor == 3_150_000 * 120_00 // 1_000_000


async def test_no_bid_is_taken_once_part_is_awarded(market: Market) -> None:
    listing, motors_id, pumps_id = await sold_in_parts(market, "by_item")
    await awarded(market.sessions, await bid_for(market, listing, part(motors_id)), market.seller)
    bidder = await rival(market)
    body = new_bid(listing, bidder, parts=[part(pumps_id)]).model_dump(mode="json", exclude_none=True)
    late = await market.client.post("/v1/bids", json=body, headers=bidder.headers)
    assert (late.status_code, late.json()["code"]) == (409, "bidding_has_closed")


async def test_two_winners_share_a_listing(market: Market) -> None:
    listing, motors_id, pumps_id = await sold_in_parts(market, "by_item")
    one = await bid_for(market, listing, part(motors_id))
    other = await bid_for(market, listing, part(pumps_id), bidder=await rival(market))

    first = await awarded(market.sessions, one, market.seller)
    second = await awarded(market.sessions, other, market.seller)

    assert await lines(market, first) == [("Electric motors", 40, 12_000_000)]
    assert await lines(market, second) == [("Pumps", 7, 1_000_000)]
    assert (await read(market, listing.id))["status"] == "awarded"
    assert (await market.told(listing.id))[-2:] == ["listing.partially_awarded", "listing.awarded"]


async def test_what_is_awarded_is_not_awarded_again(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market)
    one = await bid_for(market, listing, part(motors_id, 30))
    other = await bid_for(market, listing, part(motors_id, 11), bidder=await rival(market))
    await awarded(market.sessions, one, market.seller)
    refused = await award(market, other)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_awarded")


async def test_who_can_still_get_something_has_not_lost(market: Market) -> None:
    listing, motors_id, pumps_id = await sold_in_parts(market)
    one = await bid_for(market, listing, part(motors_id))
    hopeless = await bid_for(market, listing, part(motors_id, 5), bidder=await rival(market))
    hopeful = await bid_for(market, listing, part(pumps_id, 5), bidder=await processor(market.sessions, "Pumpenhof AG"))

    await confirmed(market.sessions, one, market.seller, market.buyer)

    assert "bid.lost" in await market.told(hopeless.id)
    assert "bid.lost" not in await market.told(hopeful.id)


async def test_what_was_not_confirmed_is_free_again(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market)
    await awarded(market.sessions, await bid_for(market, listing, part(motors_id, 10)), market.seller)
    await market.advance(timedelta(days=5))
    told = await read(market, listing.id)
    assert (told["status"], [item["free_quantity"] for item in told["items"]]) == ("closed", [40, 7])


async def test_another_award_stands_when_one_is_not_confirmed(market: Market) -> None:
    listing, motors_id, pumps_id = await sold_in_parts(market)
    one = await bid_for(market, listing, part(motors_id))
    other = await bid_for(market, listing, part(pumps_id), bidder=await rival(market))
    await awarded(market.sessions, other, market.seller)
    await confirmed(market.sessions, one, market.seller, market.buyer)
    await market.advance(timedelta(days=5))
    told = await read(market, listing.id)
    assert (told["status"], [item["free_quantity"] for item in told["items"]]) == ("partially_awarded", [0, 7])


async def test_the_rest_is_offered_again_by_itself(market: Market) -> None:
    listing, motors_id, pumps_id = await sold_in_parts(market)
    idle = await bid_for(market, listing, part(pumps_id), bidder=await rival(market))
    await confirmed(market.sessions, await bid_for(market, listing, part(motors_id, 13)), market.seller, market.buyer)

    answer = await market.client.post(
        f"/v1/listings/{listing.id}/relist_remainder", headers=market.seller.headers | {"If-Match": "*"}
    )
    await market.settle()

    draft = answer.json()
    assert (answer.status_code, draft["status"], draft["origin_listing_id"]) == (200, "draft", listing.id)
    assert [(item["title"], item["quantity"], item["mass"]["value"]) for item in draft["items"]] == [
        ("Electric motors", 27, "8100"),
        ("Pumps", 7, "1000"),
    ]
    told = await read(market, listing.id)
    assert (told["status"], [item["free_quantity"] for item in told["items"]]) == ("awarded", [0, 0])
    assert (await market.told(idle.id))[-1] == "bid.lost"


async def test_a_recall_of_what_nobody_won_does_not_hold_up_the_rest_once_it_is_relisted(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market, "by_item")
    order = await confirmed(
        market.sessions, await bid_for(market, listing, part(motors_id)), market.seller, market.buyer
    )
    recall = {
        "title": "Pumps",
        "predicate": {"title_words": ["pumps"]},
        "dispositions": ["recycle"],
        "proofs": ["recycling"],
    }
    await market.client.post("/v1/recall-campaigns", json=recall, headers=market.seller.headers)
    held_up = (await market.order(order)).stops
    draft = await market.client.post(f"/v1/listings/{listing.id}/relist_remainder", headers=market.seller.headers)
    assert (held_up, (await market.order(order)).stops) == (["recall_quarantine"], [])
    assert (await read(market, listing.id))["blocked_transitions"] == []
    reasons = [reason["code"] for one in draft.json()["blocked_transitions"] for reason in one["reasons"]]
    assert "recall_quarantine" in reasons


async def test_the_award_window_relists_what_is_left(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market)
    bid = await bid_for(market, listing, part(motors_id, 13))
    await confirmed(market.sessions, bid, market.seller, market.buyer)
    await market.advance(timedelta(days=11))
    assert (await read(market, listing.id))["status"] == "awarded"
    assert "listing.remainder_relisted" in await market.told(listing.id)


async def test_a_bid_for_the_whole_lot_wins_all_of_it(market: Market) -> None:
    listing, _, _ = await sold_in_parts(market)
    order = await awarded(market.sessions, await placed_bid(market.sessions, listing, market.buyer), market.seller)
    assert await lines(market, order) == [("Electric motors", 40, 12_000_000), ("Pumps", 7, 1_000_000)]
    assert (await read(market, listing.id))["status"] == "awarded"


async def test_a_bid_is_ranked_by_what_it_is_for(market: Market) -> None:
    listing, motors_id, _ = await sold_in_parts(market)
    await bid_for(market, listing, part(motors_id, 10))
    answer = await market.client.get(f"/v1/listings/{listing.id}/ranking", headers=market.seller.headers)
    assert [one["total"]["amount"] for one in answer.json()["data"]] == ["360.00"]


# What does not fit


@pytest.mark.parametrize(
    ("rule", "given", "place", "quantity", "code"),
    [
        ("whole", {}, 0, 10, "sold_as_a_whole"),
        ("by_item", {}, 0, 10, "sold_by_item"),
        ("by_fraction", {}, 0, 41, "more_than_offered"),
        ("by_fraction", {"min_quantity": 5}, 0, 4, "below_min_quantity"),
    ],
)
async def test_a_bid_fits_how_the_listing_is_sold(
    market: Market, rule: str, given: dict[str, Any], place: int, quantity: int, code: str
) -> None:
    listing, *ids = await sold_in_parts(market, rule, **given)
    body = new_bid(listing, market.buyer, parts=[part(ids[place], quantity)]).model_dump(mode="json", exclude_none=True)
    refused = await market.client.post("/v1/bids", json=body, headers=market.buyer.headers)
    assert (refused.status_code, [one["code"] for one in refused.json()["errors"]]) == (422, [code])


async def test_an_ascending_auction_is_for_the_whole_lot(market: Market) -> None:
    body = {
        "title": "Motors",
        "site_id": market.seller.site.id,
        "mode": "timed",
        "price_unit": "tonne",
        "currency": "EUR",
        "lot_rule": "by_item",
        "closes_at": "2099-01-01T00:00:00Z",
        "items": [MOTORS.model_dump(mode="json", exclude_none=True)],
    }
    made = await market.client.post("/v1/listings", json=body, headers=market.seller.headers)
    refused = await market.client.post(f"/v1/listings/{made.json()['id']}/publish", headers=market.seller.headers)
    assert [one["code"] for one in refused.json()["errors"]] == ["timed_sold_whole"]


async def test_permits_are_asked_for_what_is_bid_for_only(market: Market) -> None:
    listing = await negotiated(market.sessions, market.seller, [MOTORS, lithium_modules()], lot_rule="by_item")
    items = (await read(market, listing.id))["items"]
    assert (await bid_for(market, listing, part(items[1]["id"]), bidder=market.plant)).status == "active"


# At once


@pytest.mark.race
async def test_of_twenty_partial_awards_at_once_no_more_win_than_there_is(race: Race) -> None:
    seller = await organization(race.sessions)
    listing = await negotiated(race.sessions, seller, [MOTORS], lot_rule="by_fraction")
    await payable(race.sessions, seller)
    item_id = await race.value("SELECT id FROM item WHERE listing_id = :id", id=listing.id)
    bidders = [await processor(race.sessions, name=f"Verwerter {number}") for number in range(20)]
    bids = [await placed_bid(race.sessions, listing, bidder, parts=[part(item_id, 9)]) for bidder in bidders]

    answers = await asyncio.gather(*(_award(race.client, seller, bid) for bid in bids))

    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [409] * 16
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_awarded"}
    assert await race.value("SELECT sum(quantity) FROM order_line") == 36
    assert await race.value("SELECT sum(mass_g) FROM order_line") == 10_800_000
    assert await race.value("SELECT awarded_quantity FROM item WHERE id = :id", id=item_id) == 36


async def _award(client: httpx.AsyncClient, seller: Party, bid: Bid) -> httpx.Response:
    return await client.post(f"/v1/bids/{bid.id}/award", headers=seller.headers | {"If-Match": f'"{bid.version}"'})
