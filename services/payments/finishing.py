"""The end of a deal: nothing held, everything done at the provider."""

from services.kernel.states import check, move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import queries
from services.payments.events import DealCancelled, DealClosed, DealSettled
from services.payments.models import DEAL, Deal, DealFacts
from services.payments.policy import audience


async def try_finish(work: UnitOfWork, deal: Deal) -> None:
    """Moves a settling deal to settled, and on to closed, or a cancelling one to cancelled; quietly not yet. Lock the
    deal first.
    """
    if deal.status not in ("settling", "settled", "cancelling"):
        return
    facts = await queries.facts_of(work, deal)
    if deal.status != "settled":
        _finish(work, deal, facts)
    if deal.status == "settled":
        _close(work, deal, facts)


def _finish(work: UnitOfWork, deal: Deal, facts: DealFacts) -> None:
    if check(DEAL, deal, "finish", by="time", facts=facts)[1]:
        return
    moved = move(DEAL, deal, "finish", by="time", facts=facts)
    told = {"deal_id": deal.id, "order_id": deal.order_id, "collected": deal.money(facts.collected)}
    event = (
        DealCancelled(**told)
        if moved.new == "cancelled"
        else DealSettled(**told, accepted=abs(deal.money(deal.accepted_minor)))
    )
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)


def _close(work: UnitOfWork, deal: Deal, facts: DealFacts) -> None:
    """A bank transfer cannot be pulled back, so there is no window to wait for."""
    if check(DEAL, deal, "close", by="time", facts=facts)[1]:
        return
    moved = move(DEAL, deal, "close", by="time", facts=facts)
    event = DealClosed(deal_id=deal.id, order_id=deal.order_id, accepted=abs(deal.money(deal.accepted_minor)))
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)
