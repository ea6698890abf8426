"""Watching a listing: what is told, to whom, when, and how a stream ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.bidding import auctions, closing, watching
from services.bidding.errors import TooManyStreams
from services.bidding.watching import Hall, Message, messages
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.listening import Ears
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings.models import Listing
from tests.bidding.lots import close_of, open_lot
from tests.conftest import Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.parties import Party, organization

pytestmark = [pytest.mark.race, pytest.mark.xdist_group("race")]

SOON = 10.0


@pytest.fixture
async def hall(race: Race) -> AsyncIterator[Hall]:
    assert race.runtime.engine is not None
    made = Hall(race.sessions, Ears(race.runtime.engine.url, auctions.WAKE_CHANNEL))
    yield made
    await made.close()


async def close(sessions: Sessions, listing: Listing) -> None:
    async with UnitOfWork(sessions, system(False), now=close_of(listing)) as work:
        await closing.close(work, listing.id)


async def heard(stream: AsyncIterator[Message]) -> tuple[str | None, dict[str, Any]]:
    message = await asyncio.wait_for(anext(stream), SOON)
    return message.kind, message.told or {}


async def test_a_watcher_is_told_each_price_and_whether_it_leads(race: Race, hall: Hall) -> None:
    seller, one, other = (
        await organization(race.sessions),
        await processor(race.sessions),
        await processor(race.sessions),
    )
    listing = await open_lot(race.sessions, seller, mode="timed")
    mine, theirs = (messages(hall, listing.id, party.org.id) for party in (one, other))
    first = await heard(mine), await heard(theirs)
    await placed_bid(race.sessions, listing, one, "100.00", limit=Money.of("150.00", "EUR"))
    then = await heard(mine), await heard(theirs)
    assert [(kind, told["leading_price"], told["is_leading"]) for kind, told in first] == [("status", None, None)] * 2
    assert [(kind, told["is_leading"]) for kind, told in then] == [("price", True), ("price", False)]
    assert {told["leading_price"]["amount"] for _, told in then} == {"100.00"}
    await placed_bid(race.sessions, listing, other, "120.00")
    kind, told = await heard(mine)
    assert (kind, told["leading_price"]["amount"], told["is_leading"], told["bids"]) == ("price", "121.00", True, 2)
    assert "limit" not in json.dumps(told, default=str)


async def test_an_extension_and_the_close_are_told_and_the_close_ends_the_stream(race: Race, hall: Hall) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    async with UnitOfWork(race.sessions, system(False)) as work:
        soon = work.now + timedelta(minutes=3)
    listing = await open_lot(race.sessions, seller, mode="timed", closes_at=soon)
    stream = messages(hall, listing.id, seller.org.id)
    await heard(stream)
    await placed_bid(race.sessions, listing, bidder)
    kind, told = await heard(stream)
    assert (kind, told["effective_end_at"]) == ("extended", close_of(listing) + timedelta(minutes=5))
    async with UnitOfWork(race.sessions, system(False), now=close_of(listing) + timedelta(minutes=5)) as work:
        await closing.close(work, listing.id)
    assert (await heard(stream))[0] == "closed"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_of_a_sealed_listing_nothing_is_told_but_that_it_is_open(race: Race, hall: Hall) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller)
    stream = messages(hall, listing.id, seller.org.id)
    opened = await heard(stream)
    await placed_bid(race.sessions, listing, bidder)
    await close(race.sessions, listing)
    closed = await heard(stream)
    assert [(kind, told["status"]) for kind, told in (opened, closed)] == [("status", "open"), ("closed", "closed")]
    assert {told[name] for _, told in (opened, closed) for name in ("leading_price", "bids", "is_leading")} == {None}


async def test_whoever_reconnects_is_told_what_it_has_missed_and_nothing_else(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller, mode="timed")
    hall = Hall(race.sessions, None, heartbeat=0.05)
    first = await anext(messages(hall, listing.id, seller.org.id))
    again = await anext(messages(hall, listing.id, seller.org.id, last_id=first.id))
    await placed_bid(race.sessions, listing, bidder)
    missed = await anext(messages(hall, listing.id, seller.org.id, last_id=first.id))
    await hall.close()
    assert (first.kind, again.kind, missed.kind) == ("status", None, "status")
    assert missed.told is not None
    assert missed.told["leading_price"] == {"amount": "120.00", "currency": "EUR"}


async def test_over_http_the_messages_carry_name_id_and_data(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller, mode="timed")
    await placed_bid(race.sessions, listing, bidder)
    await close(race.sessions, listing)
    answer = await race.client.get(f"/v1/listings/{listing.id}/stream", headers=bidder.headers)
    lines = dict(line.split(": ", 1) for line in answer.text.splitlines() if line)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (lines["event"], lines["id"].endswith(".1")) == ("closed", True)
    assert json.loads(lines["data"])["is_leading"] is True


async def test_who_may_not_see_a_listing_may_not_watch_it(race: Race) -> None:
    seller, guest, stranger = [await organization(race.sessions) for _ in range(3)]
    listing = await open_lot(race.sessions, seller, visibility="invited", invited=[guest.org.id])
    answer = await race.client.get(f"/v1/listings/{listing.id}/stream", headers=stranger.headers)
    assert answer.status_code == 404


async def test_streams_of_one_organization_are_bounded(race: Race) -> None:
    seller = await organization(race.sessions)
    listing = await open_lot(race.sessions, seller)
    hall = Hall(race.sessions, None)
    taken = [messages(hall, listing.id, seller.org.id) for _ in range(watching.MOST)]
    for stream in taken:
        await anext(stream)
    with pytest.raises(TooManyStreams):
        hall.must_have_a_seat(seller.org.id)
    await taken[0].aclose()  # type: ignore[attr-defined]
    hall.must_have_a_seat(seller.org.id)
    for stream in taken:
        await stream.aclose()  # type: ignore[attr-defined]
    assert (hall.watchers.total(), hall._rooms, hall._tasks) == (0, {}, {})


async def test_streams_that_are_let_in_at_once_are_bounded_too(race: Race) -> None:
    seller = await organization(race.sessions)
    listing = await open_lot(race.sessions, seller)
    hall = Hall(race.sessions, None)
    streams = [messages(hall, listing.id, seller.org.id) for _ in range(watching.MOST + 5)]
    for _ in streams:
        hall.must_have_a_seat(seller.org.id)
    first = await asyncio.gather(*map(anext, streams), return_exceptions=True)
    assert sum(isinstance(one, Message) for one in first) == watching.MOST
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]
    assert hall.watchers.total() == 0


async def test_while_nothing_happens_a_comment_is_sent_and_no_connection_is_held(race: Race) -> None:
    seller = await organization(race.sessions)
    listing = await open_lot(race.sessions, seller)
    hall = Hall(race.sessions, None, heartbeat=0.3)
    stream = messages(hall, listing.id, seller.org.id)
    await anext(stream)
    waiting: asyncio.Task[Message] = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    await asyncio.sleep(0.15)
    held = race.runtime.engine.pool.checkedout()  # type: ignore[union-attr]
    beat = await waiting
    await stream.aclose()  # type: ignore[attr-defined]
    assert (held, beat) == (0, Message())


async def test_a_stream_ends_by_itself_so_that_whoever_was_let_in_is_asked_again(race: Race) -> None:
    seller = await organization(race.sessions)
    listing = await open_lot(race.sessions, seller)
    hall = Hall(race.sessions, None, heartbeat=0.05)
    kinds = [message.kind async for message in messages(hall, listing.id, seller.org.id, longest=0.2)]
    assert kinds[0] == "status"
    assert set(kinds[1:]) == {None}


async def test_a_listing_that_is_withdrawn_ends_the_stream(race: Race, hall: Hall) -> None:
    seller: Party = await organization(race.sessions)
    listing = await open_lot(race.sessions, seller, mode="timed")
    stream = messages(hall, listing.id, seller.org.id)
    await heard(stream)
    async with UnitOfWork(race.sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    await race.settle()
    kind, told = await heard(stream)
    assert (kind, told["status"]) == ("closed", "withdrawn")


async def test_a_connection_that_was_lost_is_made_anew(race: Race, hall: Hall) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller, mode="timed")
    hall.heartbeat = 0.2
    stream = messages(hall, listing.id, seller.org.id)
    await heard(stream)
    async with race.sessions() as session:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND usename = current_user"
        await session.execute(text(ended))
    await asyncio.sleep(0.5)
    await placed_bid(race.sessions, listing, bidder)
    kinds = [(await heard(stream))[0] for _ in range(20)]
    assert "price" in kinds
