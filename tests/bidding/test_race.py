"""Bids around the closing instant: real commits, real connections, the closer running beside them."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.bidding import closing, intent_log, placing
from services.bidding.adjudicating import Entry, Rules, fold, replay
from services.bidding.errors import BidDoesNotFit
from services.kernel import clock, timers
from services.kernel.actors import system
from services.kernel.ids import BidId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.dividing import splitting
from services.listings.dividing.splitting import Taking
from services.listings.models import Listing
from tests.bidding.lots import close_of, open_lot
from tests.bidding.oracle import oracle
from tests.bidding.reading import end_of
from tests.conftest import Race
from tests.factories.bidding import new_bid, placed_bid, processor
from tests.factories.listings import lithium_modules, motors
from tests.factories.parties import Party, organization

pytestmark = [pytest.mark.race, pytest.mark.xdist_group("race")]

BIDDERS = 20
BIDS_BEFORE_THE_END_IS_SET = 40
_END_SOON = text("UPDATE listing SET effective_end_at = clock_timestamp() + interval '1 second' WHERE id = :id")
_LOG = text(
    "SELECT id, bidder_id, price_minor, received_at, sequence, status FROM bid WHERE listing_id = :listing"
    ' ORDER BY received_at, id COLLATE "C"'
)


async def now(race: Race) -> datetime:
    async with race.sessions() as session:
        return await clock.market_now(session, livemode=False)


async def bidders_of(race: Race, count: int) -> list[Party]:
    return [await processor(race.sessions, f"Processor {number}") for number in range(count)]


async def log_of(race: Race, listing: Listing) -> list[Any]:
    async with race.sessions() as session:
        return list((await session.execute(_LOG, {"listing": listing.id})).all())


async def send(race: Race, listing: Listing, bidder: Party, cents: int) -> httpx.Response:
    sent = {
        "listing_id": listing.id,
        "site_id": bidder.site.id,
        "price": {"amount": f"{Decimal(cents) / 100:.2f}", "currency": "EUR"},
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    return await race.client.post("/v1/bids", json=sent, headers=bidder.headers)


@dataclass
class Answers:
    """What the bidders were answered, in the order in which they heard it."""

    heard: list[httpx.Response] = field(default_factory=list)
    are_many: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, answer: httpx.Response) -> None:
        self.heard.append(answer)
        if len(self.heard) >= BIDS_BEFORE_THE_END_IS_SET:
            self.are_many.set()


async def insist(race: Race, listing: Listing, bidder: Party, answers: Answers, seed: int) -> None:
    """One bid after the other, until two were refused."""
    prices, refused = random.Random(seed), 0
    while refused < 2:
        answer = await send(race, listing, bidder, prices.randrange(100, 130) * 100)
        answers.add(answer)
        refused += answer.status_code != 201


async def close_in_the_middle(race: Race, listing: Listing, answers: Answers) -> None:
    """Lets bidding end a second after it got going, and does the worker's part until it has."""
    await answers.are_many.wait()
    async with race.sessions() as session:
        await session.execute(_END_SOON, {"id": listing.id})
        await session.commit()
    async with UnitOfWork(race.sessions, system(False)) as work:
        await closing.watch(work, listing.id)
    while await race.value("SELECT status FROM listing WHERE id = :id", id=listing.id) == "open":
        await timers.fire_next(race.sessions, livemode=False)
        await asyncio.sleep(0.01)


def told_stamp(answer: httpx.Response) -> datetime:
    """By which a refused bid was judged."""
    problem = answer.json()
    assert problem["code"] == "bidding_has_closed", problem
    told = {error["code"]: error["detail"] for error in problem["errors"]}
    return datetime.fromisoformat(told["received_at"])


def best_by_hand(log: list[Any]) -> str:
    """Every bidder's last word; the highest price leaves the seller most, then whoever came first."""
    last = {row.bidder_id: row for row in log}
    return str(max(last.values(), key=lambda row: (row.price_minor, -row.received_at.timestamp())).id)


async def test_bids_around_the_closing_instant(race: Race) -> None:
    seller, bidders = await organization(race.sessions), await bidders_of(race, BIDDERS)
    listing = await open_lot(race.sessions, seller)
    answers = Answers()
    insisting = [insist(race, listing, bidder, answers, seed) for seed, bidder in enumerate(bidders)]
    async with asyncio.timeout(90):
        await asyncio.gather(close_in_the_middle(race, listing, answers), *insisting)
    log, end = await log_of(race, listing), await end_of(race.sessions, listing)
    accepted = [answer for answer in answers.heard if answer.status_code == 201]
    refused = [answer for answer in answers.heard if answer.status_code != 201]

    assert len(accepted) >= BIDS_BEFORE_THE_END_IS_SET
    assert len(refused) == 2 * BIDDERS
    assert {row.id for row in log} == {answer.json()["id"] for answer in accepted}
    assert [row for row in log if row.received_at > end] == []
    assert [answer for answer in refused if told_stamp(answer) <= end] == []
    assert [row.sequence for row in log] == list(range(1, len(log) + 1))
    live = [row for row in log if row.status == "active"]
    assert {row.id for row in live} == set({row.bidder_id: row.id for row in log}.values())
    ranking = (await race.client.get(f"/v1/listings/{listing.id}/ranking", headers=seller.headers)).json()["data"]
    assert ranking[0]["bid_id"] == best_by_hand(log)


async def test_the_closer_waits_for_a_bid_that_has_its_stamp_but_no_row_yet(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller)
    async with UnitOfWork(race.sessions, bidder.actor) as work:
        await intent_log.receive(work, await listings.listing(work, listing.id), bidder.org.id)
        closer = asyncio.create_task(close_at_the_end(race, listing))
        _, waiting = await asyncio.wait({closer}, timeout=0.3)
        await placing.place(work, new_bid(listing, bidder), by=bidder.actor)
    await closer
    assert waiting == {closer}
    assert [(row.sequence, row.status) for row in await log_of(race, listing)] == [(1, "active")]


async def close_at_the_end(race: Race, listing: Listing) -> None:
    async with UnitOfWork(race.sessions, system(False), now=close_of(listing)) as work:
        await closing.close(work, listing.id)


@pytest.mark.parametrize("mode", ["sealed", "timed", "negotiated"])
async def test_a_bid_is_stamped_after_it_has_waited_for_the_lock(race: Race, mode: str) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller, mode=mode)
    async with UnitOfWork(race.sessions, system(False)) as work:
        await intent_log.seal(work, listing.id)
        bidding = asyncio.create_task(placed_bid(race.sessions, listing, bidder))
        await asyncio.wait({bidding}, timeout=0.3)
        released_at = await clock.market_now(work.session, livemode=False)
    assert (await bidding).received_at > released_at


async def test_bids_for_a_sealed_listing_do_not_wait_for_each_other(race: Race) -> None:
    seller = await organization(race.sessions)
    one, other = await bidders_of(race, 2)
    listing = await open_lot(race.sessions, seller)
    async with UnitOfWork(race.sessions, one.actor) as work:
        await placing.place(work, new_bid(listing, one), by=one.actor)
        await asyncio.wait_for(placed_bid(race.sessions, listing, other), timeout=5)
    assert len(await log_of(race, listing)) == 2


async def test_of_many_bids_sent_at_once_by_one_bidder_one_stands(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    listing = await open_lot(race.sessions, seller)
    answers = await asyncio.gather(*(send(race, listing, bidder, cents) for cents in range(100, 112)))
    log = await log_of(race, listing)
    assert [answer.status_code for answer in answers] == [201] * 12
    assert [row.status for row in log] == ["withdrawn"] * 11 + ["active"]


async def test_a_timed_auction_in_a_hurry_equals_its_replay(race: Race) -> None:
    seller, bidders = await organization(race.sessions), await bidders_of(race, 5)
    closes_at = await now(race) + timedelta(minutes=3)
    cap = closes_at + timedelta(minutes=12)
    listing = await open_lot(race.sessions, seller, mode="timed", closes_at=closes_at, hard_cap_at=cap)
    answers = await asyncio.gather(*(send(race, listing, bidders[n % 5], 10_000 + n * 7 % 30 * 100) for n in range(30)))
    log = await log_of(race, listing)
    entries = [Entry(row.received_at, BidId(row.id), OrgId(row.bidder_id), row.price_minor) for row in log]
    rules = Rules(closes_at=close_of(listing), hard_cap_at=cap)
    state = fold(entries, rules)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {verdict for _, verdict, _ in replay(entries, rules)} <= {"leads", "raised"}
    assert [row.sequence for row in log] == list(range(1, len(log) + 1))
    assert state.lead is not None
    assert state.lead.price_minor == 12_900
    assert oracle(entries, rules) == (state.lead.bid_id, 12_900, state.ends_at, [entry.id for entry in entries])
    end = await race.value("SELECT effective_end_at FROM listing WHERE id = :id", id=listing.id)
    assert end.astimezone(UTC) == state.ends_at


async def test_a_bid_that_waited_for_a_split_is_judged_by_what_is_left(race: Race) -> None:
    seller, bidder = await organization(race.sessions), await processor(race.sessions)
    terms = {"mode": "negotiated", "lot_rule": "by_item"}
    listing = await open_lot(race.sessions, seller, [motors(), lithium_modules()], **terms)
    async with UnitOfWork(race.sessions, seller.actor) as work:
        taken = (await listings.items(work, listing.id))[0].id
        await splitting.split(work, listing.id, [Taking(item_id=taken)], by=seller.actor)
        bidding = asyncio.create_task(placed_bid(race.sessions, listing, bidder, parts=[{"item_id": taken}]))
        _, waiting = await asyncio.wait({bidding}, timeout=0.5)
    with pytest.raises(BidDoesNotFit) as refused:
        await bidding
    assert waiting == {bidding}
    assert [detail.code for detail in refused.value.errors] == ["item_not_found"]
