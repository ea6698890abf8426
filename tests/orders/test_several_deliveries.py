"""An order whose goods come in two deliveries: the tolerance is the line's, the money follows each receipt."""

from services.kernel.money import Money
from services.orders import movements
from services.orders.models import Order
from services.orders.pricing import Measured
from services.orders.terms import Terms
from tests.factories.bidding import placed_bid
from tests.factories.listings import motors
from tests.factories.orders import Market, confirmed, delivered, inspected, negotiated, pay, received
from tests.factories.parties import permit


async def in_two_deliveries(market: Market) -> Order:
    """1.000 t of motors, fetched by the buyer itself."""
    await permit(market.sessions, market.buyer, kind="transport", number="T-3")
    items = [motors(title="Motors", quantity=10, mass={"value": "1", "unit": "t"})]
    listing = await negotiated(market.sessions, market.seller, items)
    bid = await placed_bid(market.sessions, listing, market.buyer)
    order = await confirmed(market.sessions, bid, market.seller, market.buyer)
    async with market.work() as work:
        await movements.request_delivery(work, order, Terms.model_validate(order.terms))
    await pay(market, order)
    return order


async def test_two_receipts_settle_one_after_the_other(market: Market) -> None:
    order = await in_two_deliveries(market)
    line_id = (await market.lines(order))["Motors"].id

    await delivered(market, order, received={"Motors": (5, 500_000)}, number=0)
    first = await received(market, order)
    after_first_receipt = (await market.order(order)).status
    await inspected(market, first, {line_id: Measured(1, 100_000)})
    after_first = await market.deal(order)
    figures_after_first = (after_first.accepted_minor, after_first.contested_minor)

    await delivered(market, order, received={"Motors": (5, 500_000)}, number=1)
    second = await received(market, order)
    await inspected(market, second)
    after_second = await market.deal(order)

    assert (after_first_receipt, first.flags) == ("partially_received", [])
    assert figures_after_first == (4_800, 1_200 + 6_600)
    assert (after_second.accepted_minor, after_second.contested_minor) == (10_800, 1_200)
    assert (await market.order(order)).status == "partially_accepted"


async def test_the_tolerance_sums_all_receipts_of_a_line(market: Market) -> None:
    order = await in_two_deliveries(market)
    await delivered(market, order, received={"Motors": (5, 525_000)}, number=0)
    first = await received(market, order)
    await delivered(market, order, received={"Motors": (5, 525_001)}, number=1)
    second = await received(market, order)

    await inspected(market, first)
    await inspected(market, second)

    assert (first.flags, [flag["code"] for flag in second.flags]) == ([], ["above_tolerance"])
    deal = await market.deal(order)
    assert deal.money(deal.accepted_minor) == Money.of("126.00", "EUR")
