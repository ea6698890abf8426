"""An instant listing is sold to whoever takes it first, at its price."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.errors import Invalid
from services.listings.models import Listing
from tests.bidding.reading import statuses
from tests.conftest import Race, Settle
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import draft_listing, motors, open_listing
from tests.factories.orders import Market, payable
from tests.factories.parties import Party, organization

PRICE = {"amount": "90.00", "currency": "EUR"}
_STATUS = text("SELECT status FROM listing WHERE id = :id")
_ORDERS = text('SELECT count(*) FROM "order" WHERE listing_id = :id')


async def for_sale(sessions: Sessions, **terms: Any) -> tuple[Party, Listing]:
    seller = await organization(sessions)
    await payable(sessions, seller)
    usual: dict[str, Any] = {"mode": "instant", "price": PRICE, "closes_at": None}
    return seller, await open_listing(sessions, seller, **(usual | terms))


async def buy(client: httpx.AsyncClient, by: Party, listing: Listing, **more: Any) -> httpx.Response:
    query = {"dry_run": "true"} if more.pop("dry_run", False) else {}
    body = {"site_id": by.site.id, "haulage_basis": "FCA", "disposition": "recycle", "operation": "R4"} | more
    headers = by.headers | {"If-Match": f'"{listing.version}"'}
    return await client.post(f"/v1/listings/{listing.id}/buy", json=body, headers=headers, params=query)


async def value(sessions: Sessions, query: Any, listing: Listing) -> Any:
    async with sessions() as session:
        return (await session.execute(query, {"id": listing.id})).scalar_one()


async def test_buying_makes_a_contract_at_once(sessions: Sessions, client: httpx.AsyncClient) -> None:
    _, listing = await for_sale(sessions)
    buyer = await processor(sessions)
    answer = await buy(client, buyer, listing)
    assert (answer.status_code, answer.json()["status"]) == (200, "confirmed"), answer.text
    assert answer.json()["terms"]["price"] == PRICE
    assert (await value(sessions, _STATUS, listing), await statuses(sessions, listing)) == (
        "awarded",
        {answer.json()["terms"]["bid_id"]: "confirmed"},
    )


async def test_a_rehearsed_purchase_sells_nothing(sessions: Sessions, client: httpx.AsyncClient) -> None:
    _, listing = await for_sale(sessions)
    buyer = await processor(sessions)
    tried = await buy(client, buyer, listing, dry_run=True)
    assert (tried.status_code, await value(sessions, _ORDERS, listing)) == (200, 0)
    assert (await value(sessions, _STATUS, listing)) == "open"


async def test_a_gate_fee_can_be_a_fixed_price(sessions: Sessions, client: httpx.AsyncClient) -> None:
    fee = {"amount": "-25.00", "currency": "EUR"}
    _, listing = await for_sale(sessions, price=fee)
    buyer = await processor(sessions)
    await payable(sessions, buyer)
    assert (await buy(client, buyer, listing)).json()["terms"]["price"] == fee


@pytest.mark.parametrize(
    ("amount", "told"),
    [("89.99", (409, "bid_too_low")), ("0.00", (409, "bid_too_low")), ("90.01", (422, "price_differs"))],
)
async def test_another_price_is_refused(
    sessions: Sessions, client: httpx.AsyncClient, amount: str, told: tuple[int, str]
) -> None:
    _, listing = await for_sale(sessions)
    answer = await buy(client, await processor(sessions), listing, price=PRICE | {"amount": amount})
    assert (answer.status_code, answer.json()["code"]) == told


async def test_what_asks_for_bids_is_not_for_sale(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller)
    answer = await buy(client, await processor(sessions), listing)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_for_sale")


async def test_what_is_sold_is_sold(sessions: Sessions, client: httpx.AsyncClient) -> None:
    _, listing = await for_sale(sessions)
    await buy(client, await processor(sessions), listing)
    late = await buy(client, await processor(sessions, "Zweitlauf Maschinen GmbH"), listing)
    assert (late.status_code, late.json()["code"]) == (409, "bidding_has_closed")


async def test_a_refused_purchase_leaves_no_bid(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, mode="instant", price=PRICE)
    answer = await buy(client, await processor(sessions), listing)
    assert (answer.status_code, answer.json()["code"]) == (409, "payouts_not_active")
    assert await statuses(sessions, listing) == {}


async def test_a_bid_at_the_price_wins_by_itself(market: Market) -> None:
    listing = await open_listing(market.sessions, market.seller, mode="instant", price=PRICE)
    slow = await processor(market.sessions, "Zweitlauf Maschinen GmbH")
    first = await placed_bid(market.sessions, listing, market.buyer, "90.00")
    second = await placed_bid(market.sessions, listing, slow, "90.00")
    await market.settle()
    assert await statuses(market.sessions, listing) == {first.id: "confirmed", second.id: "lost"}


async def test_a_bid_that_may_not_win_waits_for_the_seller(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, mode="instant", price=PRICE)
    bid = await placed_bid(sessions, listing, await processor(sessions), "90.00")
    await settle()
    assert await statuses(sessions, listing) == {bid.id: "active"}


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"mode": "instant"}, "price_required"),
        ({"mode": "negotiated", "price": PRICE}, "price_needs_instant"),
        ({"mode": "negotiated", "award_rule": "best_landed"}, "rule_needs_close"),
    ],
)
async def test_what_a_price_needs_is_asked_before_publishing(
    sessions: Sessions, client: httpx.AsyncClient, terms: dict[str, Any], code: str
) -> None:
    seller = await organization(sessions)
    draft = await draft_listing(sessions, seller, [motors()], **terms)
    answer = await client.post(f"/v1/listings/{draft.id}/publish", headers=seller.headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code), answer.text


async def test_a_price_in_another_currency_is_refused(sessions: Sessions) -> None:
    seller = await organization(sessions)
    with pytest.raises(Invalid) as refused:
        await draft_listing(sessions, seller, mode="instant", price=PRICE | {"currency": "USD"})
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/price/currency", "currency_differs")]


async def test_a_price_keeps_its_currency_when_the_draft_changes(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    draft = await draft_listing(sessions, seller, mode="instant", price=PRICE)
    path = f"/v1/listings/{draft.id}"
    silent = await client.patch(path, json={"currency": "USD"}, headers=seller.headers)
    dollars = {"currency": "USD", "price": {"amount": "95.00", "currency": "USD"}}
    said = await client.patch(path, json=dollars, headers=seller.headers)
    gone = await client.patch(path, json={"price": None, "mode": "negotiated"}, headers=seller.headers)
    assert (silent.status_code, silent.json()["errors"][0]["code"]) == (422, "currency_differs")
    assert (said.json()["price"], gone.json()["price"]) == (dollars["price"], None)


@pytest.mark.race
@pytest.mark.xdist_group("race")
async def test_of_fifty_buyers_at_once_one_has_it(race: Race) -> None:
    _, listing = await for_sale(race.sessions)
    buyers = [await processor(race.sessions, f"Verwerter {number}") for number in range(50)]
    answers = await asyncio.gather(*(buy(race.client, buyer, listing) for buyer in buyers))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 49
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"bidding_has_closed"}
    assert await race.value('SELECT count(*) FROM "order"') == 1
    assert await race.value("SELECT count(*) FROM bid") == 1
    assert await race.value("SELECT sum(reserved_g) FROM permit_scope") == 12_600_000
