"""A party that may begin nothing new still takes in, inspects and is settled with."""

from services.kernel.unit_of_work import UnitOfWork
from services.parties import verification
from services.parties.events import Told
from tests.factories import papers
from tests.factories.listings import motors
from tests.factories.orders import Market, delivered, held, inspected, received


async def test_suspended_parties_receive_and_inspect_what_was_delivered(market: Market) -> None:
    order = await held(market, [motors()])
    await delivered(market, order)
    operator, _ = await papers.operator(market.sessions, livemode=False)
    for party in (market.seller, market.buyer):
        async with UnitOfWork(market.sessions, operator) as work:
            complaint = [Told(code="complaint", detail="A partner complained.")]
            await verification.suspend(work, party.org.id, reasons=complaint, by=operator)

    receipt = await received(market, order)
    await inspected(market, receipt)
    await market.settle()

    assert (await market.order(order)).status == "settled"
