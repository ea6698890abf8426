"""Seller and bidder at once, on the same bid."""

import asyncio
from typing import Any

import httpx
import pytest

from services.bidding.models import Bid
from tests.conftest import Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.negotiating import countered
from tests.factories.orders import negotiated, payable
from tests.factories.parties import Party, organization

pytestmark = [pytest.mark.race, pytest.mark.xdist_group("race")]
OFFER = {"price": {"amount": "125.00", "currency": "EUR"}}


async def a_countered_bid(race: Race) -> tuple[Party, Party, Bid]:
    """The seller's word is on the table."""
    seller, buyer = await organization(race.sessions), await processor(race.sessions)
    await payable(race.sessions, seller, buyer)
    bid = await placed_bid(race.sessions, await negotiated(race.sessions, seller), buyer)
    return seller, buyer, await countered(race.sessions, bid, seller, "130.00")


async def send(race: Race, by: Party, bid: Bid, verb: str, body: dict[str, Any], match: str = "*") -> httpx.Response:
    return await race.client.post(f"/v1/bids/{bid.id}/{verb}", json=body, headers=by.headers | {"If-Match": match})


async def test_of_ten_that_counter_and_ten_that_accept_at_once_one_moves(race: Race) -> None:
    _, buyer, bid = await a_countered_bid(race)
    read = f'"{bid.version}"'
    moves = [send(race, buyer, bid, "counter", OFFER, read) for _ in range(10)]
    moves += [send(race, buyer, bid, "accept_counter", {}, read) for _ in range(10)]
    answers = await asyncio.gather(*moves)
    told = [answer.status_code for answer in answers]
    assert sorted(told)[0] == 200
    assert told.count(200) == 1
    assert set(told) <= {200, 409, 412}


async def test_both_sides_at_once_without_looking_make_one_move_each_in_turn(race: Race) -> None:
    seller, buyer, bid = await a_countered_bid(race)
    moves = [send(race, by, bid, "counter", OFFER) for by in (seller, buyer) for _ in range(8)]
    answers = await asyncio.gather(*moves)
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 200]
    assert set(refused) <= {"not_your_turn"}
    said = await race.value(
        "SELECT string_agg(side, ' ' ORDER BY number) FROM bid_counter WHERE bid_id = :id", id=bid.id
    )
    assert "seller seller" not in said
    assert "buyer buyer" not in said
    assert len(said.split()) == 1 + len(answers) - len(refused)


async def test_of_an_acceptance_and_a_withdrawal_at_once_one_stands(race: Race) -> None:
    seller, buyer, bid = await a_countered_bid(race)
    bid = await countered(race.sessions, bid, buyer, "126.00")
    answers = await asyncio.gather(
        send(race, seller, bid, "accept_counter", {}), send(race, buyer, bid, "withdraw", {})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    status = await race.value("SELECT status FROM bid WHERE id = :id", id=bid.id)
    assert await race.value('SELECT count(*) FROM "order"') == (status == "confirmed")
