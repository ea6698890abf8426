"""One ascending auction under load, and its rules under thousands of drawn logs. Exits 1 on any violation.

python -m tests.benchmarks.auction --rounds 10 --bids 10000
python -m tests.benchmarks.auction --examples 4000 --rounds 0
"""

import argparse
import asyncio
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.bidding.adjudicating import Entry, Rules
from services.kernel import clock
from services.kernel.ids import BidId, OrgId
from services.kernel.quantities import Mass
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, publishing
from services.listings.models import DraftItem, DraftListing, Listing, Share
from tests.benchmarks.market_of_races import CONNECTIONS, Answer, Market, Place, Round, running, visited
from tests.bidding import test_adjudicating as properties
from tests.bidding.auction_logs import logs, rules
from tests.bidding.oracle import oracle
from tests.factories import pickups as make
from tests.factories.parties import Party, organization

MOST_BIDS = 20_000
SECONDS_PER_BID = 0.05
"""More than the slowest machine should need."""
LEAST_LEAD = 3.0
"""Seconds from publishing to the close, beside those of the bids that come before it."""
FIRST_RATE = 500.0
"""Bids a second before any round has measured it: half of a round's bids are to come before the close."""


@dataclass
class Pace:
    """Bids a second, as the last round had it."""

    rate: float = FIRST_RATE


def main() -> int:
    asked = _asked()
    signal.signal(signal.SIGTERM, _stop)
    if asked.examples:
        _draw(asked.examples)
    if not asked.rounds:
        return 0
    try:
        with running() as place:
            found = asyncio.run(_race(place, asked.rounds, asked.bids))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    violations = [violation for one in found for violation in one.violations]
    print(f"{len(found)} rounds, {sum(len(one.latencies) for one in found)} bids, {len(violations)} violations")
    return 1 if violations else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="An auction on two API processes, a worker and a throw-away PostgreSQL."
    )
    parser.add_argument("--rounds", type=int, default=10, choices=range(101), metavar="0..100")
    parser.add_argument("--bids", type=int, default=10_000, help="sent in a round")
    parser.add_argument("--examples", type=int, default=0, help="logs drawn for each property of the rules")
    asked = parser.parse_args()
    asked.bids = min(asked.bids, MOST_BIDS)
    return asked


def _stop(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


def _draw(examples: int) -> None:
    """A property that fails raises, with the smallest log that breaks it."""
    sure = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    drawn: dict[str, Callable[[], None]] = {
        "the oracle agrees": sure(given(logs, rules)(properties.agrees_with_the_oracle)),
        "arrival is irrelevant": sure(given(logs, rules, st.randoms())(properties.is_indifferent_to_arrival)),
        "monotone, and the cap holds": sure(given(logs, rules)(properties.is_monotone)),
        "limits stay secret": sure(given(logs, rules, st.integers(1, 10_000))(properties.keeps_limits_secret)),
    }
    for name, check in drawn.items():
        started = time.monotonic()
        check()
        print(f"{name:<28} {examples} examples in {time.monotonic() - started:.1f} s", flush=True)


async def _race(place: Place, rounds: int, bids: int) -> list[Round]:
    patience = 120 + rounds * (60 + bids * SECONDS_PER_BID)
    async with asyncio.timeout(patience), visited(place) as market:
        seller = await organization(market.sessions, name="Nordwerk GmbH")
        bidders = [await make.recycler(market.sessions, f"Recycler {n}") for n in range(CONNECTIONS)]
        pace, found = Pace(), []
        for number in range(1, rounds + 1):
            found.append(await _round(market, seller, bidders, bids, number, pace))
            found[-1].expect("processes that died", place.dead(), [])
            _print(number, found[-1])
        return found


def _print(number: int, found: Round) -> None:
    cuts = statistics.quantiles(found.latencies, n=100, method="inclusive")
    print(f"{number:>3}  {found.note}  p50 {cuts[49]:.0f} ms  p95 {cuts[94]:.0f} ms", flush=True)
    for violation in found.violations:
        print(f"  VIOLATION {violation}", flush=True)


async def _round(market: Market, seller: Party, bidders: Sequence[Party], bids: int, number: int, pace: Pace) -> Round:
    """Every connection sends one bid after the other; the close falls where half of them should have been sent."""
    soft = number % 2 == 0
    listing = await _watched(market, seller, lead=LEAST_LEAD + bids / 2 / pace.rate, soft=soft)
    bodies = [_a_bid(listing, i, random.Random(number * MOST_BIDS + i)) for i in range(bids)]
    started, waiting, answers = time.monotonic(), iter(range(bids)), []

    async def send(bidder: Party) -> None:
        for i in waiting:
            answers.append(await market.post(i, "/v1/bids", bidder, bodies[i] | {"site_id": bidder.site.id}))

    await asyncio.gather(*(send(bidder) for bidder in bidders))
    seconds = time.monotonic() - started
    if soft:
        await _end_now(market, listing)
    patience = 60 + LEAST_LEAD + bids / 2 / pace.rate
    await market.until("SELECT status = 'closed' FROM listing WHERE id = :id", within=patience, id=listing.id)
    result = Round(latencies=[answer.ms for answer in answers])
    await _judge(result, market, listing, answers, seconds)
    pace.rate = bids / seconds
    return result


async def _watched(market: Market, seller: Party, *, lead: float, soft: bool) -> Listing:
    """An open listing whose closing timer is set. A worker that is still busy with the last round takes its time: then another."""
    sql = "SELECT count(*) = 1 FROM timer WHERE kind = 'bidding.close' AND subject_id = :id"
    while True:
        listing = await _published(market, seller, lead=lead, soft=soft)
        started = time.monotonic()
        await market.until(sql, within=120, id=listing.id)
        if time.monotonic() - started < LEAST_LEAD / 2:
            return listing


async def _end_now(market: Market, listing: Listing) -> None:
    """What moves its own end would outlast the bidders' patience: the sandbox's clock jumps behind the cap."""
    async with market.sessions() as session:
        await clock.advance(session, timedelta(hours=2))
        await session.commit()


async def _published(market: Market, seller: Party, *, lead: float, soft: bool) -> Listing:
    """Rounds in turns end sharply, or move their end."""
    async with UnitOfWork(market.sessions, seller.actor) as work:
        closes_at = work.now + timedelta(seconds=lead)
        item = DraftItem(
            title="Electric motors",
            quantity=40,
            mass=Mass(12_000_000),
            condition_grade="salvage",
            return_reason="end_of_life",
            waste_code=make.MOTORS,
            composition=[Share(material="unknown", ppm=1_000_000)],
        )
        asked = DraftListing(
            title="Forty motors",
            site_id=seller.site.id,
            mode="timed",
            price_unit="tonne",
            currency="EUR",
            closes_at=closes_at,
            hard_cap_at=closes_at + timedelta(hours=1) if soft else closes_at,
            items=[item],
        )
        listing = await drafting.draft(work, asked, by=seller.actor)
        return await publishing.publish(work, listing.id, by=seller.actor)


def _a_bid(listing: Listing, number: int, drawn: random.Random) -> dict[str, Any]:
    """Prices climb with the number, so that most lead; every fourth names a limit, some far, some just above."""
    cents = 100 * (number * 5 + drawn.randrange(20))
    body: dict[str, Any] = {
        "listing_id": listing.id,
        "price": _euros(cents),
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    if drawn.random() < 0.25:
        body["limit"] = _euros(cents + drawn.choice([0, 100, 500, 2_500, 10_000]))
    return body


def _euros(cents: int) -> dict[str, str]:
    return {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": "EUR"}


async def _judge(result: Round, market: Market, listing: Listing, answers: Sequence[Answer], seconds: float) -> None:
    rows = await market.rows("SELECT * FROM bid WHERE listing_id = :id ORDER BY received_at, id", id=listing.id)
    (row,) = await market.rows("SELECT * FROM listing WHERE id = :id", id=listing.id)
    told = Counter(answer.told for answer in answers)
    placed = {answer.body["id"] for answer in answers if answer.is_success}
    late = [answer for answer in answers if answer.told == "409 bidding_has_closed"]
    others = told.keys() - {"201", "409 bidding_has_closed", "409 bid_too_low"}
    result.expect("other answers", {name: told[name] for name in others}, {})
    result.expect("bids that stand", {one.id for one in rows}, placed)
    result.expect("after the end, yet taken", [one.id for one in rows if one.received_at > row.effective_end_at], [])
    stamps = [{error["code"]: error["detail"] for error in answer.body["errors"]} for answer in late]
    early = [one for one in stamps if datetime.fromisoformat(one["received_at"]) <= row.effective_end_at]
    result.expect("before the end, yet refused as late", early, [])
    result.expect("sequence by (received_at, id)", [one.sequence for one in rows], list(range(1, len(rows) + 1)))
    await _judge_outcome(result, market, row, rows)
    nearest = min((abs((one.received_at - row.effective_end_at).total_seconds()) * 1000 for one in rows), default=0.0)
    result.note = (
        f"{len(answers)} bids in {seconds:.1f} s ({len(answers) / seconds:.0f}/s), {len(rows)} taken (to {nearest:.1f} ms),"
        f" {told['409 bid_too_low']} too low, {len(late)} too late"
    )


async def _judge_outcome(result: Round, market: Market, listing: Any, rows: Sequence[Any]) -> None:
    """The row that was kept, and the replay by an oracle that shares no code with it."""
    asked = Rules(closes_at=listing.closes_at, opens_at=listing.opens_at, hard_cap_at=listing.hard_cap_at)
    winner, price, end, counted = oracle([_entry(one) for one in rows], asked)
    (kept,) = await market.rows("SELECT * FROM auction WHERE listing_id = :id", id=listing.id)
    result.expect("winner and price", (kept.leader_bid_id, kept.price_minor), (winner, price))
    result.expect("the end", (kept.ends_at, listing.effective_end_at), (end, end))
    result.expect("bids that count", counted, [one.id for one in rows])


def _entry(row: Any) -> Entry:
    return Entry(row.received_at, BidId(row.id), OrgId(row.bidder_id), row.price_minor, row.limit_minor)


if __name__ == "__main__":
    sys.exit(main())
