"""Who may bid what, and what is refused."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.bidding import placing
from services.bidding.errors import (
    BiddingHasClosed,
    BiddingNotOpen,
    BidDoesNotFit,
    BidTooLow,
    NotAProcessor,
    OwnListing,
)
from services.bidding.models import Bid
from services.kernel.database import Sessions
from services.kernel.errors import Blocked, Forbidden, NotFound, VersionMismatch
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from tests.bidding.lots import BOXES, STORY, close_of, open_lot
from tests.bidding.reading import bids_of, end_of, heard
from tests.conftest import Advance
from tests.factories.bidding import new_bid, placed_bid, processor
from tests.factories.parties import Party, organization, permit

EUR_700 = Money.of("700.00", "EUR")


async def withdraw(sessions: Sessions, bid: Bid, party: Party) -> Bid:
    async with UnitOfWork(sessions, party.actor) as work:
        return await placing.withdraw(work, bid.id, by=party.actor)


async def test_a_covered_bid_stands_at_once(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller, STORY)
    bid = await placed_bid(sessions, listing, rheinkreis, "120.00", haulage_ceiling=EUR_700)
    assert bid.status == "active"
    assert bid.received_at <= close_of(listing)
    assert [kept.id for kept in await bids_of(sessions, rheinkreis)] == [bid.id]


async def test_a_sealed_bid_is_told_to_its_bidder_alone(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    assert await heard(sessions, rheinkreis) == ["bid.placed", "bid.admitted"]
    assert await heard(sessions, seller) == []


@pytest.mark.parametrize("mode", ["timed", "negotiated"])
async def test_an_unsealed_bid_is_told_to_the_seller_too(
    sessions: Sessions, seller: Party, rheinkreis: Party, mode: str
) -> None:
    await placed_bid(sessions, await open_lot(sessions, seller, mode=mode), rheinkreis)
    assert await heard(sessions, seller) == ["bid.placed", "bid.admitted"]


async def test_every_code_the_permit_lacks_is_a_reason(sessions: Sessions, seller: Party) -> None:
    listing = await open_lot(sessions, seller, STORY)
    narrow = await processor(sessions, waste_codes=["160214"])
    with pytest.raises(Blocked) as refused:
        await placed_bid(sessions, listing, narrow)
    assert refused.value.code == "permit_scope"
    assert len(refused.value.reasons) == 2
    assert await bids_of(sessions, narrow) == []


async def test_the_operation_must_be_one_the_permit_names(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller, STORY)
    with pytest.raises(Blocked) as refused:
        await placed_bid(sessions, listing, rheinkreis, operation="R3")
    assert {reason.code for reason in refused.value.reasons} == {"permit_scope"}


async def test_the_permit_must_hold_the_upper_tolerance(sessions: Sessions, seller: Party) -> None:
    """15.000 t at +5 % are 15.750 t."""
    listing = await open_lot(sessions, seller, STORY[:2])
    large, small = await organization(sessions, ["recycler"]), await organization(sessions, ["recycler"])
    await permit(sessions, large, limit_g=15_750_000)
    await permit(sessions, small, limit_g=15_749_999)
    assert (await placed_bid(sessions, listing, large)).status == "active"
    with pytest.raises(Blocked) as refused:
        await placed_bid(sessions, listing, small)
    assert refused.value.code == "permit_tonnage"


async def test_goods_that_are_no_waste_need_no_permit(sessions: Sessions, seller: Party) -> None:
    listing = await open_lot(sessions, seller, BOXES)
    without = await organization(sessions, roles=["repairer"])
    assert (await placed_bid(sessions, listing, without, disposition="repair", operation=None)).status == "active"


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"price_unit": "lot"}, "/price_unit", "price_unit_differs"),
        ({"disposition": "dispose"}, "/disposition", "disposition_below_floor"),
        ({"operation": "R99"}, "/operation", "operation_unknown"),
        ({"haulage_basis": "DAP"}, "/haulage_quote", "required"),
        ({"haulage_quote": EUR_700}, "/haulage_quote", "haulage_does_not_fit"),
        ({"haulage_ceiling": -EUR_700}, "/haulage_ceiling", "negative"),
        ({"limit": EUR_700}, "/limit", "limit_needs_timed"),
        ({"haulage_ceiling": Money.of("1.00", "CHF")}, "/haulage_ceiling/currency", "currency_differs"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "/valid_until", "ends_too_early"),
    ],
)
async def test_a_bid_that_does_not_fit_is_told_where(
    sessions: Sessions, seller: Party, rheinkreis: Party, given: dict[str, Any], pointer: str, code: str
) -> None:
    listing = await open_lot(sessions, seller)
    with pytest.raises(BidDoesNotFit) as refused:
        await placed_bid(sessions, listing, rheinkreis, **given)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]
    assert refused.value.code == code
    assert await bids_of(sessions, rheinkreis) == []


async def test_a_price_in_another_currency_does_not_fit(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    francs = new_bid(await open_lot(sessions, seller, currency="CHF"), rheinkreis)
    euros = await open_lot(sessions, seller)
    with pytest.raises(BidDoesNotFit) as refused:
        async with UnitOfWork(sessions, rheinkreis.actor) as work:
            await placing.place(work, francs.model_copy(update={"listing_id": euros.id}), by=rheinkreis.actor)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/price/currency", "currency_differs")]
    assert refused.value.code == "currency_differs"


async def test_the_goods_go_to_a_site_of_the_bidder(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller)
    with pytest.raises(BidDoesNotFit) as refused:
        await placed_bid(sessions, listing, rheinkreis, site_id=seller.site.id)
    assert refused.value.code == "site_not_yours"


async def test_a_higher_rung_than_the_floor_is_welcome(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller, disposition_floor="recycle")
    assert (await placed_bid(sessions, listing, rheinkreis, disposition="reuse")).disposition == "reuse"


async def test_only_processors_bid(sessions: Sessions, seller: Party) -> None:
    listing = await open_lot(sessions, seller)
    with pytest.raises(NotAProcessor):
        await placed_bid(sessions, listing, await organization(sessions, roles=["carrier"]))


async def test_nobody_bids_for_its_own_goods(sessions: Sessions) -> None:
    both = await organization(sessions, roles=["manufacturer", "recycler"])
    listing = await open_lot(sessions, both)
    with pytest.raises(OwnListing):
        await placed_bid(sessions, listing, both)


async def test_a_listing_for_others_is_not_there(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, visibility="invited", invited=[zweitlauf.org.id])
    with pytest.raises(NotFound):
        await placed_bid(sessions, listing, rheinkreis)


async def test_a_listing_that_opens_later_takes_no_bid_yet(
    sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    async with UnitOfWork(sessions, seller.actor) as work:
        tomorrow = work.now + timedelta(days=1)
    listing = await open_lot(sessions, seller, opens_at=tomorrow)
    with pytest.raises(BiddingNotOpen):
        await placed_bid(sessions, listing, rheinkreis)


async def test_a_bid_after_the_end_says_by_how_much_it_was_late(
    sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await advance(close_of(listing) + timedelta(seconds=1))
    with pytest.raises(BiddingHasClosed) as refused:
        await placed_bid(sessions, listing, rheinkreis)
    told = {error.code: datetime.fromisoformat(error.detail) for error in refused.value.errors}
    assert told["ended_at"] == close_of(listing)
    assert told["received_at"] > told["ended_at"]
    assert await bids_of(sessions, rheinkreis) == []


async def test_a_second_bid_takes_the_place_of_the_first(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis, "120.00")
    await placed_bid(sessions, listing, rheinkreis, "90.00")
    first, second = await bids_of(sessions, rheinkreis)
    assert (first.status, first.ended_reason, second.status) == ("withdrawn", "superseded", "active")
    assert (await heard(sessions, rheinkreis))[2:] == ["bid.withdrawn", "bid.placed", "bid.admitted"]
    assert await heard(sessions, seller) == []


async def test_a_timed_bid_beats_the_leading_price(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    await placed_bid(sessions, listing, rheinkreis, "100.00")
    with pytest.raises(BidTooLow):
        await placed_bid(sessions, listing, zweitlauf, "100.00")
    assert (await placed_bid(sessions, listing, zweitlauf, "101.00")).sequence == 2
    assert await end_of(sessions, listing) == close_of(listing)


async def test_a_new_leader_in_the_last_minutes_moves_the_end_of_the_listing(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    await advance(close_of(listing) - timedelta(minutes=1))
    await placed_bid(sessions, listing, rheinkreis, "100.00")
    assert await end_of(sessions, listing) == close_of(listing) + timedelta(minutes=5)
    with pytest.raises(BidTooLow):
        await placed_bid(sessions, listing, zweitlauf, "99.00")
    assert await end_of(sessions, listing) == close_of(listing) + timedelta(minutes=5)


async def test_a_sealed_bid_can_be_taken_back_before_the_close(
    sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    assert (await withdraw(sessions, bid, rheinkreis)).status == "withdrawn"
    assert await heard(sessions, seller) == []


async def test_a_sealed_bid_stands_after_the_close(
    sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    await advance(close_of(listing))
    with pytest.raises(Blocked) as refused:
        await withdraw(sessions, bid, rheinkreis)
    assert refused.value.code == "bidding_has_closed"


async def test_the_leading_bid_of_a_timed_listing_stands_and_the_outbid_may_go(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="timed")
    outbid = await placed_bid(sessions, listing, rheinkreis, "100.00")
    leading = await placed_bid(sessions, listing, zweitlauf, "101.00")
    with pytest.raises(Blocked) as refused:
        await withdraw(sessions, leading, zweitlauf)
    assert refused.value.code == "bid_is_leading"
    assert (await withdraw(sessions, outbid, rheinkreis)).status == "withdrawn"


async def test_nobody_withdraws_the_bid_of_another(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller, mode="negotiated"), rheinkreis)
    with pytest.raises(NotFound):
        await withdraw(sessions, bid, zweitlauf)
    with pytest.raises(Forbidden):
        await withdraw(sessions, bid, seller)


async def test_another_version_than_the_one_read_is_refused(
    sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)

    def has_changed(version: int) -> None:
        raise VersionMismatch(version)

    with pytest.raises(VersionMismatch):
        async with UnitOfWork(sessions, rheinkreis.actor) as work:
            await placing.withdraw(work, bid.id, by=rheinkreis.actor, check_version=has_changed)


async def test_the_app_cannot_change_what_was_promised(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller, mode="negotiated"), rheinkreis)
    with pytest.raises(Exception, match="never changes"):
        async with sessions() as session:
            await session.execute(text("UPDATE bid SET price_minor = 1 WHERE id = :id"), {"id": bid.id})


async def test_a_negotiated_listing_may_have_no_end(sessions: Sessions, seller: Party, rheinkreis: Party) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated", closes_at=None)
    assert (await placed_bid(sessions, listing, rheinkreis, "-1450.00")).sequence == 1
    async with UnitOfWork(sessions, seller.actor) as work:
        assert (await listings.listing(work, listing.id)).effective_end_at is None
