"""Money to the payees: what is released from the hold becomes payable, and a transfer pays it."""

from services.kernel.ids import OrgId
from services.kernel.money import Money
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import allotting, finishing, gateway, ledger, queries
from services.payments.errors import HaulageAboveCeiling
from services.payments.events import DealLegReleased, TransferBlocked, TransferPaid
from services.payments.models import DEAL, TRANSFER, Deal, Payment, Transfer
from services.payments.operations import outbox
from services.payments.policy import leg_audience


async def release_haulage(
    work: UnitOfWork, *, order_id: str, carrier_id: OrgId, price: Money, pickup_id: str | None = None
) -> None:
    """P2 for the carrier, on delivery. `price` is net. HaulageAboveCeiling when it is more than what is left of the
    ceiling.

    Has its effect once per pickup (once per carrier where none is named). A price of nothing releases nothing.
    """
    deal = await queries.deal_of_for_update(work, order_id)
    key = f"{deal.id}:haulage:{pickup_id or carrier_id}"
    if not price or await ledger.is_posted(work, key):
        return
    left = deal.money((deal.haulage_ceiling_minor or 0) - deal.haulage_released_minor)
    if left < price:
        raise HaulageAboveCeiling(price, left)
    moved = move(DEAL, deal, "release", by="time")
    vat = price.basis_points(deal.haulage_vat_bps)
    _count_in(deal, price, price + vat)
    lines = [(ledger.deal_hold(order_id), price + vat), (ledger.payable(carrier_id), -(price + vat))]
    await ledger.post(work, key, "settled", order_id, lines)
    event = DealLegReleased(
        deal_id=deal.id, order_id=order_id, leg="haulage", carrier_id=carrier_id, net=price, vat=vat, amount=price + vat
    )
    work.emit(event, subject=deal.id, audience=leg_audience(deal, carrier_id), moved=moved)
    await pay(work, deal, carrier_id, price + vat, leg="haulage", first=deal.haulage_payer_id)


def _count_in(deal: Deal, net: Money, gross: Money) -> None:
    deal.haulage_released_minor += net.minor
    deal.haulage_gross_minor += gross.minor
    if not deal.haulage_part_minor:
        deal.withheld_minor += gross.minor


async def pay(
    work: UnitOfWork, deal: Deal, payee_id: str, amount: Money, *, leg: str, first: str | None = None
) -> None:
    """Transfers what has just become payable, less what the payee owes us, out of the charges of the payer `first`
    before others.
    """
    number = await queries.next_number(work, Transfer, deal.id)
    amount = amount - await _net(work, deal, payee_id, amount, number)
    for offset, (payment, part) in enumerate(await allotting.draw(work, deal, amount, first=first)):
        transfer = _transfer(work, deal, payment, payee_id, part, leg)
        work.add(transfer)
        await outbox.intend(
            work,
            name=f"{deal.order_id}:transfer:{number + offset}",
            kind="transfer",
            org_id=payee_id,
            subject_id=transfer.id,
            deal_id=deal.id,
        )


def _transfer(work: UnitOfWork, deal: Deal, payment: Payment, payee_id: str, amount: Money, leg: str) -> Transfer:
    return Transfer(
        deal_id=deal.id,
        payment_id=payment.id,
        payee_id=OrgId(payee_id),
        leg=leg,
        amount_minor=amount.minor,
        currency=amount.currency,
        livemode=work.livemode,
        created_at=work.now,
    )


async def _net(work: UnitOfWork, deal: Deal, payee_id: str, amount: Money, number: int) -> Money:
    """P9: a receivable is taken off the party's next payables. Answers how much was."""
    owed = await ledger.balance(work, ledger.receivable(payee_id), deal.currency)
    netted = min(owed, amount, key=lambda money: money.minor)
    if netted:
        lines = [(ledger.payable(payee_id), netted), (ledger.receivable(payee_id), -netted)]
        await ledger.post(work, f"{deal.id}:netted:{payee_id}:{number}", "netted", deal.order_id, lines)
    return netted


async def transferred(work: UnitOfWork, deal: Deal, transfer: Transfer, found: gateway.Transfer) -> bool:
    """P3. False while the provider has not booked it. Lock the deal first."""
    if found.balance_transaction is None:
        return False
    lines = [(ledger.payable(transfer.payee_id), transfer.amount), (ledger.STRIPE_BALANCE, -transfer.amount)]
    key = f"{found.id}:transferred"
    await ledger.post(
        work, key, "transferred", deal.order_id, lines, found.balance_transaction, effective_at=found.created_at
    )
    if transfer.status != "paid":
        moved = move(TRANSFER, transfer, "pay", by="provider")
        transfer.stripe_id, transfer.paid_at, transfer.blocked_reason = found.id, work.now, None
        event = TransferPaid(
            deal_id=deal.id,
            order_id=deal.order_id,
            transfer_id=transfer.id,
            payee_id=transfer.payee_id,
            leg=transfer.leg,
            amount=transfer.amount,
        )
        work.emit(event, subject=transfer.id, audience=_payee(transfer), moved=moved)
    await finishing.try_finish(work, deal)
    return True


def blocked(work: UnitOfWork, deal: Deal, transfer: Transfer, reason: str) -> None:
    """The payable stays, the transfer waits; told once per reason."""
    if transfer.blocked_reason == reason:
        return
    moved = move(TRANSFER, transfer, "block", by="provider")
    transfer.blocked_reason = reason
    event = TransferBlocked(
        deal_id=deal.id,
        order_id=deal.order_id,
        transfer_id=transfer.id,
        payee_id=transfer.payee_id,
        leg=transfer.leg,
        amount=transfer.amount,
        reason=reason,
    )
    work.emit(event, subject=transfer.id, audience=_payee(transfer), moved=moved)


def _payee(transfer: Transfer) -> dict[OrgId, str]:
    return {transfer.payee_id: "carrier" if transfer.leg == "haulage" else "payee"}
