"""Intending an effect, and waking what waits. The job only says "look at this operation"."""

from datetime import timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from services.kernel import jobs, timers
from services.kernel.ids import DealId, OrgId
from services.kernel.states import move
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.payments import queries
from services.payments.models import OPERATION, StripeOperation

JOB = "payments.operate"
SWEEP = "payments.unblock"
SWEEP_AFTER = timedelta(days=1)


async def intend(
    work: UnitOfWork,
    *,
    name: str,
    kind: str,
    org_id: str,
    subject_id: str,
    deal_id: DealId | None = None,
    params: dict[str, Any] | None = None,
) -> None:
    """Writes the operation and its job; once per name, however often it is called."""
    await work.session.flush()
    row = StripeOperation(
        name=name,
        kind=kind,
        org_id=OrgId(org_id),
        subject_id=subject_id,
        deal_id=deal_id,
        params=params or {},
        livemode=work.livemode,
        created_at=work.now,
    )
    statement = (
        insert(StripeOperation).values(row.model_dump()).on_conflict_do_nothing().returning(col(StripeOperation.name))
    )
    if (await work.session.execute(statement)).scalar_one_or_none() is not None:
        await look_at(work, row)


async def look_at(work: UnitOfWork, operation: StripeOperation, *, after: timedelta | None = None) -> None:
    """Has a worker try the operation, after a pause of real time."""
    await jobs.enqueue(work, JOB, {"operation_id": operation.name, "livemode": operation.livemode}, after=after)


async def block(work: UnitOfWork, operation: StripeOperation, reason: str) -> None:
    """Waits for the event that heals it, or for the daily sweep."""
    move(OPERATION, operation, "block", by="provider")
    operation.blocked_reason = reason
    await timers.schedule(work, SWEEP, operation.name, work.now + SWEEP_AFTER)


async def wake(work: UnitOfWork, org_id: str) -> None:
    """What waited for this organization's account is tried again."""
    for operation in await queries.blocked_operations_for_update(work, org_id):
        await _wake(work, operation)


@timer(SWEEP)
async def sweep(work: UnitOfWork, name: str) -> None:
    operation = await queries.operation_for_update(work, name)
    if operation.status == "blocked":
        await _wake(work, operation)


async def _wake(work: UnitOfWork, operation: StripeOperation) -> None:
    move(OPERATION, operation, "wake", by="time")
    operation.blocked_reason = None
    await look_at(work, operation)


def withdraw(operation: StripeOperation) -> None:
    """The reason is gone, and nothing has happened at the provider or will be found there by whoever withdraws it."""
    move(OPERATION, operation, "withdraw", by="time")
    operation.blocked_reason = None
