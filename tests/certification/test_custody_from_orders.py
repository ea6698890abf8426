"""The main job's goods, from signed handovers and inspected receipts to the certificates that close both orders."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest_asyncio
from sqlalchemy import select, text
from sqlmodel import col

from services.certification import chain, custody, issuing, queries
from services.certification.custody import MadeOutput, Report, Taken
from services.certification.issuing import Submission
from services.certification.keys import signer
from services.certification.models import Certificate, CustodyEvent, MaterialBatch
from services.kernel.http.routing import Runtime
from services.kernel.settings import Settings
from services.listings import queries as listings
from services.orders import rerouting
from services.orders.models import Order
from services.orders.pricing import Measured
from services.orders.reoffering import Offering
from services.orders.rerouting import Route
from tests.factories.bidding import placed_bid
from tests.factories.certification import STORY_OUTPUTS, TICKET
from tests.factories.orders import (
    Market,
    confirmed,
    delivered,
    held,
    inspected,
    open_market,
    pay,
    received,
    story_items,
)
from tests.factories.parties import Party, organization

LOADED = {
    "Electric motors": (40, 11_780_000),
    "Rack servers": (120, 2_980_000),
    "Lithium modules": (60, 1_800_000),
    "Copper bars and cable": (9, 1_160_000),
}
RECEIVED = LOADED | {"Electric motors": (40, 11_760_000)}


@pytest_asyncio.fixture
async def market(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Market]:
    async with open_market(runtime, client) as market:
        yield market


async def batches(market: Market, owner: Party) -> list[MaterialBatch]:
    async with market.work() as work:
        query = select(MaterialBatch).where(
            col(MaterialBatch.owner_id) == owner.org.id, col(MaterialBatch.remaining_g) > 0
        )
        return list((await work.session.execute(query.order_by(col(MaterialBatch.id)))).scalars())


async def partly_refused(market: Market) -> Order:
    """Twelve modules fail the isolation test."""
    order = await held(market, story_items())
    await delivered(market, order, LOADED, RECEIVED)
    receipt = await received(market, order)
    modules = (await market.lines(order))["Lithium modules"]
    await inspected(market, receipt, {modules.id: Measured(12, 360_000)})
    await market.settle()
    return order


async def redirected(market: Market, order: Order) -> Order:
    """What was refused goes on to Batteriehof, which fetches and accepts it."""
    modules = (await market.lines(order))["Lithium modules"]
    async with market.work(market.seller) as work:
        wish = Route(modules.id, "redirect", Offering("/redirect", market.plant.org.id, "negotiated"))
        await rerouting.route_remainder(work, order.id, wish, by=market.seller.actor)
    remainder, *_ = await market.remainders(order)
    async with market.work() as work:
        listing = await listings.listing(work, str(remainder.listing_id))
    bid = await placed_bid(market.sessions, listing, market.plant, "-1450.00")
    child = await confirmed(market.sessions, bid, market.seller, market.plant)
    await pay(market, child)
    await delivered(market, child)
    await inspected(market, await received(market, child, market.plant), buyer=market.plant)
    await market.settle()
    return child


async def certify(market: Market, processor: Party, outputs: tuple[MadeOutput, ...], settings: Settings) -> Certificate:
    """Processed, submitted to a verifier and issued."""
    verifier = await organization(market.sessions, ["verifier"], name="Prüfwerk")
    inputs = tuple(Taken(batch.id) for batch in await batches(market, processor))
    loss_g = 150_000 if outputs is STORY_OUTPUTS else 0
    reason = "dust" if loss_g else None
    report = Report("make", inputs, operation="R4", outputs=outputs, loss_g=loss_g, loss_reason=reason)
    async with market.work(processor) as work:
        await custody.record(work, report, by=processor.actor)
    async with market.work() as work:
        query = select(Certificate).where(col(Certificate.holder_id) == processor.org.id)
        draft = (await work.session.execute(query)).scalar_one()
    async with market.work(processor) as work:
        wish = Submission(verifier_id=verifier.org.id, evidence=(TICKET,))
        await issuing.submit(work, draft.id, wish, by=processor.actor)
    async with market.work(verifier) as work:
        await issuing.take_up(work, draft.id, by=verifier.actor)
    async with market.work(verifier) as work:
        signing = signer(settings, livemode=False)
        issued = await issuing.issue(work, draft.id, signing, by=verifier.actor, check_version=lambda _: None)
    await market.settle()
    return issued


async def test_accepted_mass_of_the_receipt_is_the_buyers_and_refused_mass_the_sellers(market: Market) -> None:
    order = await partly_refused(market)

    accepted = await batches(market, market.buyer)
    (refused,) = await batches(market, market.seller)

    assert {batch.title: batch.mass_g for batch in accepted} == {
        "Electric motors": 11_760_000,
        "Rack servers": 2_980_000,
        "Lithium modules": 1_440_000,
        "Copper bars and cable": 1_160_000,
    }
    assert {batch.order_id for batch in accepted} == {order.id}
    assert (refused.mass_g, refused.custodian_id) == (360_000, market.buyer.org.id)
    copper = next(batch for batch in accepted if batch.title == "Copper bars and cable")
    assert copper.material == "copper"


async def test_redirected_goods_keep_their_chain_back_to_the_origin(market: Market) -> None:
    await redirected(market, await partly_refused(market))

    (modules,) = await batches(market, market.plant)
    async with market.work() as work:
        trace = await queries.trace_back(work, [modules.born_in])
    moves = [event for event in trace.events.values() if event.type == "move"]
    assert modules.mass_g == 360_000
    assert len(moves) == 4
    assert [id for id, event in trace.events.items() if chain.faults([event], trace.lines)] == []
    assert {market.seller.org.id, market.buyer.org.id, market.carrier.org.id} <= trace.parties()
    assert await batches(market, market.seller) == []


async def test_the_certificates_fulfil_what_is_owed_and_close_both_orders(market: Market, settings: Settings) -> None:
    order = await partly_refused(market)
    child = await redirected(market, order)
    await market.advance(timedelta(days=14))

    first = await certify(market, market.buyer, STORY_OUTPUTS, settings)
    after_first = [(await market.order(one)).status for one in (order, child)]
    await certify(market, market.plant, (MadeOutput("black_mass", 360_000, "product"),), settings)
    after_second = [(await market.order(one)).status for one in (order, child)]

    assert (first.input_g, first.certified_g) == (17_340_000, 14_910_000)
    assert after_first == ["closed", "settled"]
    assert after_second == ["closed", "closed"]


async def test_every_site_has_one_unbroken_chain(market: Market) -> None:
    await redirected(market, await partly_refused(market))

    async with market.work() as work:
        sites = (await work.session.execute(text("SELECT DISTINCT site_id FROM custody_event"))).scalars().all()
        found = {}
        for site_id in sites:
            query = select(CustodyEvent).where(col(CustodyEvent.site_id) == site_id)
            events = (await work.session.execute(query.order_by(col(CustodyEvent.position)))).scalars().all()
            lines = await queries.lines_of(work, [event.id for event in events])
            found[site_id] = chain.faults(events, lines)
    assert [site_id for site_id, faults in found.items() if faults] == []
    assert len(sites) == 3
