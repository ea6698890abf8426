"""What becomes of a secured deposit: it goes back to its bidder, or to the seller that was let down. Decided once."""

from services.kernel.ids import BidId
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import gateway, ledger
from services.payments.deposits.telling import tell
from services.payments.events import DepositForfeited, DepositReleased
from services.payments.models import DEPOSIT, Deposit
from services.payments.operations import outbox


async def release(work: UnitOfWork, deposit: Deposit) -> None:
    """D2: due to the bidder, and refunded."""
    moved = move(DEPOSIT, deposit, "release", by="time")
    deposit.decided_at = work.now
    lines = [
        (ledger.deposit_hold(deposit.id), deposit.amount),
        (ledger.refund_due(deposit.bidder_id), -deposit.amount),
    ]
    await ledger.post(work, f"{deposit.id}:released", "released", None, lines)
    tell(work, deposit, DepositReleased, moved)
    await _intend(work, deposit, "refund", deposit.bidder_id)


async def forfeit(work: UnitOfWork, deposit: Deposit, bid_id: BidId) -> None:
    """D3: payable to the seller, and transferred."""
    moved = move(DEPOSIT, deposit, "forfeit", by="time")
    deposit.decided_at, deposit.broken_bid_id = work.now, bid_id
    lines = [(ledger.deposit_hold(deposit.id), deposit.amount), (ledger.payable(deposit.seller_id), -deposit.amount)]
    await ledger.post(work, f"{deposit.id}:forfeited", "forfeited", None, lines)
    tell(work, deposit, DepositForfeited, moved, bid_id=bid_id, seller_id=deposit.seller_id)
    await _intend(work, deposit, "transfer", deposit.seller_id)


async def _intend(work: UnitOfWork, deposit: Deposit, kind: str, org_id: str) -> None:
    await outbox.intend(
        work, name=f"{deposit.id}:{kind}:1", kind=f"deposit_{kind}", org_id=org_id, subject_id=deposit.id
    )


async def returned(work: UnitOfWork, deposit: Deposit, found: gateway.Refund) -> bool:
    """P4 when the refund is booked, P10 when it fails after that: then the amount is due again, and a person decides. False
    while it has succeeded but is not booked yet."""
    deposit.paid_id = found.id
    due = ledger.refund_due(deposit.bidder_id)
    if found.balance_transaction:
        lines = [(due, deposit.amount), (ledger.STRIPE_BALANCE, -deposit.amount)]
        key = f"{found.id}:refunded"
        await ledger.post(work, key, "refunded", None, lines, found.balance_transaction, effective_at=found.created_at)
    if found.failure_balance_transaction:
        lines = [(ledger.STRIPE_BALANCE, deposit.amount), (due, -deposit.amount)]
        key = f"{found.id}:refund_failed"
        await ledger.post(work, key, "refund_failed", None, lines, found.failure_balance_transaction)
    if found.status in ("failed", "canceled"):
        deposit.paid_at, deposit.problem = None, found.failure_reason or found.status
    elif found.status == "succeeded" and found.balance_transaction:
        deposit.paid_at, deposit.problem = deposit.paid_at or work.now, None
    return found.status != "succeeded" or found.balance_transaction is not None


async def paid_out(work: UnitOfWork, deposit: Deposit, found: gateway.Transfer) -> bool:
    """P3. False while the provider has not booked it."""
    if found.balance_transaction is None:
        return False
    deposit.paid_id = found.id
    lines = [(ledger.payable(deposit.seller_id), deposit.amount), (ledger.STRIPE_BALANCE, -deposit.amount)]
    key = f"{found.id}:transferred"
    await ledger.post(work, key, "transferred", None, lines, found.balance_transaction, effective_at=found.created_at)
    deposit.paid_at, deposit.problem = deposit.paid_at or work.now, None
    return True


def stuck(deposit: Deposit, reason: str) -> None:
    """It cannot be paid for now, or for good: `reason` is ours or the provider's."""
    deposit.problem = reason
