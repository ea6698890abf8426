"""A market with everybody an order needs, and orders as far along as a test needs them, made through the real verbs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col

from services.bidding.models import Bid
from services.kernel import clock
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.events import EventRow
from services.kernel.http.routing import Runtime
from services.kernel.ids import LineId, OrgId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import DraftItem, Listing
from services.orders import awarding, queries, receiving
from services.orders.models import Order, OrderLine, Receipt, ReceiptLine, Remainder
from services.orders.pricing import Measured
from services.orders.receiving import Outcome, Verdict
from services.payments import ledger
from services.payments import queries as payments
from services.payments.models import Deal, PayoutAccount
from services.pickups import queries as pickups
from tests.factories import pickups as hauls
from tests.factories.bidding import STORY_CODES, placed_bid, processor
from tests.factories.listings import lithium_modules, motors, open_listing
from tests.factories.parties import Party, organization, permit
from tests.factories.payments import Till, provider
from tests.factories.pickups import CREW, HERE, PHOTO, Haul, did
from tests.fakes.stripe_contract import Simulated
from tests.fakes.worker import drain

Grams = Mapping[str, tuple[int, int]]
"""Pieces and grams by the title of a line."""

EVIDENCE = ({"sha256": "cd" * 32, "name": "isolation-test.pdf"},)


@dataclass
class Market:
    """Nordwerk sells, Rheinkreis buys, Batteriehof takes batteries, Fulda drives; accounts are active at a simulated provider."""

    till: Till
    client: httpx.AsyncClient
    seller: Party
    buyer: Party
    plant: Party
    carrier: Party

    @property
    def sessions(self) -> Sessions:
        return self.till.runtime.sessions

    def work(self, by: Party | None = None) -> UnitOfWork:
        return UnitOfWork(self.sessions, by.actor if by is not None else system(False))

    async def settle(self) -> None:
        """Events, reactions, jobs and timers, and the provider's news, until nothing is left."""
        for _ in range(4):
            await drain(self.till.tools)
            await self.till.stripe.do("deliver")
        await drain(self.till.tools)

    async def advance(self, to: timedelta | datetime) -> None:
        async with self.sessions() as session:
            now = await clock.market_now(session, livemode=False)
            await clock.advance(session, to if isinstance(to, timedelta) else to - now)
            await session.commit()
        await self.settle()

    async def order(self, order: Order) -> Order:
        async with self.work() as work:
            return await queries.order(work, order.id)

    async def lines(self, order: Order) -> dict[str, OrderLine]:
        """By title."""
        async with self.work() as work:
            return {line.title: line for line in await queries.lines(work, order.id)}

    async def receipt_lines(self, receipt: Receipt) -> Sequence[ReceiptLine]:
        async with self.work() as work:
            return await queries.receipt_lines(work, receipt.id)

    async def remainders(self, order: Order) -> list[Remainder]:
        async with self.work() as work:
            return (await queries.remainders_of(work, [order.id]))[order.id]

    async def deal(self, order: Order) -> Deal:
        async with self.work() as work:
            return await payments.deal_of(work, order.id)

    async def haul(self, order: Order, number: int = -1) -> Haul:
        """A movement of the order, the newest if none is named."""
        async with self.work() as work:
            job = (await pickups.pickups_of(work, order.id))[number]
        of = {party.org.id: party for party in (self.seller, self.buyer, self.plant, self.carrier)}
        hauler = self.carrier if job.ceiling_minor else of[job.owner_id]
        return Haul(job, of[job.owner_id], of[job.seller_id], of[job.receiver_id], of[job.custodian_id], hauler)

    async def told(self, subject: str, *, to: Party | None = None) -> list[str]:
        """Types of the events about a subject, in the order told; only those one party hears, if given."""
        query = select(EventRow).where(col(EventRow.subject_id) == subject).order_by(col(EventRow.ordinal))
        async with self.sessions() as session:
            rows = (await session.execute(query)).scalars().all()
        return [row.type for row in rows if to is None or to.org.id in row.audience]

    async def balances(self) -> dict[str, Money]:
        """Every ledger account that is not zero; the owners by their part in this market."""
        of = {"seller": self.seller, "buyer": self.buyer, "plant": self.plant, "carrier": self.carrier}
        known = {party.org.id: name for name, party in of.items()}
        async with self.work() as work:
            rows = await ledger.trial_balance(work)
        return {
            f"{account.code}:{known[OrgId(account.owner)]}" if account.owner in known else account.code: money
            for (account, _), money in rows.items()
        }


@asynccontextmanager
async def open_market(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Market]:
    async with provider(runtime, client) as stripe:
        market = await _market(runtime, client, stripe)
        await market.till.activate(market.seller, market.buyer, market.plant, market.carrier)
        yield market


async def _market(runtime: Runtime, client: httpx.AsyncClient, stripe: Simulated) -> Market:
    seller = await organization(runtime.sessions, ["manufacturer"], name="Nordwerk GmbH")
    buyer = await processor(runtime.sessions)
    plant = await processor(runtime.sessions, name="Batteriehof GmbH", waste_codes=["160607"])
    await permit(runtime.sessions, plant, kind="transport", waste_codes=["160607"], number="T-1")
    await permit(runtime.sessions, seller, kind="transport", waste_codes=STORY_CODES, number="T-2")
    carrier = await hauls.carrier(runtime.sessions, codes=STORY_CODES)
    return Market(Till(runtime, stripe, seller, buyer, carrier), client, seller, buyer, plant, carrier)


async def payable(sessions: Sessions, *parties: Party) -> None:
    """Their payout accounts are active, without a provider to ask."""
    async with UnitOfWork(sessions, system(False)) as work:
        for party in parties:
            work.add(PayoutAccount(org_id=party.org.id, status="active", livemode=work.livemode, created_at=work.now))


def story_items() -> list[DraftItem]:
    """18.000 t: motors 12.000, servers 3.000, lithium modules 1.800, copper 1.200."""
    servers = motors(title="Rack servers", quantity=120, mass={"value": "3", "unit": "t"}, is_data_bearing=True)
    copper = motors(
        title="Copper bars and cable",
        quantity=9,
        mass={"value": "1.2", "unit": "t"},
        waste_code="160216",
        composition=[{"material": "copper", "ppm": 1_000_000}],
    )
    return [motors(), servers, lithium_modules(), copper]


async def negotiated(
    sessions: Sessions, seller: Party, items: Sequence[DraftItem] | None = None, **given: Any
) -> Listing:
    """Open without an end, so that it can be awarded at once."""
    return await open_listing(sessions, seller, items, mode="negotiated", **given)


async def awarded(sessions: Sessions, bid: Bid, seller: Party) -> Order:
    async with UnitOfWork(sessions, seller.actor) as work:
        return await awarding.award(work, bid.id, by=seller.actor)


async def confirmed(sessions: Sessions, bid: Bid, seller: Party, buyer: Party) -> Order:
    order = await awarded(sessions, bid, seller)
    async with UnitOfWork(sessions, buyer.actor) as work:
        return await awarding.confirm(work, bid.id, terms_hash=order.terms_hash, by=buyer.actor)


async def held(market: Market, items: Sequence[DraftItem], price: str = "120.00", **given: Any) -> Order:
    """Confirmed at FCA with a haulage ceiling of 700.00, and the buyer's money has arrived."""
    listing = await negotiated(market.sessions, market.seller, items, **given)
    ceiling = Money.of("700.00", "EUR")
    bid = await placed_bid(market.sessions, listing, market.buyer, price, haulage_ceiling=ceiling)
    order = await confirmed(market.sessions, bid, market.seller, market.buyer)
    await pay(market, order)
    return order


async def pay(market: Market, order: Order) -> None:
    await market.settle()
    await market.till.transfer_all(order.id)
    await market.settle()


async def dispatched(market: Market, order: Order, number: int = -1) -> Haul:
    """At the goods, by the carrier at 650.00, or by the owner itself where no carrier can be paid."""
    haul = await market.haul(order, number)
    await did(market.client, haul.owner, f"{haul.url}/plan", hauls.a_plan())
    if haul.carrier is market.carrier:
        await did(market.client, haul.owner, f"{haul.url}/tender", hauls.a_tender(haul.carrier))
        newest, *_ = await hauls.offers_to(market.client, haul.carrier)
        await did(market.client, haul.carrier, f"/v1/offers/{newest['id']}/accept")
        await did(market.client, haul.carrier, f"{haul.url}/book_slot", hauls.a_slot(haul))
    else:
        await did(market.client, haul.owner, f"{haul.url}/self_haul")
    await did(market.client, haul.carrier, f"{haul.url}/dispatch", CREW)
    await did(market.client, haul.carrier, f"{haul.url}/depart", HERE)
    await did(market.client, haul.carrier, f"{haul.url}/arrive", {**HERE, "reason": "early"})
    return haul


async def delivered(
    market: Market, order: Order, loaded: Grams | None = None, received: Grams | None = None, number: int = -1
) -> Haul:
    """Loaded and unloaded with both signatures; as declared where nothing else is said. `number` picks one of several movements."""
    haul = await dispatched(market, order, number)
    await _sign(market, haul, "handover", haul.custodian, loaded or {})
    await market.settle()
    await did(market.client, haul.carrier, f"{haul.url}/depart", HERE)
    await did(market.client, haul.carrier, f"{haul.url}/arrive", HERE)
    await _sign(market, haul, "delivery", haul.receiver, received or loaded or {})
    await market.settle()
    return haul


async def _sign(market: Market, haul: Haul, place: str, other: Party, figures: Grams) -> None:
    body = hauls.a_signature(haul, lines=[_line(goods, figures) for goods in haul.job.lines], photos=[PHOTO])
    await did(market.client, other, f"{haul.url}/sign_{place}", body)
    answer = await market.client.get(f"{haul.url}/handovers", headers=haul.carrier.headers)
    newest = answer.json()["data"][-1]
    if newest["signed_at"] is None:
        confirmation = {"content_hash": newest["content_hash"], "signed_by": "Jonas Weber"}
        await did(market.client, haul.carrier, f"{haul.url}/sign_{place}", confirmation)


def _line(goods: Any, figures: Grams) -> dict[str, Any]:
    quantity, mass_g = figures.get(goods.title, (goods.quantity, goods.mass_g))
    reason = {} if quantity == goods.quantity else {"reason": "counted"}
    return {"line_id": goods.line_id, "quantity": quantity, "mass": {"value": str(mass_g), "unit": "g"}, **reason}


async def received(market: Market, order: Order, buyer: Party | None = None) -> Receipt:
    by = buyer or market.buyer
    async with market.work(by) as work:
        return await receiving.receive(work, order.id, by=by.actor)


async def inspected(
    market: Market, receipt: Receipt, refused: Mapping[LineId, Measured] | None = None, buyer: Party | None = None
) -> Receipt:
    """Everything else is accepted."""
    by = buyer or market.buyer
    verdicts = [_verdict(line, (refused or {}).get(line.line_id)) for line in await market.receipt_lines(receipt)]
    async with market.work(by) as work:
        return await receiving.inspect(work, receipt.id, verdicts, by=by.actor)


def _verdict(line: ReceiptLine, refused: Measured | None) -> Verdict:
    whole = Measured(line.received_quantity, line.received_g)
    if refused is None:
        return Verdict(line.line_id, Outcome(whole))
    outcome = Outcome(whole.beyond(refused), refused, "condition_below_declared", evidence=EVIDENCE)
    return Verdict(line.line_id, outcome)
