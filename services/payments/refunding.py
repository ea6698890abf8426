"""Money back to whom it came from. A refund is done when it has arrived, not when it was asked for."""

from services.kernel.ids import OrgId
from services.kernel.money import Money
from services.kernel.states import Moved, move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import allotting, finishing, gateway, ledger, queries
from services.payments.events import RefundFailed, RefundPaid
from services.payments.models import REFUND, Deal, Payment, Refund
from services.payments.operations import outbox


async def give_back(work: UnitOfWork, deal: Deal, payer_id: str, amount: Money) -> None:
    """Refunds what has just become due to the payer, from its own payments."""
    number = await queries.next_number(work, Refund, deal.id)
    for offset, (payment, part) in enumerate(await allotting.draw_back(work, deal, amount, payer_id=payer_id)):
        refund = _refund(work, deal, payment, part)
        work.add(refund)
        await outbox.intend(
            work,
            name=f"{deal.order_id}:refund:{number + offset}",
            kind="refund",
            org_id=payer_id,
            subject_id=refund.id,
            deal_id=deal.id,
        )


def _refund(work: UnitOfWork, deal: Deal, payment: Payment, amount: Money) -> Refund:
    return Refund(
        deal_id=deal.id,
        payment_id=payment.id,
        payer_id=payment.payer_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        livemode=work.livemode,
        created_at=work.now,
    )


async def mirror(work: UnitOfWork, deal: Deal, refund: Refund, found: gateway.Refund) -> bool:
    """Follows the provider's refund: P4 when it is booked, P10 when it fails after that. False while it has succeeded
    but is not booked yet. Lock the deal first.
    """
    refund.stripe_id = found.id
    if not await _post(work, deal, refund, found):
        return False
    if any(refund.status in transition.sources for transition in REFUND.named(found.status)):
        _tell(work, deal, refund, move(REFUND, refund, found.status, by="provider"), found)
    await finishing.try_finish(work, deal)
    return True


async def _post(work: UnitOfWork, deal: Deal, refund: Refund, found: gateway.Refund) -> bool:
    due = ledger.refund_due(refund.payer_id)
    if found.balance_transaction:
        lines = [(due, refund.amount), (ledger.STRIPE_BALANCE, -refund.amount)]
        key = f"{found.id}:refunded"
        await ledger.post(
            work, key, "refunded", deal.order_id, lines, found.balance_transaction, effective_at=found.created_at
        )
    if found.failure_balance_transaction:
        lines = [(ledger.STRIPE_BALANCE, refund.amount), (due, -refund.amount)]
        key = f"{found.id}:refund_failed"
        await ledger.post(work, key, "refund_failed", deal.order_id, lines, found.failure_balance_transaction)
    return found.status != "succeeded" or found.balance_transaction is not None


def _tell(work: UnitOfWork, deal: Deal, refund: Refund, moved: Moved, found: gateway.Refund) -> None:
    about = {
        "deal_id": deal.id,
        "order_id": deal.order_id,
        "refund_id": refund.id,
        "payer_id": refund.payer_id,
        "amount": refund.amount,
    }
    told = {OrgId(refund.payer_id): "payer"}
    if moved.new == "succeeded":
        refund.paid_at = work.now
        work.emit(RefundPaid(**about), subject=refund.id, audience=told, moved=moved)
    elif moved.new in ("failed", "canceled"):
        event = RefundFailed(**about, reason=found.failure_reason or found.status)
        work.emit(event, subject=refund.id, audience=told, moved=moved)


def refused(work: UnitOfWork, deal: Deal, refund: Refund, code: str) -> None:
    """The provider will not even begin: the amount stays due, and a person decides."""
    event = RefundFailed(
        deal_id=deal.id,
        order_id=deal.order_id,
        refund_id=refund.id,
        payer_id=refund.payer_id,
        amount=refund.amount,
        reason=code,
    )
    work.emit(event, subject=refund.id, audience={refund.payer_id: "payer"})
