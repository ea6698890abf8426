"""Counter-offers in strict turns, and what accepting one makes."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.bidding import queries as bids
from services.bidding.models import Bid
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Blocked
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders.errors import TermsDiffer
from services.orders.terms import Terms
from tests.bidding.reading import heard
from tests.conftest import Advance
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import open_listing
from tests.factories.negotiating import accepted, countered
from tests.factories.orders import awarded, negotiated, payable
from tests.factories.parties import Party, organization


async def a_bid(sessions: Sessions, **promised: Any) -> tuple[Party, Party, Bid]:
    """120.00 €/t for 12 t of motors, and both sides can be paid."""
    seller, buyer = await organization(sessions), await processor(sessions)
    await payable(sessions, seller, buyer)
    return seller, buyer, await placed_bid(sessions, await negotiated(sessions, seller), buyer, **promised)


async def now(sessions: Sessions, bid: Bid) -> Bid:
    async with UnitOfWork(sessions, system(False)) as work:
        return await bids.bid(work, bid.id)


async def refusal(sessions: Sessions, bid: Bid, by: Party) -> str:
    with pytest.raises(Blocked) as refused:
        await countered(sessions, bid, by, "125.00")
    return refused.value.code


async def test_the_bidder_accepts_what_the_seller_would_take(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00")
    order = await accepted(sessions, bid, buyer)
    agreed = await now(sessions, bid)

    assert order.status == "confirmed"
    assert Terms.model_validate(order.terms).price == Money.of("130.00", "EUR")
    assert (agreed.status, agreed.price, agreed.agreed_price) == ("confirmed", bid.price, Money.of("130.00", "EUR"))


async def test_the_seller_accepts_what_the_bidder_answered(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00")
    await countered(sessions, bid, buyer, "124.00")
    order = await accepted(sessions, bid, seller)
    assert Terms.model_validate(order.terms).price == Money.of("124.00", "EUR")


async def test_a_counter_at_nil_is_a_price(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "0.00")
    order = await accepted(sessions, bid, buyer)
    assert Terms.model_validate(order.terms).price == Money.of("0.00", "EUR")


async def test_a_counter_below_zero_turns_the_tax_of_the_goods_round(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "-10.00")
    assert Terms.model_validate((await accepted(sessions, bid, buyer)).terms).goods_vat_bps == 1900


async def test_nobody_moves_twice(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    assert await refusal(sessions, bid, buyer) == "not_your_turn"
    await countered(sessions, bid, seller, "130.00")
    assert await refusal(sessions, bid, seller) == "not_your_turn"
    await countered(sessions, bid, buyer, "124.00")
    assert await refusal(sessions, bid, buyer) == "not_your_turn"


async def test_nobody_accepts_its_own_word(sessions: Sessions) -> None:
    seller, _, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00")
    with pytest.raises(Blocked) as refused:
        await accepted(sessions, bid, seller)
    assert refused.value.code == "not_your_turn"


async def test_only_a_negotiated_bid_is_countered(sessions: Sessions) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    timed = await placed_bid(sessions, await open_listing(sessions, seller, mode="timed"), buyer)
    assert await refusal(sessions, timed, seller) == "not_negotiated"


async def test_a_counter_carries_its_haulage_and_keeps_the_one_said_last(sessions: Sessions) -> None:
    ceiling, lower = Money.of("700.00", "EUR"), Money.of("650.00", "EUR")
    seller, buyer, bid = await a_bid(sessions, haulage_ceiling=ceiling)
    await countered(sessions, bid, seller, "130.00", haulage=lower)
    await countered(sessions, bid, buyer, "125.00")
    assert Terms.model_validate((await accepted(sessions, bid, seller)).terms).haulage_ceiling == lower


async def test_a_counter_that_lapses_leaves_the_bid_as_it_was_placed(sessions: Sessions, advance: Advance) -> None:
    seller, _, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00", expires_at=bid.received_at + timedelta(hours=1))
    await advance(timedelta(hours=2))
    order = await awarded(sessions, bid, seller)
    assert Terms.model_validate(order.terms).price == bid.price
    assert "bid.counter_lapsed" in await heard(sessions, seller)


async def test_whoever_never_answers_a_counter_without_an_end_holds_nobody_up(
    sessions: Sessions, advance: Advance
) -> None:
    seller, _, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00")
    await advance(timedelta(days=2, hours=23))
    waiting = (await now(sessions, bid)).status
    await advance(timedelta(hours=2))
    assert (waiting, (await now(sessions, bid)).status) == ("countered", "active")
    assert Terms.model_validate((await awarded(sessions, bid, seller)).terms).price == bid.price


async def test_an_answer_stops_the_clock_of_the_counter_before(sessions: Sessions, advance: Advance) -> None:
    seller, buyer, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00", expires_at=bid.received_at + timedelta(hours=1))
    await countered(sessions, bid, buyer, "124.00")
    await advance(timedelta(hours=2))
    assert (await now(sessions, bid)).status == "countered"


async def test_a_countered_bid_is_not_awarded_behind_the_counter(sessions: Sessions) -> None:
    seller, _, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00")
    with pytest.raises(Exception, match="award is not possible while the bid is countered"):
        await awarded(sessions, bid, seller)


async def test_a_refused_acceptance_leaves_no_trace(sessions: Sessions) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    bid = await placed_bid(sessions, await negotiated(sessions, seller), buyer)
    await countered(sessions, bid, seller, "130.00")
    with pytest.raises(Blocked) as refused:
        await accepted(sessions, bid, buyer)
    after = await now(sessions, bid)
    assert (refused.value.code, after.status, after.agreed_price) == ("payouts_not_active", "countered", None)


async def test_other_terms_than_those_read_are_refused(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    await countered(sessions, bid, seller, "130.00")
    with pytest.raises(TermsDiffer):
        await accepted(sessions, bid, buyer, terms_hash="0" * 64)


async def test_the_others_lose_once_when_a_counter_is_accepted(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    other = await processor(sessions, "Zweitlauf Maschinen GmbH")
    async with UnitOfWork(sessions, system(False)) as work:
        listing = await listings.listing(work, bid.listing_id)
    rival = await placed_bid(sessions, listing, other, "110.00")
    await countered(sessions, rival, seller, "140.00")
    await countered(sessions, bid, seller, "130.00")
    await accepted(sessions, bid, buyer)
    assert (await now(sessions, rival)).status == "lost"
    assert (await heard(sessions, other)).count("bid.lost") == 1


async def post(client: httpx.AsyncClient, by: Party, bid: Bid, verb: str, version: int, **body: Any) -> httpx.Response:
    headers = by.headers | {"If-Match": f'"{version}"'}
    return await client.post(f"/v1/bids/{bid.id}/{verb}", json=body, headers=headers)


async def test_the_whole_talk_over_http(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, buyer, bid = await a_bid(sessions)
    first = await post(client, seller, bid, "counter", bid.version, price={"amount": "130.00", "currency": "EUR"})
    stale = await post(client, buyer, bid, "counter", bid.version, price={"amount": "121.00", "currency": "EUR"})
    second = await post(
        client, buyer, bid, "counter", first.json()["version"], price={"amount": "124.00", "currency": "EUR"}
    )
    said = await client.get(f"/v1/bids/{bid.id}/counters", headers=seller.headers)
    done = await post(client, seller, bid, "accept_counter", second.json()["version"])

    assert (first.status_code, stale.status_code, second.status_code) == (200, 412, 200), first.text
    assert first.json()["blocked_transitions"][0]["reasons"][0]["code"] == "not_your_turn"
    assert [(one["side"], one["price"]["amount"]) for one in said.json()["data"]] == [
        ("buyer", "124.00"),
        ("seller", "130.00"),
    ]
    assert (done.status_code, done.json()["status"]) == (200, "confirmed"), done.text
    assert done.json()["terms"]["price"]["amount"] == "124.00"


async def test_what_was_said_is_for_the_two_of_them(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, _, bid = await a_bid(sessions)
    stranger = await processor(sessions, "Zweitlauf Maschinen GmbH")
    await countered(sessions, bid, seller, "130.00")
    assert (await client.get(f"/v1/bids/{bid.id}/counters", headers=stranger.headers)).status_code == 404


async def test_the_terms_of_a_dry_run_are_those_that_are_accepted(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller, buyer, bid = await a_bid(sessions)
    version = (await countered(sessions, bid, seller, "130.00")).version
    headers = buyer.headers | {"If-Match": f'"{version}"'}
    tried = await client.post(f"/v1/bids/{bid.id}/accept_counter?dry_run=true", json={}, headers=headers)
    done = await post(client, buyer, bid, "accept_counter", version, terms_hash=tried.json()["terms_hash"])
    assert (tried.status_code, done.status_code) == (200, 200), done.text


async def test_figures_in_another_currency_are_refused(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, _, bid = await a_bid(sessions)
    answer = await post(client, seller, bid, "counter", bid.version, price={"amount": "130.00", "currency": "USD"})
    assert (answer.status_code, answer.json()["code"]) == (422, "currency_differs")
