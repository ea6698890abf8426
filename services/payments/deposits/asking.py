"""Asking a bidder for its deposit, and ceasing to ask."""

from services.kernel.ids import ListingId, OrgId
from services.kernel.money import Money
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import connecting, queries
from services.payments.deposits.telling import tell
from services.payments.events import DepositCalledOff, DepositRequested
from services.payments.models import DEPOSIT, Deposit
from services.payments.operations import outbox


async def ask(work: UnitOfWork, *, listing_id: ListingId, seller_id: OrgId, bidder_id: OrgId, amount: Money) -> Deposit:
    """The one that is under way, if there is one. Where to send the money follows from the provider."""
    await connecting.ensure(work, bidder_id)
    known = await queries.deposit_under_way(work, listing_id, bidder_id)
    if known is not None:
        return known
    deposit = Deposit(
        listing_id=listing_id,
        seller_id=seller_id,
        bidder_id=bidder_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(deposit)
    tell(work, deposit, DepositRequested)
    async with work.as_house():
        await _intend(work, deposit, "collect")
    return deposit


async def call_off(work: UnitOfWork, deposit: Deposit) -> None:
    """Nobody needs it any more. What the provider was never asked for ends here; otherwise it finds out and cancels."""
    move(DEPOSIT, deposit, "call_off", by="time")
    deposit.decided_at = work.now
    collect = await queries.operation_for_update(work, f"{deposit.id}:collect:1")
    if collect.status in ("pending", "blocked") and collect.attempts == 0:
        outbox.withdraw(collect)
        end_unpaid(work, deposit)
    else:
        await _intend(work, deposit, "call_off", collect=collect.name)


def end_unpaid(work: UnitOfWork, deposit: Deposit) -> None:
    moved = move(DEPOSIT, deposit, "end_unpaid", by="provider")
    deposit.instructions = None
    tell(work, deposit, DepositCalledOff, moved)


async def _intend(work: UnitOfWork, deposit: Deposit, kind: str, **params: str) -> None:
    await outbox.intend(
        work,
        name=f"{deposit.id}:{kind}:1",
        kind=f"deposit_{kind}",
        org_id=deposit.bidder_id,
        subject_id=deposit.id,
        params=params,
    )
