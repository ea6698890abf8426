"""What happens when bidding ends, and to each bid after it."""

from datetime import timedelta

import pytest

from services.bidding import closing, placing, queries
from services.bidding.models import BID, STATUSES, Bid
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Blocked, TransitionNotPossible
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.listings.models import Listing
from tests.bidding.lots import close_of, open_lot
from tests.bidding.reading import bids_of, heard, listing_row, statuses
from tests.conftest import Advance, Settle
from tests.factories.bidding import new_bid, placed_bid
from tests.factories.parties import Party

MINUTE = timedelta(minutes=1)


async def award(sessions: Sessions, bid: Bid, seller: Party) -> None:
    """As the orders do it, once they have decided: the bid first, then its listing."""
    async with UnitOfWork(sessions, seller.actor) as work, work.as_house():
        won = await queries.bid_for_update(work, bid.id)
        await closing.mark_awarded(work, won)
        await publishing.mark_awarded(work, await listings.listing_for_update(work, bid.listing_id))


async def confirm(sessions: Sessions, bid: Bid, bidder: Party) -> None:
    async with UnitOfWork(sessions, bidder.actor) as work, work.as_house():
        won = await queries.bid_for_update(work, bid.id)
        await closing.mark_confirmed(work, won)
        await closing.lose_others(work, won.listing_id, won)


async def test_the_listing_closes_at_its_end_and_bidders_hear_of_it(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis)
    await settle()
    assert (await listing_row(sessions, listing)).status == "open"
    await advance(close_of(listing))
    assert (await listing_row(sessions, listing)).status == "closed"
    assert await heard(sessions, rheinkreis, "listing.closed") == ["listing.closed"]


async def test_sealed_bids_are_numbered_at_the_close_in_the_order_of_their_stamps(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    first = await placed_bid(sessions, listing, rheinkreis, "1.00")
    second = await placed_bid(sessions, listing, zweitlauf, "2.00")
    assert (first.sequence, second.sequence) == (None, None)
    await advance(close_of(listing))
    assert [bid.sequence for bid in await bids_of(sessions, rheinkreis)] == [1]
    assert [bid.sequence for bid in await bids_of(sessions, zweitlauf)] == [2]


async def test_a_listing_that_was_extended_closes_at_its_new_end(
    sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    await advance(close_of(listing) - MINUTE)
    await placed_bid(sessions, listing, rheinkreis)
    await advance(close_of(listing) + 4 * MINUTE)
    assert (await listing_row(sessions, listing)).status == "open"
    await advance(close_of(listing) + 5 * MINUTE)
    assert (await listing_row(sessions, listing)).status == "closed"


async def test_losing_bidders_are_told_once(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, settle: Settle, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    best = await placed_bid(sessions, listing, rheinkreis, "120.00")
    other = await placed_bid(sessions, listing, zweitlauf, "100.00")
    await advance(close_of(listing))
    await award(sessions, best, seller)
    assert (await statuses(sessions, listing))[other.id] == "active"
    await confirm(sessions, best, rheinkreis)
    await settle()
    assert await statuses(sessions, listing) == {best.id: "confirmed", other.id: "lost"}
    assert (await heard(sessions, zweitlauf)).count("bid.lost") == 1
    assert "bid.lost" not in await heard(sessions, rheinkreis) + await heard(sessions, seller)


async def test_the_seller_hears_of_the_award_and_the_confirmation_and_no_other_bidder_does(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    best = await placed_bid(sessions, listing, rheinkreis)
    await placed_bid(sessions, listing, zweitlauf, "1.00")
    await advance(close_of(listing))
    await award(sessions, best, seller)
    await confirm(sessions, best, rheinkreis)
    assert await heard(sessions, seller) == ["bid.awarded", "bid.confirmed"]
    assert await heard(sessions, zweitlauf) == ["bid.placed", "bid.admitted", "bid.lost"]


async def test_the_runner_up_can_be_awarded_when_the_winner_times_out(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    best = await placed_bid(sessions, listing, rheinkreis)
    second = await placed_bid(sessions, listing, zweitlauf, "1.00")
    await advance(close_of(listing))
    await award(sessions, best, seller)
    async with UnitOfWork(sessions, system(False)) as work:
        await closing.mark_timed_out(work, await queries.bid_for_update(work, best.id))
        await publishing.reopen_award(work, await listings.listing_for_update(work, listing.id))
    await award(sessions, second, seller)
    assert await statuses(sessions, listing) == {best.id: "timed_out", second.id: "awarded"}
    assert "bid.timed_out" in await heard(sessions, rheinkreis)


async def test_a_second_award_is_refused(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    best = await placed_bid(sessions, listing, rheinkreis)
    second = await placed_bid(sessions, listing, zweitlauf, "1.00")
    await advance(close_of(listing))
    await award(sessions, best, seller)
    with pytest.raises(Blocked) as refused:
        await award(sessions, second, seller)
    assert refused.value.code == "already_awarded"


async def test_nothing_is_awarded_while_bidding_is_on(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    with pytest.raises(Blocked) as refused:
        await award(sessions, bid, seller)
    assert refused.value.code == "still_open"


async def test_a_negotiated_listing_is_awarded_while_open(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    bid = await placed_bid(sessions, listing, rheinkreis)
    await award(sessions, bid, seller)
    assert await statuses(sessions, listing) == {bid.id: "awarded"}


async def test_every_bid_is_lost_when_the_listing_is_withdrawn(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, settle: Settle
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis)
    await placed_bid(sessions, listing, zweitlauf)
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    await settle()
    assert set((await statuses(sessions, listing)).values()) == {"lost"}
    assert (await heard(sessions, rheinkreis)).count("bid.lost") == 1
    assert await heard(sessions, seller) == []


async def test_every_bid_is_lost_when_nobody_is_awarded_in_time(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    await settle()
    await advance(close_of(listing) + publishing.AWARD_WINDOW)
    assert await statuses(sessions, listing) == {bid.id: "lost"}


async def test_nobody_is_bound_longer_than_it_said(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    until = close_of(listing) + timedelta(days=2)
    bid = await placed_bid(sessions, listing, rheinkreis, valid_until=until.isoformat())
    await settle()
    await advance(until)
    assert await statuses(sessions, listing) == {bid.id: "expired"}
    assert "bid.expired" in await heard(sessions, seller)


async def test_a_bid_that_was_awarded_outlives_its_validity(
    sessions: Sessions, seller: Party, rheinkreis: Party, settle: Settle, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    until = close_of(listing) + timedelta(days=2)
    bid = await placed_bid(sessions, listing, rheinkreis, valid_until=until.isoformat())
    await settle()
    await advance(close_of(listing))
    await award(sessions, bid, seller)
    await advance(until)
    assert await statuses(sessions, listing) == {bid.id: "awarded"}


async def test_a_closer_that_comes_twice_finds_nothing_to_do(
    sessions: Sessions, seller: Party, settle: Settle, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await settle()
    await advance(close_of(listing))
    before = await listing_row(sessions, listing)
    async with UnitOfWork(sessions, system(False)) as work:
        await closing.close(work, listing.id)
    assert await listing_row(sessions, listing) == before


async def test_a_bid_that_is_only_tried_leaves_nothing(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller)
    async with UnitOfWork(sessions, rheinkreis.actor, dry_run=True) as work:
        await placing.place(work, new_bid(listing, rheinkreis), by=rheinkreis.actor)
    assert await bids_of(sessions, rheinkreis) == []


NOT_IN_THE_TABLE = [
    (transition.name, status)
    for transition in BID.transitions
    for status in STATUSES
    if status not in transition.sources
]


@pytest.mark.parametrize(("name", "status"), NOT_IN_THE_TABLE)
def test_what_is_not_in_the_table_is_not_possible(name: str, status: str) -> None:
    with pytest.raises(TransitionNotPossible):
        BID.find(name, status)


async def test_nothing_watches_a_listing_without_an_end(
    sessions: Sessions, seller: Party, settle: Settle, advance: Advance
) -> None:
    listing: Listing = await open_lot(sessions, seller, mode="negotiated")
    await settle()
    await advance(timedelta(days=30))
    assert (await listing_row(sessions, listing)).status == "open"
