"""The race for the last moment: two hundred bids around the instant at which one sealed listing closes."""

import asyncio
import random
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.kernel import clock
from services.kernel.quantities import Mass
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, publishing
from services.listings.models import DraftItem, DraftListing, Listing, Share
from tests.benchmarks.market_of_races import Answer, Market, Round
from tests.factories import pickups as make
from tests.factories.parties import Party, organization

BIDDERS = 200
AROUND = 0.5
"""Seconds before and after the close over which the bids are meant to be received."""
MOST_LAG = 1.5
LEADS = (3.0, 6.0, 12.0)
"""Seconds from publishing to the close: as many tries as it takes until the worker has set the clock in time."""
GRAMS = 12_345_678
"""Odd enough for totals and commissions to be rounded."""


@dataclass
class Auction:
    """`lag_seconds`: how long after its sending a bid was stamped in the last round, in the median. Bids are sent that much
    earlier, so that their stamps lie around the close, and not behind it where the machine is busy."""

    seller: Party
    bidders: Sequence[Party]
    lag_seconds: float = 0.3


async def invite(market: Market) -> Auction:
    seller = await organization(market.sessions, name="Nordwerk GmbH")
    return Auction(seller, [await make.recycler(market.sessions, f"Recycler {n}") for n in range(BIDDERS)])


async def bid(market: Market, auction: Auction, number: int) -> Round:
    """Every bidder bids once, evenly over a second, in an order and at prices drawn per round."""
    listing = await _watched(market, auction)
    drawn = random.Random(number)
    bidders = drawn.sample(auction.bidders, BIDDERS)
    bodies = [_a_bid(listing, bidder, drawn) for bidder in bidders]
    sent = [AROUND * (2 * i / (BIDDERS - 1) - 1) - auction.lag_seconds for i in range(BIDDERS)]
    close = await _moment_of(market, listing)

    answers = await asyncio.gather(
        *(
            _bid_at(market, close + after, i, bidder, body)
            for i, (after, bidder, body) in enumerate(zip(sent, bidders, bodies, strict=True))
        )
    )
    await market.until("SELECT status = 'closed' FROM listing WHERE id = :id", within=20, id=listing.id)

    rows = await market.rows("SELECT * FROM bid WHERE listing_id = :id", id=listing.id)
    ended_at = await market.value("SELECT effective_end_at FROM listing WHERE id = :id", id=listing.id)
    result = Round(latencies=[answer.ms for answer in answers])
    _judge_stamps(result, answers, rows, ended_at)
    _judge_order(result, rows)
    await _judge_close(result, market, listing, rows, auction.seller)
    await _judge_ranking(result, market, listing, rows, auction.seller)
    auction.lag_seconds = _lag(answers, sent, ended_at) or auction.lag_seconds
    return result


def _lag(answers: Sequence[Answer], sent: Sequence[float], ended_at: datetime) -> float | None:
    stamps = [_stamp(answer) for answer in answers]
    lags = [(stamp - ended_at).total_seconds() - after for stamp, after in zip(stamps, sent, strict=True) if stamp]
    return min(statistics.median(lags), MOST_LAG) if lags else None


def _stamp(answer: Answer) -> datetime | None:
    """When the server received it, whether it stands or came too late."""
    if answer.is_success:
        return _instant(answer.body["received_at"])
    told = {error["code"]: error["detail"] for error in answer.body.get("errors", [])}
    return _instant(told["received_at"]) if "received_at" in told else None


async def _watched(market: Market, auction: Auction) -> Listing:
    """An open listing whose closing timer is set."""
    sql = "SELECT count(*) = 1 FROM timer WHERE kind = 'bidding.close' AND subject_id = :id AND fired_at IS NULL"
    for lead in LEADS:
        listing = await _published(market, auction.seller, lead)
        await market.until("SELECT count(*) = 1 FROM timer WHERE subject_id = :id", within=30, id=listing.id)
        is_in_time = (
            await _moment_of(market, listing) - 2 * AROUND - auction.lag_seconds > asyncio.get_running_loop().time()
        )
        if is_in_time and await market.value(sql, id=listing.id):
            return listing
    raise TimeoutError("the worker sets no clock in time: this machine has too much else to do")


async def _published(market: Market, seller: Party, lead: float) -> Listing:
    async with UnitOfWork(market.sessions, seller.actor) as work:
        listing = await drafting.draft(work, _a_listing(seller, work.now + timedelta(seconds=lead)), by=seller.actor)
        return await publishing.publish(work, listing.id, by=seller.actor)


def _a_listing(seller: Party, closes_at: datetime) -> DraftListing:
    item = DraftItem(
        title="Electric motors",
        quantity=40,
        mass=Mass(GRAMS),
        condition_grade="salvage",
        return_reason="end_of_life",
        waste_code=make.MOTORS,
        composition=[Share(material="unknown", ppm=1_000_000)],
    )
    return DraftListing(
        title="Forty motors",
        site_id=seller.site.id,
        mode="sealed",
        price_unit="tonne",
        currency="EUR",
        closes_at=closes_at,
        items=[item],
    )


def _a_bid(listing: Listing, bidder: Party, drawn: random.Random) -> dict[str, Any]:
    """Few enough prices that ties are common; below zero the seller pays."""
    body: dict[str, Any] = {
        "listing_id": listing.id,
        "site_id": bidder.site.id,
        "price": {"amount": f"{drawn.randrange(-20, 80, 7)}.35", "currency": "EUR"},
        "haulage_basis": "FCA",
        "disposition": drawn.choice(["reuse", "remanufacture", "recycle"]),
        "operation": "R4",
    }
    if drawn.random() < 0.4:
        quote = {"amount": drawn.choice(["90.00", "431.17"]), "currency": "EUR"}
        body |= {"haulage_basis": "DAP", "haulage_quote": quote}
    return body


async def _moment_of(market: Market, listing: Listing) -> float:
    """The close, on this process's loop clock."""
    assert listing.effective_end_at is not None
    async with market.sessions() as session:
        now = await clock.market_now(session, livemode=False)
    return asyncio.get_running_loop().time() + (listing.effective_end_at - now).total_seconds()


async def _bid_at(market: Market, moment: float, number: int, bidder: Party, body: dict[str, Any]) -> Answer:
    await asyncio.sleep(moment - asyncio.get_running_loop().time())
    return await market.post(number, "/v1/bids", bidder, body)


def _judge_stamps(result: Round, answers: Sequence[Answer], rows: Sequence[Any], ended_at: datetime) -> None:
    """By the server's stamps alone: at the close or before it stands, after it is refused, and nothing else happens."""
    placed = {answer.body["id"]: _instant(answer.body["received_at"]) for answer in answers if answer.is_success}
    late = [answer for answer in answers if answer.told == "409 bidding_has_closed"]
    others = Counter(answer.told for answer in answers if not answer.is_success) - Counter(
        answer.told for answer in late
    )
    result.expect("other answers", dict(others), {})
    result.expect("bids that stand", {row.id: row.received_at for row in rows}, placed)
    result.expect("received after the close, yet standing", [row.id for row in rows if row.received_at > ended_at], [])
    stamps = [{error["code"]: _instant(error["detail"]) for error in answer.body["errors"]} for answer in late]
    result.note = (
        f"{_side(placed.values(), ended_at)} stand, {_side((s['received_at'] for s in stamps), ended_at)} too late"
    )
    early = [stamp for stamp in stamps if stamp["received_at"] <= ended_at]
    result.expect("received before the close, yet refused", early, [])
    result.expect("the close as the refused are told", {stamp["ended_at"] for stamp in stamps} - {ended_at}, set())


def _side(stamps: Iterable[datetime], ended_at: datetime) -> str:
    """How many there are, and how close the closest came to the close."""
    distances = [abs((stamp - ended_at).total_seconds()) * 1000 for stamp in stamps]
    return f"{len(distances)} (to {min(distances):.1f} ms)" if distances else "none"


def _judge_order(result: Round, rows: Sequence[Any]) -> None:
    """Total: no two share a place; gapless: 1, 2, 3 …"""
    in_order = sorted(rows, key=lambda row: (row.received_at, row.id))
    result.expect("sequence by (received_at, id)", [row.sequence for row in in_order], list(range(1, len(rows) + 1)))
    result.expect("what became of them", {row.status for row in rows} - {"active"}, set())


async def _judge_close(result: Round, market: Market, listing: Listing, rows: Sequence[Any], seller: Party) -> None:
    """Told once, to the seller and to each who stands: nobody came in after the closer had counted."""
    sql = "SELECT audience_orgs, seq FROM event WHERE type = 'listing.closed' AND subject_id = :id"
    found = [sorted(row.audience_orgs) for row in await market.rows(sql, id=listing.id)]
    result.expect("listing.closed", found, [sorted({row.bidder_id for row in rows} | {seller.org.id})])
    sql = "SELECT count(*) FROM timer WHERE kind = 'bidding.close' AND subject_id = :id AND fired_at IS NOT NULL"
    result.expect("closing timers fired", await market.value(sql, id=listing.id), 1)


async def _judge_ranking(result: Round, market: Market, listing: Listing, rows: Sequence[Any], seller: Party) -> None:
    """Every place of it, not the winner's alone."""
    answer = await market.calm.get(f"/v1/listings/{listing.id}/ranking", headers=seller.headers)
    found = [(one["bid_id"], one["landed_net_value"]["amount"]) for one in answer.json()["data"]]
    result.expect("ranking", found, best_first(rows, GRAMS))


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


RUNGS = ("reuse", "repair", "remanufacture", "harvest", "recycle", "recover", "dispose")
COMMISSION_BPS = 500


def best_first(rows: Sequence[Any], grams: int) -> list[tuple[str, str]]:
    """The oracle: (bid, landed net value in EUR) from the rows, with integers alone and none of the market's code.

    Price per tonne on the declared mass, less the seller's haulage, less 5 % where the seller is paid; ties go to the higher
    rung, then to the earlier stamp, then to the lower id."""

    def net(row: Any) -> int:
        total = _half_up(row.price_minor * grams, 1_000_000)
        commission = _half_up(total * COMMISSION_BPS, 10_000) if total > 0 else 0
        return total - (row.haulage_quote_minor or 0) - commission

    ordered = sorted(rows, key=lambda row: (-net(row), RUNGS.index(row.disposition), row.received_at, row.id))
    return [(row.id, _euros(net(row))) for row in ordered]


def _half_up(numerator: int, denominator: int) -> int:
    """Halves go away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def _euros(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
