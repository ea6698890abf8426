"""From the terms to the hold: a deal is agreed, its exposure collected, and called off if need be."""

from dataclasses import asdict

from services.kernel.ids import OrgId
from services.kernel.money import Money
from services.kernel.states import check, move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import connecting, finishing, gateway, ledger, paying_out, queries, refunding, splitting
from services.payments.events import (
    DealAgreed,
    DealCancelling,
    DealCollectFailed,
    DealCollecting,
    DealHeld,
    PaymentCollected,
)
from services.payments.models import DEAL, PAYMENT, Deal, Payment
from services.payments.operations import outbox
from services.payments.policy import audience
from services.payments.terms import DealTerms


async def agree(work: UnitOfWork, terms: DealTerms) -> Deal:
    """Freezes the terms and starts collecting the exposure; with nothing to collect the deal is held at once."""
    deal = _deal_of(work, terms)
    work.add(deal)
    await work.session.flush()
    work.emit(
        DealAgreed(
            deal_id=deal.id,
            order_id=deal.order_id,
            seller_id=deal.seller_id,
            buyer_id=deal.buyer_id,
            goods=terms.goods,
            exposure=deal.exposure,
        ),
        subject=deal.id,
        audience=audience(deal),
    )
    if deal.exposure:
        await start(work, deal)
    else:
        await hold_if_covered(work, deal)
    return deal


def _deal_of(work: UnitOfWork, terms: DealTerms) -> Deal:
    exposure = splitting.exposure(terms)
    return Deal(
        order_id=terms.order_id,
        seller_id=terms.seller_id,
        buyer_id=terms.buyer_id,
        goods_payer_id=terms.goods_payer_id,
        haulage_payer_id=terms.haulage_payer_id,
        currency=terms.currency,
        goods_minor=terms.goods.minor,
        goods_vat_bps=terms.goods_vat_bps,
        haulage_ceiling_minor=terms.haulage_ceiling.minor if terms.haulage_ceiling else None,
        haulage_vat_bps=terms.haulage_vat_bps,
        commission_bps=terms.commission_bps,
        commission_vat_bps=terms.commission_vat_bps,
        vat_country=terms.vat_country,
        goods_part_minor=exposure.goods.minor,
        haulage_part_minor=exposure.haulage.minor,
        livemode=work.livemode,
        created_at=work.now,
    )


async def start(work: UnitOfWork, deal: Deal) -> None:
    """One payment per payer, several above the provider's limit; each is created, saved and confirmed by the outbox."""
    shares = [(payer, part) for payer, amount in deal.parts for part in splitting.parts(amount)]
    for position, (payer_id, amount) in enumerate(shares, start=1):
        await connecting.ensure(work, payer_id)
        payment = _payment(work, deal, position, payer_id, amount)
        work.add(payment)
        await outbox.intend(
            work,
            name=f"{deal.order_id}:collect:{position}",
            kind="collect",
            org_id=payer_id,
            subject_id=payment.id,
            deal_id=deal.id,
        )
    moved = move(DEAL, deal, "collect", by="time")
    event = DealCollecting(deal_id=deal.id, order_id=deal.order_id, exposure=deal.exposure)
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)


def _payment(work: UnitOfWork, deal: Deal, position: int, payer_id: OrgId, amount: Money) -> Payment:
    return Payment(
        deal_id=deal.id,
        payer_id=payer_id,
        position=position,
        amount_minor=amount.minor,
        currency=amount.currency,
        livemode=work.livemode,
        created_at=work.now,
    )


async def mirror(work: UnitOfWork, deal: Deal, payment: Payment, found: gateway.Payment) -> bool:
    """Follows the provider's intent; False while it has succeeded but is not booked yet. Lock the deal first."""
    payment.intent_id = found.id
    payment.charge_id = found.charge_id or payment.charge_id
    payment.instructions = _instructions(found.instructions)
    if any(payment.status in transition.sources for transition in PAYMENT.named(found.status)):
        move(PAYMENT, payment, found.status, by="provider")
    if found.status == "canceled":
        await failed(work, deal, "canceled")
    if found.status != "succeeded" or payment.collected_at:
        return True
    if found.balance_transaction is None or found.charge_id is None:
        return False
    await _collected(work, deal, payment, found.charge_id, found.balance_transaction)
    return True


def _instructions(given: gateway.BankInstructions | None) -> dict[str, object] | None:
    if given is None:
        return None
    remaining = {"amount": given.amount_remaining.amount, "currency": given.amount_remaining.currency}
    return {**asdict(given), "amount_remaining": remaining}


async def _collected(
    work: UnitOfWork, deal: Deal, payment: Payment, charge_id: str, booked: gateway.BalanceTransaction
) -> None:
    lines = ledger.collected(ledger.deal_hold(deal.order_id), payment.amount, booked)
    await ledger.post(
        work, f"{charge_id}:collected", "collected", deal.order_id, lines, booked.id, effective_at=booked.created_at
    )
    payment.collected_at = work.now
    facts = await queries.facts_of(work, deal)
    event = PaymentCollected(
        deal_id=deal.id,
        order_id=deal.order_id,
        payment_id=payment.id,
        payer_id=payment.payer_id,
        amount=payment.amount,
        collected=deal.money(facts.collected),
    )
    work.emit(event, subject=payment.id, audience=audience(deal))
    if deal.status == "cancelling":
        await _return(work, deal, payment)
    else:
        await hold_if_covered(work, deal)


async def _return(work: UnitOfWork, deal: Deal, payment: Payment) -> None:
    """Money that arrives after the cancellation goes back in full."""
    lines = [
        (ledger.deal_hold(deal.order_id), payment.amount),
        (ledger.refund_due(payment.payer_id), -payment.amount),
    ]
    await ledger.post(work, f"{payment.id}:returned", "cancelled", deal.order_id, lines)
    await refunding.give_back(work, deal, payment.payer_id, payment.amount)


async def hold_if_covered(work: UnitOfWork, deal: Deal) -> None:
    """Moves to held once what has arrived covers the exposure."""
    facts = await queries.facts_of(work, deal)
    if deal.status not in ("agreed", "collecting") or check(DEAL, deal, "receive", by="provider", facts=facts)[1]:
        return
    moved = move(DEAL, deal, "receive", by="provider", facts=facts)
    event = DealHeld(
        deal_id=deal.id, order_id=deal.order_id, exposure=deal.exposure, collected=deal.money(facts.collected)
    )
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)


async def failed(work: UnitOfWork, deal: Deal, reason: str) -> None:
    """The provider will not collect this payment. Of a deal that is being called off that is no news."""
    if deal.status != "collecting":
        return
    moved = move(DEAL, deal, "fail", by="provider")
    event = DealCollectFailed(deal_id=deal.id, order_id=deal.order_id, exposure=deal.exposure, reason=reason)
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)


async def cancel(work: UnitOfWork, *, order_id: str, fee: Money | None = None) -> Deal:
    """Calls off what has not arrived and returns what has, less the fee for whoever was let down (as far as it is
    held).
    """
    deal = await queries.deal_of_for_update(work, order_id)
    moved = move(DEAL, deal, "cancel", by="time")
    payments = await queries.payments_of(work, deal.id)
    kept, back = await _undo_hold(work, deal, [p for p in payments if p.collected_at], fee or deal.money(0))
    event = DealCancelling(deal_id=deal.id, order_id=deal.order_id, fee=kept, refund=back)
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)
    for payment in payments:
        if not payment.collected_at:
            await _call_off(work, deal, payment)
    await finishing.try_finish(work, deal)
    return deal


async def _undo_hold(work: UnitOfWork, deal: Deal, charged: list[Payment], fee: Money) -> tuple[Money, Money]:
    """P5. Answers the fee that was kept and what goes back."""
    paid: dict[str, Money] = {}
    for payment in charged:
        paid[payment.payer_id] = paid.get(payment.payer_id, deal.money(0)) + payment.amount
    if not paid:
        return deal.money(0), deal.money(0)
    held = sum(paid.values(), deal.money(0))
    kept = min(fee, paid.get(deal.goods_payer_id, deal.money(0)), key=lambda money: money.minor)
    back = {payer: money - kept if payer == deal.goods_payer_id else money for payer, money in paid.items()}
    due = [(ledger.refund_due(payer), -money) for payer, money in back.items()]
    lines = ledger.nonzero((ledger.deal_hold(deal.order_id), held), (ledger.payable(deal.payee_id), -kept), *due)
    await ledger.post(work, f"{deal.id}:cancelled", "cancelled", deal.order_id, lines)
    await paying_out.pay(work, deal, deal.payee_id, kept, leg="fee", first=deal.goods_payer_id)
    for payer, money in back.items():
        await refunding.give_back(work, deal, payer, money)
    return kept, held - kept


async def _call_off(work: UnitOfWork, deal: Deal, payment: Payment) -> None:
    """Withdrawn where the provider has never been asked; otherwise an operation of its own finds out and cancels."""
    collect = await queries.collect_operation_for_update(work, payment.id)
    if collect.status in ("pending", "blocked") and collect.attempts == 0:
        outbox.withdraw(collect)
        move(PAYMENT, payment, "canceled", by="provider")
    elif payment.status not in ("canceled", "failed"):
        await outbox.intend(
            work,
            name=f"{deal.order_id}:call_off:{payment.position}",
            kind="call_off",
            org_id=payment.payer_id,
            subject_id=payment.id,
            deal_id=deal.id,
            params={"collect": collect.name},
        )
    elif collect.status not in ("done", "withdrawn"):
        outbox.withdraw(collect)


async def called_off(work: UnitOfWork, deal: Deal, payment: Payment, found: gateway.Payment | None) -> bool:
    """What the provider says after calling off: nothing was there, it is canceled, or the money had come."""
    is_complete = await mirror(work, deal, payment, found) if found else True
    if found is None and payment.status != "canceled":
        move(PAYMENT, payment, "canceled", by="provider")
    collect = await queries.collect_operation_for_update(work, payment.id)
    if is_complete and collect.status not in ("done", "withdrawn"):
        outbox.withdraw(collect)
    return is_complete and payment.status in ("canceled", "failed", "succeeded")
