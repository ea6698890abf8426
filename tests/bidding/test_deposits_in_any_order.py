"""Bidders with deposits who win, lose, withdraw and stay silent at random: each deposit ends once, and where it should."""

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from services.bidding import placing
from services.bidding.models import LIVE, Bid
from services.bidding.vouching import deciding
from services.kernel.errors import Problem
from services.kernel.http.routing import Runtime
from services.kernel.money import Money
from services.listings import publishing
from services.listings.models import Listing
from services.orders import awarding
from services.orders.models import Order
from services.payments.models import Deposit
from tests.factories.bidding import placed_bid
from tests.factories.listings import motors
from tests.factories.orders import Market, awarded, negotiated, open_market
from tests.factories.parties import Party

ASKED = Money.of("500.00", "EUR")
ENDS = ("released", "forfeited", "called_off", "failed")


@pytest.fixture
async def market(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Market]:
    async with open_market(runtime, client) as market:
        yield market


@dataclass
class Play:
    """One listing and its bidders. What may not happen is refused, and that is a step like any other."""

    market: Market
    listing: Listing
    chance: random.Random
    bidders: list[Party]
    done: list[str] = field(default_factory=list)

    async def step(self) -> None:
        bidding = [self.place, self.place, self.place, self.withdraw, self.award, self.award, self.confirm]
        step = self.chance.choice([*bidding, self.ask, self.pay, self.keep_silent, self.decide, self.work])
        try:
            await step()
            self.done.append(step.__name__)
        except Problem as refused:
            self.done.append(f"{step.__name__}: {refused.code}")

    def anybody(self) -> Party:
        return self.chance.choice(self.bidders)

    async def ask(self) -> None:
        party = self.anybody()
        async with self.market.work(party) as work:
            await deciding.ask(work, self.listing.id, by=party.actor)

    async def pay(self) -> None:
        for deposit in await self.deposits():
            if deposit.status == "pending" and deposit.instructions is not None:
                reference = deposit.instructions["reference"]
                await self.market.till.stripe.do(
                    "bank-transfers", reference=reference, amount=ASKED.minor, currency="eur"
                )

    async def place(self) -> None:
        await placed_bid(self.market.sessions, self.listing, self.anybody(), str(self.chance.randint(50, 150)))

    async def withdraw(self) -> None:
        for bid in await self.bids(*LIVE):
            by = self.party_of(bid)
            async with self.market.work(by) as work:
                await placing.withdraw(work, bid.id, by=by.actor)

    async def award(self) -> None:
        for bid in await self.bids("active"):
            await awarded(self.market.sessions, bid, self.market.seller)

    async def confirm(self) -> None:
        for bid in await self.bids("awarded"):
            by = self.party_of(bid)
            async with self.market.work() as work:
                query = select(col(Order.terms_hash)).where(col(Order.bid_id) == bid.id)
                terms_hash = (await work.session.execute(query)).scalar_one()
            async with self.market.work(by) as work:
                await awarding.confirm(work, bid.id, terms_hash=terms_hash, by=by.actor)

    async def keep_silent(self) -> None:
        if await self.bids("awarded"):
            await self.market.advance(timedelta(days=6))

    async def decide(self) -> None:
        async with self.market.work() as work:
            await deciding.decide(work, self.listing.id)

    async def work(self) -> None:
        await self.market.settle()

    async def end(self) -> None:
        await self.keep_silent()
        with suppress(Problem):
            async with self.market.work(self.market.seller) as work:
                await publishing.withdraw(work, self.listing.id, by=self.market.seller.actor)
        await self.market.settle()

    def party_of(self, bid: Bid) -> Party:
        return next(party for party in self.bidders if party.org.id == bid.bidder_id)

    async def bids(self, *statuses: str) -> list[Bid]:
        query = select(Bid).where(col(Bid.listing_id) == self.listing.id)
        return await self._all(query.where(col(Bid.status).in_(statuses)) if statuses else query)

    async def deposits(self) -> list[Deposit]:
        return await self._all(select(Deposit).where(col(Deposit.listing_id) == self.listing.id))

    async def _all(self, query: Any) -> list[Any]:
        async with self.market.sessions() as session:
            return list((await session.execute(query)).scalars())


SEEDS = range(14)


async def test_each_deposit_ends_once_and_where_it_should(market: Market) -> None:
    await market.till.stripe.do("events", duplicated=0.5, shuffled=True)
    ends = [await _play_out(market, random.Random(seed)) for seed in SEEDS]
    assert {status for some in ends for status in some} == {"released", "forfeited", "called_off"}
    left = await market.balances()
    assert set(left) == {"stripe_balance", "stripe_fee"}
    assert sum(money.minor for money in left.values()) == 0


async def _play_out(market: Market, chance: random.Random) -> list[str]:
    listing = await negotiated(market.sessions, market.seller, [motors(waste_code=None)], deposit=ASKED)
    play = Play(market, listing, chance, [market.buyer, market.plant])
    for step in (play.ask, play.ask, play.work, play.pay, play.work):
        await step()
    for _ in range(14):
        await play.step()
    await play.end()
    placed = await play.bids()
    return [await _judged(play, deposit, placed) for deposit in await play.deposits()]


async def _judged(play: Play, deposit: Deposit, placed: list[Bid]) -> str:
    """Its end, held against an oracle that knows only what became of the bids."""
    silent = [bid for bid in placed if bid.bidder_id == deposit.bidder_id and bid.status == "timed_out"]
    expected = "called_off" if deposit.secured_at is None else "released"
    if any(deposit.secured_at and deposit.decided_at and _is_within(deposit, bid) for bid in silent):
        expected = "forfeited"
    told = [type.removeprefix("deposit.") for type in await play.market.told(deposit.id)]
    assert (deposit.status, [one for one in told if one in ENDS]) == (expected, [expected]), play.done
    return deposit.status


def _is_within(deposit: Deposit, bid: Bid) -> bool:
    assert deposit.secured_at is not None
    assert deposit.decided_at is not None
    return deposit.secured_at <= bid.received_at <= deposit.decided_at
