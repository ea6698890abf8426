"""A listing that awards itself: at the close, with a reserve, past bids that may not win, and on to the next best."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from services import reactions
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from services.orders import awarding, cancellation
from tests.bidding.lots import close_of
from tests.bidding.reading import statuses
from tests.conftest import Advance
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import open_listing
from tests.factories.orders import payable
from tests.factories.parties import Party, organization

EUROS = {"currency": "EUR"}
_ORDERS = text('SELECT id, bid_id, status, confirm_by, buyer_id FROM "order" WHERE listing_id = :id ORDER BY id')
_STATUS = text("SELECT status FROM listing WHERE id = :id")
_RANKING = text("SELECT ranking FROM award WHERE listing_id = :id ORDER BY id DESC LIMIT 1")
_NO_PERMIT = text("UPDATE permit SET valid_until = '2021-01-01' WHERE org_id = :org")


async def an_auction(sessions: Sessions, *names: str, **terms: Any) -> tuple[Party, Listing, list[Party]]:
    """Sealed, awarded by rule; everybody can be paid."""
    seller = await organization(sessions)
    bidders = [await processor(sessions, name) for name in names]
    await payable(sessions, seller, *bidders)
    return seller, await open_listing(sessions, seller, award_rule="best_landed", **terms), bidders


async def orders(sessions: Sessions, listing: Listing) -> list[Any]:
    async with sessions() as session:
        return list((await session.execute(_ORDERS, {"id": listing.id})).all())


async def value(sessions: Sessions, query: Any, listing: Listing) -> Any:
    async with sessions() as session:
        return (await session.execute(query, {"id": listing.id})).scalar_one()


async def test_the_best_bid_is_awarded_at_the_close(sessions: Sessions, advance: Advance) -> None:
    _, listing, (good, better) = await an_auction(sessions, "Gut GmbH", "Besser GmbH")
    await placed_bid(sessions, listing, good, "100.00")
    best = await placed_bid(sessions, listing, better, "120.00")
    await advance(close_of(listing))
    assert [(order.bid_id, order.status) for order in await orders(sessions, listing)] == [
        (best.id, "pending_confirmation")
    ]
    assert await value(sessions, _STATUS, listing) == "awarded"


async def test_the_rule_looks_at_what_lands_and_not_at_the_headline(sessions: Sessions, advance: Advance) -> None:
    _, listing, (near, far) = await an_auction(sessions, "Nah GmbH", "Fern GmbH")
    best = await placed_bid(sessions, listing, near, "100.00")
    quote = Money.of("900.00", "EUR")
    await placed_bid(sessions, listing, far, "150.00", haulage_basis="DAP", haulage_quote=quote)
    await advance(close_of(listing))
    assert [order.bid_id for order in await orders(sessions, listing)] == [best.id]


async def test_a_listing_by_hand_waits_for_its_seller(sessions: Sessions, advance: Advance) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    await payable(sessions, seller)
    listing = await open_listing(sessions, seller)
    await placed_bid(sessions, listing, bidder)
    await advance(close_of(listing))
    assert (await orders(sessions, listing), await value(sessions, _STATUS, listing)) == ([], "closed")


async def test_below_the_reserve_nothing_is_awarded(sessions: Sessions, advance: Advance) -> None:
    reserve = {"amount": "114.01"} | EUROS
    _, listing, (bidder,) = await an_auction(sessions, "Knapp GmbH", reserve_price=reserve)
    await placed_bid(sessions, listing, bidder, "120.00")  # lands at 114.00 after commission
    await advance(close_of(listing))
    assert (await orders(sessions, listing), await value(sessions, _STATUS, listing)) == ([], "closed")


async def test_a_bid_that_just_meets_the_reserve_wins(sessions: Sessions, advance: Advance) -> None:
    reserve = {"amount": "114.00"} | EUROS
    _, listing, (bidder,) = await an_auction(sessions, "Knapp GmbH", reserve_price=reserve)
    bid = await placed_bid(sessions, listing, bidder, "120.00")
    await advance(close_of(listing))
    assert [order.bid_id for order in await orders(sessions, listing)] == [bid.id]


async def test_a_gate_fee_meets_a_reserve_below_zero(sessions: Sessions, advance: Advance) -> None:
    reserve = {"amount": "-40.00"} | EUROS
    _, listing, (dear, cheap) = await an_auction(sessions, "Teuer GmbH", "Billig GmbH", reserve_price=reserve)
    await placed_bid(sessions, listing, dear, "-45.00")
    bid = await placed_bid(sessions, listing, cheap, "-40.00")
    await advance(close_of(listing))
    assert [order.bid_id for order in await orders(sessions, listing)] == [bid.id]


async def test_whoever_may_not_win_is_passed_over_and_it_is_written_why(sessions: Sessions, advance: Advance) -> None:
    _, listing, (lapsed, next_best) = await an_auction(sessions, "Abgelaufen GmbH", "Nächste GmbH")
    first = await placed_bid(sessions, listing, lapsed, "130.00")
    second = await placed_bid(sessions, listing, next_best, "120.00")
    async with sessions() as session:
        await session.execute(_NO_PERMIT, {"org": lapsed.org.id})
        await session.commit()
    await advance(close_of(listing))
    assert [order.bid_id for order in await orders(sessions, listing)] == [second.id]
    told = {one["bid_id"]: one.get("passed_over") for one in await value(sessions, _RANKING, listing)}
    assert told == {first.id: ["permit_expired"], second.id: None}


async def test_a_winner_that_lets_its_time_pass_makes_way_for_the_next(sessions: Sessions, advance: Advance) -> None:
    _, listing, bidders = await an_auction(sessions, "Eins GmbH", "Zwei GmbH", "Drei GmbH")
    placed = [await placed_bid(sessions, listing, one, price) for one, price in zip(bidders, PRICES, strict=True)]
    await advance(close_of(listing))
    await advance((await orders(sessions, listing))[0].confirm_by)
    await advance((await orders(sessions, listing))[1].confirm_by)
    told = await orders(sessions, listing)
    assert [order.bid_id for order in told] == [bid.id for bid in placed]
    assert [order.status for order in told] == ["cancelled", "cancelled", "pending_confirmation"]
    assert sorted((await statuses(sessions, listing)).values()) == ["awarded", "timed_out", "timed_out"]


PRICES = ("130.00", "120.00", "110.00")


async def test_after_the_last_silent_winner_the_listing_waits_for_its_seller(
    sessions: Sessions, advance: Advance
) -> None:
    _, listing, (bidder,) = await an_auction(sessions, "Still GmbH")
    await placed_bid(sessions, listing, bidder)
    await advance(close_of(listing))
    await advance((await orders(sessions, listing))[0].confirm_by)
    assert (len(await orders(sessions, listing)), await value(sessions, _STATUS, listing)) == (1, "closed")


async def test_an_order_that_was_called_off_is_not_followed_by_the_rule(sessions: Sessions, advance: Advance) -> None:
    seller, listing, bidders = await an_auction(sessions, "Eins GmbH", "Zwei GmbH")
    for bidder in bidders:
        await placed_bid(sessions, listing, bidder)
    await advance(close_of(listing))
    async with UnitOfWork(sessions, seller.actor) as work:
        order = (await orders(sessions, listing))[0]
        await cancellation.cancel(work, order.id, reason="The goods are gone.", by=seller.actor)
    await advance(timedelta(hours=1))
    assert (len(await orders(sessions, listing)), await value(sessions, _STATUS, listing)) == (1, "closed")


async def test_the_rule_is_asked_twice_and_awards_once(sessions: Sessions, advance: Advance) -> None:
    _, listing, (bidder,) = await an_auction(sessions, "Einmal GmbH")
    await placed_bid(sessions, listing, bidder)
    await advance(close_of(listing))
    async with UnitOfWork(sessions, system(False)) as work:
        again = await awarding.award_best(work, listing_id=listing.id)
    assert (again, len(await orders(sessions, listing))) == (None, 1)


def test_the_rule_hears_of_the_close_and_of_a_reopened_award() -> None:
    rule = reactions.award_by_the_sellers_rule
    assert {type for type, found in reactions.REACTIONS.items() if rule in found.values()} == {
        "listing.closed",
        "listing.award_reopened",
    }
