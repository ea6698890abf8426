"""The job that works one operation off: lock, claim and commit, call, record and commit."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from services.kernel import clock
from services.kernel.actors import system
from services.kernel.jobs import Tools, job
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import collecting, connecting, finishing, paying_out, queries, refunding
from services.payments.deposits import ending, securing
from services.payments.gateway import (
    Account,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    Payment,
    Refund,
    Transfer,
)
from services.payments.models import OPERATION, PAYMENT, Deposit, StripeOperation
from services.payments.models.outbox import OF_DEPOSITS
from services.payments.operations import attempts, calls, outbox
from services.payments.operations.attempts import Attempt
from services.payments.operations.calls import Result
from services.payments.operations.locks import alone

LONGEST_PAUSE = 300.0
"""Seconds between two attempts, at most."""

log = structlog.get_logger(__name__)

CALLS: dict[str, Callable[[Gateway, Attempt], Awaitable[Result]]] = {
    "open_account": calls.open_account,
    "collect": calls.collect,
    "call_off": calls.call_off,
    "transfer": calls.transfer,
    "refund": calls.refund,
    "deposit_collect": calls.collect,
    "deposit_call_off": calls.call_off,
    "deposit_transfer": calls.transfer,
    "deposit_refund": calls.refund,
}


@job(outbox.JOB)
async def operate(tools: Tools, payload: dict[str, Any]) -> None:
    """Safe to run twice and to be killed anywhere: the row says how far it came."""
    name, livemode = payload["operation_id"], payload["livemode"]
    async with UnitOfWork(tools.sessions, system(livemode)) as work:
        subject_id = (await queries.operation(work, name)).subject_id
    async with alone(tools.sessions, subject_id) as sessions:
        attempt = await attempts.claim(sessions, name, livemode=livemode)
        if attempt is not None:
            await _try(tools.resources["gateway"], attempt)


async def _try(gateway: Gateway, attempt: Attempt) -> None:
    try:
        result = await CALLS[attempt.operation.kind](gateway, attempt)
    except GatewayUnavailable as error:
        await _postpone(attempt, str(error), is_key_spent=error.is_server_error)
    except GatewayRefused as error:
        await _refused(attempt, error)
    else:
        await _record(attempt, result)


async def _postpone(attempt: Attempt, why: str, *, is_key_spent: bool) -> None:
    async with attempt.unit_of_work() as work:
        operation = await queries.operation_for_update(work, attempt.name)
        move(OPERATION, operation, "postpone", by="provider")
        operation.is_key_spent = operation.is_key_spent or is_key_spent
        operation.last_error = why[:500]
        await _later(work, operation)


async def _later(work: UnitOfWork, operation: StripeOperation) -> None:
    pause = timedelta(seconds=min(0.5 * 2**operation.attempts, LONGEST_PAUSE) * random.uniform(0.8, 1.2))
    operation.not_before = await clock.market_now(work.session, livemode=True) + pause
    await outbox.look_at(work, operation, after=pause)


async def _refused(attempt: Attempt, error: GatewayRefused) -> None:
    async with attempt.unit_of_work() as work:
        operation = await queries.operation_for_update(work, attempt.name)
        operation.is_key_spent = True
        operation.last_error = str(error)[:500]
        if error.kind == "permanent":
            await _give_up(work, operation, error.code)
        else:
            await attempts.refuse(work, operation, error.kind)


async def _give_up(work: UnitOfWork, operation: StripeOperation, code: str) -> None:
    """Nothing of ours will heal it: a person decides, and whoever waits for the money hears why."""
    log.error("the provider refuses an operation for good", operation=operation.name, code=code)
    move(OPERATION, operation, "give_up", by="provider")
    if operation.kind in OF_DEPOSITS:
        _give_up_on_deposit(work, operation, await queries.deposit_for_update(work, operation.subject_id), code)
    if operation.deal_id is None:
        return
    deal = await queries.deal_for_update(work, operation.deal_id)
    if operation.kind == "collect":
        move(PAYMENT, await queries.payment(work, operation.subject_id), "failed", by="provider")
        await collecting.failed(work, deal, code)
    elif operation.kind == "transfer":
        paying_out.blocked(work, deal, await queries.transfer(work, operation.subject_id), code)
    elif operation.kind == "refund":
        refunding.refused(work, deal, await queries.refund(work, operation.subject_id), code)


def _give_up_on_deposit(work: UnitOfWork, operation: StripeOperation, deposit: Deposit, code: str) -> None:
    if operation.kind == "deposit_collect":
        securing.failed(work, deposit, code)
    else:
        ending.stuck(deposit, code)


async def _record(attempt: Attempt, result: Result) -> None:
    """What the provider answered; what it has not booked yet is read again later."""
    async with attempt.unit_of_work() as work:
        operation = await queries.operation_for_update(work, attempt.name)
        move(OPERATION, operation, "finish", by="provider")
        operation.stripe_id = result.id if result else None
        operation.last_error, operation.not_before = None, None
        if not await RECORDERS[operation.kind](work, operation, result):
            await _reopen(work, operation)


async def _reopen(work: UnitOfWork, operation: StripeOperation) -> None:
    move(OPERATION, operation, "reopen", by="provider")
    operation.last_error = "not booked yet"
    await _later(work, operation)


async def _opened(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Account)
    account = await queries.payout_account_for_update(work, operation.subject_id)
    assert account is not None, "an account is opened for a row"
    await connecting.opened(work, account, result)
    return True


async def _confirmed(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Payment)
    payment = await queries.payment(work, operation.subject_id)
    deal = await queries.deal_for_update(work, payment.deal_id)
    return await collecting.mirror(work, deal, payment, result)


async def _called_off(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert result is None or isinstance(result, Payment)
    payment = await queries.payment(work, operation.subject_id)
    deal = await queries.deal_for_update(work, payment.deal_id)
    is_complete = await collecting.called_off(work, deal, payment, result)
    if is_complete:
        await finishing.try_finish(work, deal)
    return is_complete


async def _transferred(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Transfer)
    transfer = await queries.transfer(work, operation.subject_id)
    deal = await queries.deal_for_update(work, transfer.deal_id)
    return await paying_out.transferred(work, deal, transfer, result)


async def _refunded(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Refund)
    refund = await queries.refund(work, operation.subject_id)
    deal = await queries.deal_for_update(work, refund.deal_id)
    return await refunding.mirror(work, deal, refund, result)


async def _deposit_collected(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Payment)
    return await securing.mirror(work, await queries.deposit_for_update(work, operation.subject_id), result)


async def _deposit_called_off(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert result is None or isinstance(result, Payment)
    return await securing.called_off(work, await queries.deposit_for_update(work, operation.subject_id), result)


async def _deposit_paid_out(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Transfer)
    return await ending.paid_out(work, await queries.deposit_for_update(work, operation.subject_id), result)


async def _deposit_returned(work: UnitOfWork, operation: StripeOperation, result: Result) -> bool:
    assert isinstance(result, Refund)
    return await ending.returned(work, await queries.deposit_for_update(work, operation.subject_id), result)


RECORDERS: dict[str, Callable[[UnitOfWork, StripeOperation, Result], Awaitable[bool]]] = {
    "open_account": _opened,
    "collect": _confirmed,
    "call_off": _called_off,
    "transfer": _transferred,
    "refund": _refunded,
    "deposit_collect": _deposit_collected,
    "deposit_call_off": _deposit_called_off,
    "deposit_transfer": _deposit_paid_out,
    "deposit_refund": _deposit_returned,
}
