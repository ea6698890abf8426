"""One attempt: what it needs is read and claimed in one transaction, before anything is said to the provider."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel import clock
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.money import Money
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.payments import paying_out, queries
from services.payments.deposits import ending
from services.payments.models import OPERATION, PAYMENT, StripeOperation
from services.payments.models.outbox import OF_DEPOSITS
from services.payments.operations import outbox

KEYS_LIVE = timedelta(hours=23)
"""The provider may forget an idempotency key after 24 hours: from here on, read and go on under a new one."""


class Blocked(Exception):
    """It cannot be done now; `reason` says what heals it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Pointless(Exception):
    """The reason for it is gone."""


@dataclass(frozen=True)
class Subject:
    """What the call is about, as it stood when the attempt was claimed."""

    account_id: str = ""
    amount: Money | None = None
    order_id: str = ""
    intent_id: str | None = None
    charge_id: str | None = None
    email: str = ""

    @property
    def money(self) -> Money:
        assert self.amount is not None
        return self.amount


@dataclass
class Attempt:
    """A claimed operation. `is_repeat`: an earlier attempt may have had its effect, so read before writing."""

    sessions: Sessions
    operation: StripeOperation
    subject: Subject
    is_repeat: bool
    needs_new_key: bool

    @property
    def name(self) -> str:
        return self.operation.name

    def unit_of_work(self) -> UnitOfWork:
        actor = system(self.operation.livemode)
        return UnitOfWork(self.sessions, actor, cause=f"operation:{self.name}")

    async def key(self) -> str:
        """The idempotency key to write under; call it once it is known that the effect is absent. A new generation is
        committed before it is used.
        """
        if self.needs_new_key:
            async with self.unit_of_work() as work:
                operation = await queries.operation_for_update(work, self.name)
                operation.generation += 1
                operation.is_key_spent = False
                operation.first_attempt_at = await _real_now(work)
                self.operation = operation
            self.needs_new_key = False
        return self.operation.key

    async def save_intent(self, intent_id: str) -> None:
        """Between the two phases of collecting: from here on the intent is found by its id."""
        async with self.unit_of_work() as work:
            operation = await queries.operation_for_update(work, self.name)
            of = queries.deposit_for_update if operation.kind in OF_DEPOSITS else queries.payment
            (await of(work, operation.subject_id)).intent_id = intent_id
            operation.stripe_id = intent_id


async def claim(sessions: Sessions, name: str, *, livemode: bool) -> Attempt | None:
    """None when there is nothing to do (any more, or yet)."""
    async with UnitOfWork(sessions, system(livemode), cause=f"operation:{name}") as work:
        operation = await queries.operation_for_update(work, name)
        if operation.status not in ("pending", "sending"):
            return None
        now = await _real_now(work)
        if operation.not_before and operation.not_before > now:
            await outbox.look_at(work, operation, after=operation.not_before - now)
            return None
        move(OPERATION, operation, "claim", by="time")
        try:
            subject = await _SUBJECTS[operation.kind](work, operation)
        except Pointless:
            outbox.withdraw(operation)
            return None
        except Blocked as blocked:
            await refuse(work, operation, blocked.reason)
            return None
        return _attempt(sessions, operation, subject, now)


def _attempt(sessions: Sessions, operation: StripeOperation, subject: Subject, now: datetime) -> Attempt:
    is_repeat = operation.attempts > 0
    operation.attempts += 1
    operation.first_attempt_at = operation.first_attempt_at or now
    is_old = now - operation.first_attempt_at > KEYS_LIVE
    return Attempt(sessions, operation, subject, is_repeat, operation.is_key_spent or is_old)


async def _real_now(work: UnitOfWork) -> datetime:
    """Retries and keys live in real time, whatever the sandbox's clock says."""
    return await clock.market_now(work.session, livemode=True)


async def refuse(work: UnitOfWork, operation: StripeOperation, reason: str) -> None:
    """Blocks the operation and tells who waits for the money."""
    await outbox.block(work, operation, reason)
    if operation.kind == "transfer" and operation.deal_id:
        deal = await queries.deal_for_update(work, operation.deal_id)
        paying_out.blocked(work, deal, await queries.transfer(work, operation.subject_id), reason)
    elif operation.kind in OF_DEPOSITS:
        ending.stuck(await queries.deposit_for_update(work, operation.subject_id), reason)


async def _account_subject(work: UnitOfWork, operation: StripeOperation) -> Subject:
    return Subject()


async def _collect_subject(work: UnitOfWork, operation: StripeOperation) -> Subject:
    payment = await queries.payment(work, operation.subject_id)
    deal = await queries.deal_for_update(work, payment.deal_id)
    if deal.status in ("cancelling", "cancelled") and operation.attempts == 0:
        move(PAYMENT, payment, "canceled", by="provider")
    if deal.status in ("cancelling", "cancelled"):
        raise Pointless
    account = await queries.payout_account(work, payment.payer_id)
    if account is None or account.stripe_id is None:
        raise Blocked("account_missing")
    return Subject(account.stripe_id, payment.amount, deal.order_id, payment.intent_id)


async def _call_off_subject(work: UnitOfWork, operation: StripeOperation) -> Subject:
    payment = await queries.payment(work, operation.subject_id)
    deal = await queries.deal_for_update(work, payment.deal_id)
    account = await queries.payout_account(work, payment.payer_id)
    account_id = account.stripe_id if account and account.stripe_id else ""
    return Subject(account_id, payment.amount, deal.order_id, payment.intent_id)


async def _transfer_subject(work: UnitOfWork, operation: StripeOperation) -> Subject:
    transfer = await queries.transfer(work, operation.subject_id)
    deal = await queries.deal_for_update(work, transfer.deal_id)
    account = await queries.payout_account(work, transfer.payee_id)
    if account is None or account.stripe_id is None or account.status != "active":
        raise Blocked("account_restricted")
    charge = await queries.payment(work, transfer.payment_id) if transfer.payment_id else None
    return Subject(account.stripe_id, transfer.amount, deal.order_id, charge_id=charge.charge_id if charge else None)


async def _refund_subject(work: UnitOfWork, operation: StripeOperation) -> Subject:
    refund = await queries.refund(work, operation.subject_id)
    payment = await queries.payment(work, refund.payment_id)
    payer = await parties.organization(work, refund.payer_id)
    return Subject(amount=refund.amount, intent_id=payment.intent_id, email=payer.contact_email)


async def _deposit_subject(work: UnitOfWork, operation: StripeOperation) -> Subject:
    """What is sent is found by the deposit's id, as what belongs to an order is by the order's."""
    deposit = await queries.deposit_for_update(work, operation.subject_id)
    account = await queries.payout_account(work, operation.org_id)
    is_to_transfer = operation.kind == "deposit_transfer"
    if operation.kind == "deposit_collect" and deposit.status != "pending":
        raise Pointless
    if operation.kind == "deposit_collect" and (account is None or account.stripe_id is None):
        raise Blocked("account_missing")
    if is_to_transfer and (account is None or account.status != "active"):
        raise Blocked("account_restricted")
    bidder = await parties.organization(work, deposit.bidder_id)
    return Subject(
        account_id=(account.stripe_id if account else None) or "",
        amount=deposit.amount,
        order_id=deposit.id,
        intent_id=deposit.intent_id,
        charge_id=deposit.charge_id,
        email=bidder.contact_email,
    )


_SUBJECTS = {
    "open_account": _account_subject,
    "collect": _collect_subject,
    "call_off": _call_off_subject,
    "transfer": _transfer_subject,
    "refund": _refund_subject,
} | dict.fromkeys(OF_DEPOSITS, _deposit_subject)
