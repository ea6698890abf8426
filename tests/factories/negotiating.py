"""Counter-offers said and accepted through the real verbs."""

from services.bidding import countering
from services.bidding.models import Bid, NewCounter
from services.kernel.database import Sessions
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.orders import awarding
from services.orders.models import Order
from tests.factories.parties import Party


def said(price: str, **given: object) -> NewCounter:
    return NewCounter.model_validate({"price": Money.of(price, "EUR")} | given)


async def countered(sessions: Sessions, bid: Bid, by: Party, price: str, **given: object) -> Bid:
    async with UnitOfWork(sessions, by.actor) as work:
        return await countering.counter(work, bid.id, said(price, **given), by=by.actor)


async def accepted(sessions: Sessions, bid: Bid, by: Party, *, terms_hash: str | None = None) -> Order:
    async with UnitOfWork(sessions, by.actor) as work:
        return await awarding.accept_counter(work, bid.id, by=by.actor, terms_hash=terms_hash)
