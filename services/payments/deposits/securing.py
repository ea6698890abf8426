"""A deposit's money, as the provider tells of it."""

from dataclasses import asdict

from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import gateway, ledger, queries
from services.payments.deposits.asking import end_unpaid
from services.payments.deposits.telling import tell
from services.payments.events import DepositFailed, DepositSecured
from services.payments.models import DEPOSIT, Deposit
from services.payments.operations import outbox


async def mirror(work: UnitOfWork, deposit: Deposit, found: gateway.Payment) -> bool:
    """D1 when the money has arrived. False while it has, but is not booked yet."""
    deposit.intent_id = found.id
    deposit.charge_id = found.charge_id or deposit.charge_id
    deposit.instructions = _instructions(found.instructions)
    if found.status == "canceled":
        _canceled(work, deposit)
    if found.status != "succeeded" or deposit.secured_at:
        return True
    if found.balance_transaction is None or found.charge_id is None:
        return False
    await _secured(work, deposit, found.charge_id, found.balance_transaction)
    return True


def _instructions(given: gateway.BankInstructions | None) -> dict[str, object] | None:
    if given is None:
        return None
    remaining = {"amount": given.amount_remaining.amount, "currency": given.amount_remaining.currency}
    return {**asdict(given), "amount_remaining": remaining}


def _canceled(work: UnitOfWork, deposit: Deposit) -> None:
    if deposit.status == "calling_off":
        end_unpaid(work, deposit)
    elif deposit.status == "pending":
        failed(work, deposit, "canceled")


async def _secured(work: UnitOfWork, deposit: Deposit, charge_id: str, booked: gateway.BalanceTransaction) -> None:
    lines = ledger.collected(ledger.deposit_hold(deposit.id), deposit.amount, booked)
    key = f"{charge_id}:collected"
    await ledger.post(work, key, "collected", None, lines, booked.id, effective_at=booked.created_at)
    moved = move(DEPOSIT, deposit, "secure", by="provider")
    deposit.secured_at, deposit.decided_at, deposit.problem = work.now, None, None
    tell(work, deposit, DepositSecured, moved)


def failed(work: UnitOfWork, deposit: Deposit, reason: str) -> None:
    """The provider will not collect it. Of one that is being called off that is no news."""
    if deposit.status != "pending":
        return
    moved = move(DEPOSIT, deposit, "fail", by="provider")
    deposit.problem, deposit.instructions = reason, None
    tell(work, deposit, DepositFailed, moved, reason=reason)


async def called_off(work: UnitOfWork, deposit: Deposit, found: gateway.Payment | None) -> bool:
    """What the provider says after calling off: nothing was there, it is canceled, or the money had come. False: not yet."""
    is_complete = await mirror(work, deposit, found) if found else True
    if found is None and deposit.status == "calling_off":
        end_unpaid(work, deposit)
    collect = await queries.operation_for_update(work, f"{deposit.id}:collect:1")
    if is_complete and collect.status not in ("done", "withdrawn"):
        outbox.withdraw(collect)
    return is_complete and deposit.status != "calling_off"
