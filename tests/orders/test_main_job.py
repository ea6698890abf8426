"""The main job from the award to the last order closed, to the gram and to the cent."""

from datetime import timedelta

from sqlalchemy import text

from services.bidding.models import Bid
from services.kernel.ids import CertificateId
from services.kernel.money import Money
from services.listings import queries as listings
from services.orders import fulfilment, rerouting
from services.orders.models import Order
from services.orders.pricing import Measured
from services.orders.reoffering import Offering
from services.orders.rerouting import Route
from services.payments import queries as payments
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import open_listing
from tests.factories.orders import (
    Market,
    confirmed,
    delivered,
    inspected,
    pay,
    received,
    story_items,
)

LOADED = {
    "Electric motors": (40, 11_780_000),
    "Rack servers": (120, 2_980_000),
    "Lithium modules": (60, 1_800_000),
    "Copper bars and cable": (9, 1_160_000),
}
RECEIVED = LOADED | {"Electric motors": (40, 11_760_000)}
REFUSED = Measured(12, 360_000)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


async def the_winning_bid(market: Market) -> Bid:
    """Wednesday to Friday: three sealed bids; then the close."""
    listing = await open_listing(market.sessions, market.seller, story_items())
    remaker = await processor(market.sessions, "Zweitlauf GmbH", roles=["remanufacturer"])
    ceiling = eur("700.00")
    won = await placed_bid(market.sessions, listing, market.buyer, "120.00", haulage_ceiling=ceiling)
    await placed_bid(market.sessions, listing, remaker, "0.00", haulage_basis="DAP", haulage_quote=eur("910.00"))
    await market.advance(timedelta(days=3, minutes=1))
    return won


async def redirected(market: Market, order: Order) -> Bid:
    """Wednesday: what was refused goes to Batteriehof, who bids on the weight refused."""
    modules = (await market.lines(order))["Lithium modules"]
    offering = Offering("/redirect", market.plant.org.id, "negotiated")
    async with market.work(market.seller) as work:
        wish = Route(modules.id, "redirect", offering)
        await rerouting.route_remainder(work, order.id, wish, by=market.seller.actor)
    remainder, *_ = await market.remainders(order)
    async with market.work() as work:
        listing = await listings.listing(work, str(remainder.listing_id))
        item, *_ = await listings.items(work, listing.id)
    assert (item.quantity, item.mass_g, item.condition_grade, item.un_number) == (12, 360_000, "damaged", "UN3480")
    assert (listing.visibility, listing.invited, listing.site_id) == (
        "invited",
        [market.plant.org.id],
        market.buyer.site.id,
    )
    return await placed_bid(market.sessions, listing, market.plant, "-1450.00")


async def certified(market: Market, order: Order) -> None:
    async with market.work() as work:
        await fulfilment.fulfil_obligations(
            work, order_ids=[order.id], kind="recycling", certificate_id=CertificateId.new()
        )
    await market.settle()


async def test_the_main_job(market: Market) -> None:
    bid = await the_winning_bid(market)

    # Monday: award and confirmation; Wednesday: the money is there
    ord_1 = await confirmed(market.sessions, bid, market.seller, market.buyer)
    await pay(market, ord_1)
    assert (await market.deal(ord_1)).exposure == eur("3101.00")

    # The Monday after: loaded, delivered, received
    await delivered(market, ord_1, LOADED, RECEIVED)
    assert (await market.order(ord_1)).status == "in_fulfilment"
    receipt = await received(market, ord_1)
    assert (await market.order(ord_1)).status == "received"
    assert receipt.flags == []

    # Wednesday: twelve modules fail the isolation test
    modules = (await market.lines(ord_1))["Lithium modules"]
    await inspected(market, receipt, {modules.id: REFUSED})
    await market.settle()
    assert (await market.order(ord_1)).status == "partially_accepted"
    assert await permit_of(market) == (0, 17_340_000)
    assert (await market.deal(ord_1)).contested_minor == 4_320

    # and go to Batteriehof, at Nordwerk's expense
    ord_2 = await confirmed(market.sessions, await redirected(market, ord_1), market.seller, market.plant)
    await pay(market, ord_2)
    assert (await market.deal(ord_2)).exposure == eur("621.18")
    assert (await market.order(ord_1)).status == "settled"
    assert (ord_2.parent_order_id, ord_2.terms["tolerance_bps"]) == (ord_1.id, 0)

    # The week after: Batteriehof fetches them from Rheinkreis
    haul = await delivered(market, ord_2)
    assert (haul.custodian, haul.carrier) == (market.buyer, market.plant)
    await inspected(market, await received(market, ord_2, market.plant), buyer=market.plant)
    await market.settle()
    assert (await market.order(ord_2)).status == "settled"

    # At the end every hold, payable and refund due is nothing, and what is left are commission and its VAT
    left = await market.balances()
    assert left.pop("stripe_balance") + left.pop("stripe_fee", eur("0.00")) == eur("154.87")
    assert left == {"commission": eur("-130.14"), "vat_output": eur("-24.73")}
    assert await payouts(market, ord_1) == [(market.carrier.org.id, "773.50"), (market.seller.org.id, "1956.99")]
    assert await payouts(market, ord_2) == [(market.plant.org.id, "590.12")]
    assert await refunds(market, ord_1) == ["203.50", "43.20"]

    # The dispute windows end unused and the certificates are issued: orders and listings end
    await market.advance(timedelta(days=14))
    assert (await market.order(ord_1)).status == "settled"
    await certified(market, ord_1)
    await certified(market, ord_2)
    assert ((await market.order(ord_1)).status, (await market.order(ord_2)).status) == ("closed", "closed")
    async with market.work() as work:
        ended = await listings.listings(work, [ord_1.listing_id, ord_2.listing_id])
    assert {listing.status for listing in ended.values()} == {"fulfilled"}
    assert await market.told(ord_1.id) == [
        "order.created",
        "order.confirmed",
        "order.started",
        "order.received",
        "order.partially_accepted",
        "order.remainder_routed",
        "order.settled",
        "obligation.fulfilled",
        "order.closed",
    ]
    assert await market.told(ord_1.id, to=market.carrier) == []


async def permit_of(market: Market) -> tuple[int, int]:
    """Reserved and used of Rheinkreis's permit, in grams."""
    query = text(
        "SELECT reserved_g, used_g FROM permit_scope JOIN permit ON permit.id = permit_id"
        " WHERE org_id = :org AND kind = 'treatment'"
    )
    async with market.sessions() as session:
        row = (await session.execute(query, {"org": market.buyer.org.id})).one()
    return row.reserved_g, row.used_g


async def payouts(market: Market, order: Order) -> list[tuple[str, str]]:
    """To whom and how much, in the order made."""
    deal = await market.deal(order)
    async with market.work() as work:
        paid = await payments.transfers_of(work, deal.id)
    return [(transfer.payee_id, transfer.amount.amount) for transfer in paid if transfer.status == "paid"]


async def refunds(market: Market, order: Order) -> list[str]:
    deal = await market.deal(order)
    async with market.work() as work:
        returned = await payments.refunds_of(work, deal.id)
    return [deal.money(refund.amount_minor).amount for refund in returned if refund.status == "succeeded"]
