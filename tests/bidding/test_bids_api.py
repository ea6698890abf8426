"""The endpoints of bids, as a partner's engineer meets them."""

from datetime import timedelta
from typing import Any

import httpx

from services.kernel.database import Sessions
from services.listings.models import Listing
from tests.bidding.lots import STORY, close_of, open_lot
from tests.bidding.reading import bids_of
from tests.conftest import Advance
from tests.factories.bidding import placed_bid, processor
from tests.factories.parties import Party

EUR_910 = {"amount": "910.00", "currency": "EUR"}


def body(listing: Listing, bidder: Party, amount: str = "120.00", **given: Any) -> dict[str, Any]:
    usual = {
        "listing_id": listing.id,
        "site_id": bidder.site.id,
        "price": {"amount": amount, "currency": "EUR"},
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    return usual | given


async def test_placing_answers_the_bid_and_what_can_be_done_with_it(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller, STORY)
    answer = await client.post("/v1/bids", json=body(listing, rheinkreis), headers=rheinkreis.headers)
    told = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"2"')
    assert (told["status"], told["price"]) == ("active", {"amount": "120.00", "currency": "EUR"})
    assert (told["price_unit"], told["sequence"], told["is_leading"]) == ("tonne", None, None)
    assert told["allowed_transitions"] == ["withdraw"]


async def test_an_idempotency_key_places_one_bid(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    headers = {**rheinkreis.headers, "Idempotency-Key": "offer-4711"}
    sent = [await client.post("/v1/bids", json=body(listing, rheinkreis), headers=headers) for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    assert len(await bids_of(sessions, rheinkreis)) == 1


async def test_a_dry_run_answers_and_leaves_nothing(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    sent = body(listing, rheinkreis)
    answer = await client.post("/v1/bids?dry_run=true", json=sent, headers=rheinkreis.headers)
    assert (answer.status_code, await bids_of(sessions, rheinkreis)) == (201, [])


async def test_a_fourth_bidder_without_the_permit_hears_every_reason(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party
) -> None:
    listing = await open_lot(sessions, seller, STORY)
    fourth = await processor(sessions, waste_codes=["160214", "160216"])
    answer = await client.post("/v1/bids", json=body(listing, fourth), headers=fourth.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "permit_scope")
    assert [error["code"] for error in answer.json()["errors"]] == ["permit_scope"]


async def test_a_wrong_currency_is_pointed_at(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    sent = body(await open_lot(sessions, seller), rheinkreis, price={"amount": "120.00", "currency": "CHF"})
    answer = await client.post("/v1/bids", json=sent, headers=rheinkreis.headers)
    told = answer.json()
    assert (answer.status_code, told["code"], told["errors"][0]["pointer"]) == (
        422,
        "currency_differs",
        "/price/currency",
    )


async def test_a_price_as_a_number_and_an_unknown_field_are_refused(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    sent = body(await open_lot(sessions, seller), rheinkreis, price=120.0, proxy_limit="200.00")
    answer = await client.post("/v1/bids", json=sent, headers=rheinkreis.headers)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/price", "/proxy_limit"}


async def test_a_late_bid_is_refused_with_both_instants(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await advance(close_of(listing) + timedelta(seconds=1))
    answer = await client.post("/v1/bids", json=body(listing, rheinkreis), headers=rheinkreis.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "bidding_has_closed")
    assert [error["code"] for error in answer.json()["errors"]] == ["received_at", "ended_at"]


async def test_the_seller_sees_what_stands_against_an_award(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    bid = await placed_bid(sessions, listing, rheinkreis)
    before = (await client.get(f"/v1/bids/{bid.id}", headers=seller.headers)).json()
    assert [(one["name"], one["reasons"][0]["code"]) for one in before["blocked_transitions"]] == [
        ("award", "still_open"),
        ("counter", "not_negotiated"),
    ]
    assert before["is_leading"] is True
    await advance(close_of(listing))
    after = (await client.get(f"/v1/bids/{bid.id}", headers=seller.headers)).json()
    assert after["allowed_transitions"] == ["award"]


async def test_a_stale_version_is_not_withdrawn(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    path = f"/v1/bids/{bid.id}/withdraw"
    stale = await client.post(path, headers={**rheinkreis.headers, "If-Match": '"1"'})
    fresh = await client.post(path, headers={**rheinkreis.headers, "If-Match": '"2"'})
    assert (stale.status_code, fresh.status_code, fresh.json()["status"]) == (412, 200, "withdrawn")


async def test_a_bidders_list_holds_its_own_bids_newest_first(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    old = await placed_bid(sessions, listing, rheinkreis, "1.00")
    await placed_bid(sessions, listing, zweitlauf, "2.00")
    new = await placed_bid(sessions, listing, rheinkreis, "3.00")
    every = (await client.get("/v1/bids", headers=rheinkreis.headers)).json()["data"]
    active = (await client.get("/v1/bids?status=active", headers=rheinkreis.headers)).json()["data"]
    assert [bid["id"] for bid in every] == [new.id, old.id]
    assert [bid["id"] for bid in active] == [new.id]
    mine = (await client.get("/v1/bids", headers=seller.headers)).json()
    assert mine == {"data": [], "has_more": False, "next_cursor": None}


async def test_the_ranking_of_the_main_job(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    advance: Advance,
) -> None:
    batteriehof = await processor(sessions, "Batteriehof Osnabrück GmbH")
    listing = await open_lot(sessions, seller, STORY)
    delivered = body(listing, zweitlauf, "0.00", haulage_basis="DAP", haulage_quote=EUR_910)
    for bidder, sent in (
        (rheinkreis, body(listing, rheinkreis, "120.00")),
        (zweitlauf, delivered),
        (batteriehof, body(listing, batteriehof, "-35.00")),
    ):
        assert (await client.post("/v1/bids", json=sent, headers=bidder.headers)).status_code == 201
    await advance(close_of(listing))
    told = (await client.get(f"/v1/listings/{listing.id}/ranking", headers=seller.headers)).json()
    assert told["commission_bps"] == 500
    assert [
        (one["rank"], one["bidder_id"], one["total"]["amount"], one["landed_net_value"]["amount"])
        for one in told["data"]
    ] == [
        (1, rheinkreis.org.id, "2160.00", "2052.00"),
        (2, batteriehof.org.id, "-630.00", "-630.00"),
        (3, zweitlauf.org.id, "0.00", "-910.00"),
    ]


async def test_a_bid_of_nobody_is_not_there(client: httpx.AsyncClient, rheinkreis: Party) -> None:
    path = "/v1/bids/bid_01kaq4m8q3e8xvw2t5n6r7s8d9"
    assert (await client.get(path, headers=rheinkreis.headers)).status_code == 404
    assert (await client.get(path)).status_code == 401
