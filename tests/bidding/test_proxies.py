"""Ascending bids that the house raises: over the verbs and HTTP, as partners meet them."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.bidding import auctions, closing, queries
from services.bidding.adjudicating import fold
from services.bidding.errors import BidTooLow
from services.bidding.models import Bid
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Invalid
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import Listing
from tests.bidding.dumping import ways
from tests.bidding.lots import close_of, open_lot
from tests.conftest import Advance, Settle
from tests.factories.bidding import placed_bid
from tests.factories.parties import Party

SECRET = Money.of("8675309.31", "EUR")


def euros(amount: str) -> Money:
    return Money.of(amount, "EUR")


async def told(client: httpx.AsyncClient, bid: Bid, party: Party) -> dict[str, Any]:
    answer = await client.get(f"/v1/bids/{bid.id}", headers=party.headers)
    found: dict[str, Any] = answer.json()
    return found


async def auction_of(sessions: Sessions, listing: Listing) -> Any:
    async with sessions() as session:
        return (await session.execute(text("SELECT * FROM auction WHERE listing_id = :id"), {"id": listing.id})).one()


async def test_the_house_raises_a_bid_when_another_comes(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    first = await placed_bid(sessions, listing, rheinkreis, "100.00", limit=euros("150.00"))
    second = await placed_bid(sessions, listing, zweitlauf, "120.00")
    mine, theirs = await told(client, first, rheinkreis), await told(client, second, zweitlauf)
    assert (mine["is_leading"], mine["price"]["amount"], mine["leading_price"]["amount"]) == (True, "100.00", "121.00")
    assert (theirs["is_leading"], theirs["status"], theirs["leading_price"]["amount"]) == (False, "active", "121.00")


async def test_a_limit_is_told_to_its_bidder_alone(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    settle: Settle,
    advance: Advance,
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    bid = await placed_bid(sessions, listing, rheinkreis, "100.00", limit=SECRET)
    other = await placed_bid(sessions, listing, zweitlauf, "120.00")
    await settle()
    await advance(close_of(listing))
    paths = [f"/v1/bids/{bid.id}", f"/v1/bids?listing_id={listing.id}", f"/v1/listings/{listing.id}/ranking"]
    paths += ["/v1/events?limit=200", f"/v1/audit-entries?subject_id={bid.id}", f"/v1/bids/{other.id}"]
    heard = [(await client.get(path, headers=party.headers)).text for party in (seller, zweitlauf) for path in paths]
    recorded = (await client.get(f"/v1/audit-entries?subject_id={bid.id}", headers=rheinkreis.headers)).text
    assert [way for way in ways(SECRET) for answer in [*heard, recorded] if way in answer] == []
    assert (await told(client, bid, rheinkreis))["limit"] == SECRET.to_wire()


async def test_who_is_refused_is_told_what_would_do(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="timed", increment=euros("7.00"))
    await placed_bid(sessions, listing, rheinkreis, "100.00", limit=SECRET)
    with pytest.raises(BidTooLow, match=r"107\.00 EUR"):
        await placed_bid(sessions, listing, zweitlauf, "106.99")
    with pytest.raises(BidTooLow):
        await placed_bid(sessions, listing, rheinkreis, "200.00")
    assert (await placed_bid(sessions, listing, zweitlauf, "107.00")).status == "active"
    assert (await auction_of(sessions, listing)).price_minor == 114_00


async def test_the_row_says_what_the_log_says(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    await placed_bid(sessions, listing, rheinkreis, "100.00", limit=euros("150.00"))
    await placed_bid(sessions, listing, zweitlauf, "120.00", limit=euros("140.00"))
    await advance(close_of(listing) - timedelta(minutes=1))
    await placed_bid(sessions, listing, zweitlauf, "145.00", limit=euros("200.00"))
    async with UnitOfWork(sessions, system(False)) as work:
        now = await listings.listing(work, listing.id)
        state = await auctions.standing(work, now)
        assert state == fold(await queries.log(work, listing.id), auctions.rules_of(now))
        assert state.lead is not None
        assert (state.lead.bidder_id, state.lead.price_minor, state.count) == (zweitlauf.org.id, 151_00, 3)
        assert state.ends_at == now.effective_end_at == close_of(listing) + timedelta(minutes=5)


async def test_at_the_close_the_winner_stands_at_the_price_and_the_outbid_at_their_limits(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    advance: Advance,
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    won = await placed_bid(sessions, listing, rheinkreis, "100.00", limit=SECRET)
    lost = await placed_bid(sessions, listing, zweitlauf, "110.00", limit=euros("140.00"))
    await advance(close_of(listing))
    ranking = (await client.get(f"/v1/listings/{listing.id}/ranking", headers=seller.headers)).json()["data"]
    prices = {bid.id: (await told(client, bid, seller))["standing_price"]["amount"] for bid in (won, lost)}
    assert prices == {won.id: "141.00", lost.id: "140.00"}
    assert [one["bid_id"] for one in ranking] == [won.id, lost.id]
    assert ranking[0]["total"]["amount"] == "282.00"


async def test_an_auction_that_only_the_log_knows_goes_on(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    """As of bids that were placed before auctions had a row."""
    listing = await open_lot(sessions, seller, mode="timed")
    await placed_bid(sessions, listing, rheinkreis, "100.00", limit=euros("150.00"))
    async with UnitOfWork(sessions, system(False)) as work:
        row = await auctions.standing(work, await listings.listing(work, listing.id))
        log = await queries.log(work, listing.id)
        assert fold(log, auctions.rules_of(await listings.listing(work, listing.id))) == row


async def test_a_limit_below_the_price_does_not_fit(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    body = {
        "listing_id": listing.id,
        "site_id": rheinkreis.site.id,
        "price": {"amount": "100.00", "currency": "EUR"},
        "limit": {"amount": "99.00", "currency": "EUR"},
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    answer = await client.post("/v1/bids", json=body, headers=rheinkreis.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_below_price")


@pytest.mark.parametrize(
    ("mode", "amount", "code"),
    [("sealed", "1.00", "increment_needs_timed"), ("timed", "-1.00", "increment_not_positive")],
)
async def test_only_a_timed_listing_has_an_increment_and_it_is_positive(
    sessions: Sessions, seller: Party, mode: str, amount: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await open_lot(sessions, seller, mode=mode, increment=euros(amount))
    assert [error.code for error in refused.value.errors] == [code]


async def test_a_close_that_finds_no_bid_settles_nothing(sessions: Sessions, seller: Party) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    async with UnitOfWork(sessions, system(False), now=close_of(listing)) as work:
        await closing.close(work, listing.id)
        assert (await listings.listing(work, listing.id)).status == "closed"
