"""The bids of a listing as a file: complete, in order, and safe to open."""

import csv
import io
import json
from typing import Any

import httpx

from services.bidding import placing
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from tests.bidding.lots import close_of, open_lot
from tests.conftest import Advance
from tests.factories.bidding import placed_bid
from tests.factories.negotiating import countered
from tests.factories.parties import Party


async def history(client: httpx.AsyncClient, by: Party, listing: Listing, **query: str) -> httpx.Response:
    return await client.get(f"/v1/listings/{listing.id}/bids/history", headers=by.headers, params=query)


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_every_word_and_every_move_is_told_in_order(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    first = await placed_bid(sessions, listing, rheinkreis, "100.00")
    second = await placed_bid(sessions, listing, rheinkreis, "110.00")
    await countered(sessions, second, seller, "130.00", note="Without the pallets.")
    answer = await history(client, seller, listing)
    told = lines(answer)

    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [(one["kind"], one["bid_id"], one["price"] or one["move"]) for one in told] == [
        ("bid", first.id, "100.00"),
        ("move", first.id, "admit"),
        ("move", first.id, "supersede"),
        ("bid", second.id, "110.00"),
        ("move", second.id, "admit"),
        ("counter", second.id, "130.00"),
        ("move", second.id, "counter"),
    ]
    assert told[5]["note"] == "Without the pallets."


async def test_a_table_runs_nothing(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    bid = await placed_bid(sessions, listing, rheinkreis, "-35.00")
    await countered(sessions, bid, seller, "-30.00", note='=HYPERLINK("http://example.com")')
    rows = list(csv.DictReader(io.StringIO((await history(client, seller, listing, format="csv")).text)))
    said = [row for row in rows if row["kind"] == "counter"]
    assert [(row["price"], row["note"]) for row in said] == [("-30.00", '\'=HYPERLINK("http://example.com")')]


async def test_what_was_withdrawn_from_a_sealed_listing_stays_shut(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    kept = await placed_bid(sessions, listing, rheinkreis)
    gone = await placed_bid(sessions, listing, zweitlauf, "99.00")
    async with UnitOfWork(sessions, zweitlauf.actor) as work:
        await placing.withdraw(work, gone.id, by=zweitlauf.actor)
    early = await history(client, seller, listing)
    await advance(close_of(listing))
    assert (early.status_code, early.json()["code"]) == (409, "still_open")
    assert {line["bid_id"] for line in lines(await history(client, seller, listing))} == {kept.id}


async def test_a_bidder_reads_no_history(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    answer = await history(client, rheinkreis, listing)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_the_seller")
