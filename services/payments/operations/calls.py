"""What is said to the provider, by kind of operation. From the second attempt on, each reads before it writes and
matches the operation's name on what it finds. No database transaction is open here.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from services.payments.gateway import Account, Gateway, GatewayRefused, Payment, Refund, Transfer
from services.payments.operations.attempts import Attempt

Result = Account | Payment | Transfer | Refund | None


class _Marked(Protocol):
    @property
    def op(self) -> str | None: ...


Found = TypeVar("Found", bound=_Marked)
_CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def _named(found: Iterable[Found], name: str) -> Found | None:
    return next((each for each in found if each.op == name), None)


async def open_account(gateway: Gateway, attempt: Attempt) -> Account:
    """Always under the first key: v2 answers a success again under it, and runs a failure again."""
    asked = attempt.operation.params
    return await gateway.create_account(
        op_key=attempt.operation.key,
        name=asked["name"],
        country=asked["country"],
        email=asked["email"],
        metadata_op=attempt.name,
    )


async def collect(gateway: Gateway, attempt: Attempt) -> Payment:
    """Two phases, because a confirm-on-create charges twice once its key has expired: created, its id saved, then
    confirmed.
    """
    intent = await _intent(gateway, attempt) if attempt.is_repeat else None
    if intent is None:
        intent = await gateway.create_payment(
            op_key=await attempt.key(),
            metadata_op=attempt.name,
            amount=attempt.subject.money,
            customer_account=attempt.subject.account_id,
            transfer_group=attempt.subject.order_id,
        )
    await attempt.save_intent(intent.id)
    if intent.status not in ("requires_confirmation", "requires_payment_method"):
        return intent
    return await _confirm(gateway, attempt, intent.id)


async def _confirm(gateway: Gateway, attempt: Attempt, intent_id: str) -> Payment:
    try:
        return await gateway.confirm_payment(op_key=f"{await attempt.key()}:confirm", intent_id=intent_id)
    except GatewayRefused as refused:
        if refused.code != "payment_intent_unexpected_state":
            raise
        return await gateway.payment(intent_id)


async def _intent(gateway: Gateway, attempt: Attempt) -> Payment | None:
    """By its id if that was saved, or by the name of the operation that was to create it."""
    subject = attempt.subject
    if subject.intent_id:
        return await gateway.payment(subject.intent_id)
    found = await gateway.find_payments(customer_account=subject.account_id, transfer_group=subject.order_id)
    return _named(found, attempt.operation.params.get("collect", attempt.name))


async def call_off(gateway: Gateway, attempt: Attempt) -> Payment | None:
    """None when the provider has never heard of the payment."""
    intent = await _intent(gateway, attempt) if attempt.subject.account_id else None
    if intent is None or intent.status not in _CANCELABLE:
        return intent
    try:
        return await gateway.cancel_payment(op_key=await attempt.key(), intent_id=intent.id)
    except GatewayRefused as refused:
        if refused.code != "payment_intent_unexpected_state":
            raise
        return await gateway.payment(intent.id)


async def transfer(gateway: Gateway, attempt: Attempt) -> Transfer:
    subject = attempt.subject
    found = _named(await gateway.find_transfers(subject.order_id), attempt.name) if attempt.is_repeat else None
    return found or await gateway.create_transfer(
        op_key=await attempt.key(),
        metadata_op=attempt.name,
        amount=subject.money,
        destination=subject.account_id,
        source_charge=subject.charge_id,
        transfer_group=subject.order_id,
    )


async def refund(gateway: Gateway, attempt: Attempt) -> Refund:
    intent_id = attempt.subject.intent_id
    assert intent_id is not None, "only what was collected is refunded"
    found = _named(await gateway.find_refunds(intent_id), attempt.name) if attempt.is_repeat else None
    return found or await gateway.create_refund(
        op_key=await attempt.key(),
        metadata_op=attempt.name,
        intent_id=intent_id,
        amount=attempt.subject.money,
        instructions_email=attempt.subject.email,
    )
