"""Deposits of new bidders: no bid without one, and each ends once, with its bidder or with the seller it let down."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.bidding import placing
from services.kernel.http.routing import Runtime
from services.kernel.money import Money
from services.listings import publishing
from services.listings.models import Listing
from services.orders import awarding
from services.payments import queries
from services.payments.models import Deposit
from tests.factories.bidding import new_bid, placed_bid
from tests.factories.listings import draft_listing, motors, open_listing
from tests.factories.orders import (
    Market,
    awarded,
    confirmed,
    delivered,
    held,
    inspected,
    negotiated,
    open_market,
    received,
)
from tests.factories.parties import Party

ASKED = Money.of("500.00", "EUR")


@pytest.fixture
async def market(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Market]:
    async with open_market(runtime, client) as market:
        yield market


async def lot(market: Market, **given: Any) -> Listing:
    """Negotiated, with a deposit."""
    return await negotiated(market.sessions, market.seller, [motors(waste_code=None)], deposit=ASKED, **given)


async def asked(market: Market, listing: Listing, by: Party) -> dict[str, Any]:
    """As the bidder reads it once the provider has answered."""
    answer = await market.client.post("/v1/deposits", headers=by.headers, json={"listing_id": listing.id})
    assert answer.status_code == 201, answer.text
    await market.settle()
    return await read(market, answer.json()["id"], by)


async def read(market: Market, deposit_id: str, by: Party) -> dict[str, Any]:
    answer = await market.client.get(f"/v1/deposits/{deposit_id}", headers=by.headers)
    told: dict[str, Any] = answer.json()
    return told if answer.status_code == 200 else {"status": answer.status_code}


async def paid(market: Market, deposit: dict[str, Any]) -> None:
    reference = deposit["instructions"]["reference"]
    await market.till.stripe.do("bank-transfers", reference=reference, amount=500_00, currency="eur")
    await market.settle()


async def secured(market: Market, listing: Listing, by: Party) -> str:
    deposit = await asked(market, listing, by)
    await paid(market, deposit)
    assert (await read(market, deposit["id"], by))["status"] == "secured"
    return str(deposit["id"])


async def bid_of(market: Market, listing: Listing, by: Party, price: str = "120.00") -> httpx.Response:
    body = new_bid(listing, by, price).model_dump(mode="json", exclude_none=True)
    return await market.client.post("/v1/bids", headers=by.headers, json=body)


async def silent(market: Market) -> None:
    """Until the time to confirm is over."""
    await market.advance(timedelta(days=10))


async def test_a_new_bidder_is_asked_for_the_deposit_before_its_bid_is_taken(market: Market) -> None:
    listing = await lot(market)
    refused = await bid_of(market, listing, market.buyer)
    assert (refused.status_code, refused.json()["code"]) == (409, "deposit_required")
    assert "500.00 EUR" in refused.json()["detail"]
    deposit = await asked(market, listing, market.buyer)
    assert (deposit["status"], deposit["amount"]) == ("pending", {"amount": "500.00", "currency": "EUR"})
    assert deposit["instructions"]["amount_remaining"] == deposit["amount"]
    assert (await bid_of(market, listing, market.buyer)).json()["code"] == "deposit_required"
    await paid(market, deposit)
    assert (await bid_of(market, listing, market.buyer)).status_code == 201
    assert await market.balances() == {
        "stripe_balance": Money.of("495.00", "EUR"),
        "stripe_fee": Money.of("5.00", "EUR"),
        "deposit_hold": -ASKED,
    }
    assert await market.told(deposit["id"]) == ["deposit.requested", "deposit.secured"]


async def test_nobody_hears_who_has_left_a_deposit(market: Market) -> None:
    listing = await lot(market)
    deposit_id = await secured(market, listing, market.buyer)
    for party in (market.seller, market.plant):
        assert (await read(market, deposit_id, party))["status"] == 404
        assert (await market.client.get("/v1/deposits", headers=party.headers)).json()["data"] == []
        assert await market.told(deposit_id, to=party) == []
        async with market.work(party) as work:
            assert await work.session.get(Deposit, deposit_id) is None


async def test_asked_again_it_is_the_same_deposit(market: Market) -> None:
    listing = await lot(market)
    first, second = [await asked(market, listing, market.buyer) for _ in range(2)]
    assert first["id"] == second["id"]
    listed = await market.client.get(
        f"/v1/deposits?listing_id={listing.id}&status=pending", headers=market.buyer.headers
    )
    assert [one["id"] for one in listed.json()["data"]] == [first["id"]]


async def test_the_winner_that_confirms_gets_it_back(market: Market) -> None:
    listing = await lot(market)
    deposit_id = await secured(market, listing, market.buyer)
    bid = await placed_bid(market.sessions, listing, market.buyer)
    await confirmed(market.sessions, bid, market.seller, market.buyer)
    await market.settle()
    kept = await read(market, deposit_id, market.buyer)
    assert (kept["status"], kept["problem"], kept["paid_at"] is None) == ("released", None, False)
    assert await market.balances() == {
        "stripe_balance": Money.of("-5.00", "EUR"),
        "stripe_fee": Money.of("5.00", "EUR"),
    }


async def test_the_winner_that_stays_silent_loses_it_to_the_seller(market: Market) -> None:
    listing = await lot(market)
    deposit_id = await secured(market, listing, market.buyer)
    bid = await placed_bid(market.sessions, listing, market.buyer)
    await awarded(market.sessions, bid, market.seller)
    await silent(market)
    for party in (market.buyer, market.seller):
        kept = await read(market, deposit_id, party)
        assert (kept["status"], kept["broken_bid_id"], kept["paid_at"] is None) == ("forfeited", bid.id, False)
    assert await market.told(deposit_id, to=market.seller) == ["deposit.forfeited"]
    assert await market.balances() == {
        "stripe_balance": Money.of("-5.00", "EUR"),
        "stripe_fee": Money.of("5.00", "EUR"),
    }
    assert await market.till.stripe.effects(f"{deposit_id}:transfer:1") == {"transfer": 1}


async def test_who_does_not_win_gets_it_back_and_the_runner_up_keeps_it_until_then(market: Market) -> None:
    listing = await lot(market)
    winners, runners_up = [await secured(market, listing, party) for party in (market.buyer, market.plant)]
    bid = await placed_bid(market.sessions, listing, market.buyer)
    await placed_bid(market.sessions, listing, market.plant, "90.00")
    order = await awarded(market.sessions, bid, market.seller)
    await market.settle()
    assert (await read(market, runners_up, market.plant))["status"] == "secured"
    async with market.work(market.buyer) as work:
        await awarding.confirm(work, bid.id, terms_hash=order.terms_hash, by=market.buyer.actor)
    await market.settle()
    assert (await read(market, winners, market.buyer))["status"] == "released"
    assert (await read(market, runners_up, market.plant))["status"] == "released"


async def test_a_withdrawn_bid_leaves_it_until_bidding_is_over(market: Market) -> None:
    listing = await lot(market, closes_at=None)
    deposit_id = await secured(market, listing, market.buyer)
    bid = await placed_bid(market.sessions, listing, market.buyer)
    async with market.work(market.buyer) as work:
        await placing.withdraw(work, bid.id, by=market.buyer.actor)
    await market.settle()
    assert (await read(market, deposit_id, market.buyer))["status"] == "secured"
    async with market.work(market.seller) as work:
        await publishing.withdraw(work, listing.id, by=market.seller.actor)
    await market.settle()
    assert (await read(market, deposit_id, market.buyer))["status"] == "released"


async def test_who_never_bid_gets_it_back_at_the_close(market: Market) -> None:
    listing = await open_listing(market.sessions, market.seller, [motors(waste_code=None)], deposit=ASKED)
    deposit_id = await secured(market, listing, market.buyer)
    await market.advance(timedelta(days=4))
    assert (await read(market, deposit_id, market.buyer))["status"] == "released"


async def test_what_has_not_arrived_when_bidding_ends_is_called_off(market: Market) -> None:
    listing = await lot(market)
    deposit = await asked(market, listing, market.buyer)
    async with market.work(market.seller) as work:
        await publishing.withdraw(work, listing.id, by=market.seller.actor)
    await market.settle()
    ended = await read(market, deposit["id"], market.buyer)
    assert (ended["status"], ended["instructions"]) == ("called_off", None)
    late = await market.client.post("/v1/deposits", headers=market.buyer.headers, json={"listing_id": listing.id})
    assert (late.status_code, late.json()["code"]) == (409, "bidding_has_closed")
    assert await market.balances() == {}


async def test_money_that_arrives_while_it_is_called_off_goes_back(market: Market) -> None:
    listing = await lot(market)
    deposit = await asked(market, listing, market.buyer)
    async with market.work(market.seller) as work:
        await publishing.withdraw(work, listing.id, by=market.seller.actor)
    reference = deposit["instructions"]["reference"]
    await market.till.stripe.do("bank-transfers", reference=reference, amount=500_00, currency="eur")
    await market.settle()
    assert (await read(market, deposit["id"], market.buyer))["status"] == "released"
    assert await market.balances() == {
        "stripe_balance": Money.of("-5.00", "EUR"),
        "stripe_fee": Money.of("5.00", "EUR"),
    }


async def test_who_has_bought_an_order_that_was_settled_is_new_no_more(market: Market) -> None:
    order = await held(market, [motors()])
    listing = await lot(market)
    assert (await bid_of(market, listing, market.buyer)).json()["code"] == "deposit_required"
    await delivered(market, order)
    await inspected(market, await received(market, order))
    await market.settle()
    assert (await market.order(order)).status == "settled"
    assert (await bid_of(market, listing, market.buyer)).status_code == 201
    refused = await market.client.post("/v1/deposits", headers=market.buyer.headers, json={"listing_id": listing.id})
    assert (refused.status_code, refused.json()["code"]) == (409, "deposit_not_needed")
    assert (await bid_of(market, listing, market.plant)).json()["code"] == "deposit_required"


async def test_after_a_forfeit_another_deposit_is_asked_for(market: Market) -> None:
    listing = await lot(market)
    first = await secured(market, listing, market.buyer)
    bid = await placed_bid(market.sessions, listing, market.buyer)
    await awarded(market.sessions, bid, market.seller)
    await silent(market)
    other = await lot(market)
    assert (await bid_of(market, other, market.buyer)).json()["code"] == "deposit_required"
    second = await secured(market, other, market.buyer)
    assert (await read(market, first, market.buyer))["status"] == "forfeited"
    assert (await read(market, second, market.buyer))["status"] == "secured"


async def test_a_listing_without_one_asks_nobody(market: Market) -> None:
    listing = await negotiated(market.sessions, market.seller, [motors(waste_code=None)])
    assert (await bid_of(market, listing, market.buyer)).status_code == 201
    for party, code in ((market.plant, "deposit_not_asked"), (market.seller, "not_a_processor")):
        refused = await market.client.post("/v1/deposits", headers=party.headers, json={"listing_id": listing.id})
        assert refused.json()["code"] == code


@pytest.mark.parametrize(
    ("deposit", "pointer", "code"),
    [
        (Money.of("0.00", "EUR"), "/deposit", "deposit_out_of_range"),
        (Money.of("-1.00", "EUR"), "/deposit", "deposit_out_of_range"),
        (Money.of("1000000.00", "EUR"), "/deposit", "deposit_out_of_range"),
    ],
)
async def test_a_deposit_that_cannot_be_is_refused_at_publishing(
    market: Market, deposit: Money, pointer: str, code: str
) -> None:
    listing = await draft_listing(market.sessions, market.seller, [motors()], mode="negotiated", deposit=deposit)
    refused = await market.client.post(f"/v1/listings/{listing.id}/publish", headers=market.seller.headers)
    assert refused.status_code == 422
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [(pointer, code)]


async def test_a_deposit_is_in_the_listings_currency(market: Market) -> None:
    listing = await draft_listing(market.sessions, market.seller, [motors()], mode="negotiated")
    change = {"deposit": {"amount": "5.00", "currency": "USD"}}
    refused = await market.client.patch(f"/v1/listings/{listing.id}", headers=market.seller.headers, json=change)
    assert refused.status_code == 422
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("/deposit/currency", "currency_differs")
    ]


async def test_the_listing_tells_bidders_what_it_asks_for(market: Market) -> None:
    listing = await lot(market)
    for _ in range(2):
        told = (await market.client.get(f"/v1/listings/{listing.id}", headers=market.buyer.headers)).json()
        assert told["deposit"] == {"amount": "500.00", "currency": "EUR"}
    async with market.work() as work:
        assert not await queries.is_secured(work, listing.id, market.buyer.org.id)
