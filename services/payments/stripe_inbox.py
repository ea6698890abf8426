"""Stripe's events coming in: proven to be Stripe's, then stored; a job handles them later.

Snapshots (v1) and thin events (v2) come to different routes with secrets of their own; each parser refuses the other's
kind.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from stripe import SignatureVerificationError, WebhookSignature

from services.kernel import jobs
from services.kernel.actors import system
from services.kernel.errors import NotFound
from services.kernel.ids import DepositId
from services.kernel.jobs import Tools, job
from services.kernel.unit_of_work import UnitOfWork
from services.payments import collecting, connecting, queries, refunding
from services.payments.deposits import ending, securing
from services.payments.gateway import Gateway
from services.payments.models import Deposit, StripeEvent

JOB = "payments.stripe_event"
UNBOOKED_PAUSE = timedelta(seconds=2)
log = structlog.get_logger(__name__)
_TOLERANCE_SECONDS = 300


class UnprovenStripeEvent(Exception):
    """`signature`: unsigned, tampered, older than 300 s or another's secret. `malformed`: signed, but no such event."""

    def __init__(self, reason: Literal["signature", "malformed"], detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """`object_id` and `object_kind` name what the event is about (`tr_…`, `transfer`): a hint where to look.

    `api_version` is None on thin events; `account` is the connected account or context, None for our own.
    """

    id: str
    type: str
    created: datetime
    api_version: str | None
    account: str | None
    livemode: bool
    object_id: str | None
    object_kind: str | None
    is_thin: bool


def parse_snapshot(payload: bytes, header: str | None, secrets: Sequence[str]) -> ReceivedEvent:
    """A v1 event signed with any one of `secrets`; UnprovenStripeEvent otherwise."""
    body = _proven(payload, header, secrets, kind="event")
    try:
        about = body["data"]["object"]
        return ReceivedEvent(
            id=str(body["id"]),
            type=str(body["type"]),
            created=datetime.fromtimestamp(body["created"], UTC),
            api_version=body.get("api_version"),
            account=body.get("account"),
            livemode=bool(body["livemode"]),
            object_id=about.get("id"),
            object_kind=about.get("object"),
            is_thin=False,
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UnprovenStripeEvent("malformed", f"a snapshot event without {error}") from error


def parse_thin(payload: bytes, header: str | None, secrets: Sequence[str]) -> ReceivedEvent:
    """A v2 event notification signed with any one of `secrets`; UnprovenStripeEvent otherwise."""
    body = _proven(payload, header, secrets, kind="v2.core.event")
    try:
        about = body.get("related_object") or {}
        return ReceivedEvent(
            id=str(body["id"]),
            type=str(body["type"]),
            created=datetime.fromisoformat(body["created"]),
            api_version=None,
            account=body.get("context"),
            livemode=bool(body["livemode"]),
            object_id=about.get("id"),
            object_kind=about.get("type"),
            is_thin=True,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnprovenStripeEvent("malformed", f"a thin event without {error}") from error


def _proven(payload: bytes, header: str | None, secrets: Sequence[str], *, kind: str) -> dict[str, Any]:
    if not any(_is_signed(payload, header, secret) for secret in secrets):
        raise UnprovenStripeEvent("signature", "no secret of this route signed this body within 300 seconds")
    try:
        body = json.loads(payload)
    except ValueError as error:
        raise UnprovenStripeEvent("malformed", "the body is not JSON") from error
    if not isinstance(body, dict) or body.get("object") != kind:
        raise UnprovenStripeEvent("malformed", f"this route takes objects of the kind {kind}")
    return body


def _is_signed(payload: bytes, header: str | None, secret: str) -> bool:
    try:
        WebhookSignature.verify_header(payload, header, secret, _TOLERANCE_SECONDS)
    except (SignatureVerificationError, ValueError, TypeError):  # TypeError: a header beyond ASCII
        return False
    return True


async def store(work: UnitOfWork, event: ReceivedEvent, body: bytes) -> bool:
    """Keeps the message and has it handled once this commits; False for one that is here already."""
    row = StripeEvent(
        id=event.id,
        type=event.type,
        told_at=event.created,
        api_version=event.api_version,
        account=event.account,
        object_id=event.object_id,
        object_kind=event.object_kind,
        is_thin=event.is_thin,
        body=body,
        livemode=event.livemode,
        created_at=work.now,
    )
    statement = insert(StripeEvent).values(row.model_dump()).on_conflict_do_nothing().returning(col(StripeEvent.id))
    if (await work.session.execute(statement)).scalar_one_or_none() is None:
        return False
    await jobs.enqueue(work, JOB, {"event_id": event.id, "livemode": event.livemode})
    return True


@job(JOB)
async def handle(tools: Tools, payload: dict[str, Any]) -> None:
    """The message is a hint: what it is about is read again, then applied. Safe to run twice, in any order."""
    async with UnitOfWork(tools.sessions, system(payload["livemode"])) as work:
        event = await queries.stripe_event(work, payload["event_id"])
    if event.status == "received":
        apply = HANDLERS.get(event.object_kind or "", _ignore)
        await apply(tools, event)


def _unit_of_work(tools: Tools, event: StripeEvent) -> UnitOfWork:
    return UnitOfWork(tools.sessions, system(event.livemode), cause=f"stripe:{event.id}")


async def _end(work: UnitOfWork, event: StripeEvent, status: str) -> None:
    """`handled`; `ignored` for what is not about us; `received` to be tried again once the provider has booked it."""
    row = await queries.stripe_event(work, event.id)
    if status == "received":
        await jobs.enqueue(work, JOB, {"event_id": event.id, "livemode": event.livemode}, after=UNBOOKED_PAUSE)
        return
    row.status, row.handled_at = status, work.now


async def _ignore(tools: Tools, event: StripeEvent) -> None:
    log.info("stripe event ignored", type=event.type, id=event.id)
    async with _unit_of_work(tools, event) as work:
        await _end(work, event, "ignored")


async def _on_intent(tools: Tools, event: StripeEvent) -> None:
    await _apply_intent(tools, event, event.object_id)


async def _on_charge(tools: Tools, event: StripeEvent) -> None:
    await _apply_intent(tools, event, json.loads(event.body)["data"]["object"].get("payment_intent"))


async def _apply_intent(tools: Tools, event: StripeEvent, intent_id: str | None) -> None:
    if intent_id is None:
        await _ignore(tools, event)
        return
    found = await _gateway(tools).payment(intent_id)
    async with _unit_of_work(tools, event) as work:
        deposit = await _deposit_of(work, found.id, found.op)
        if deposit is not None:
            is_booked = await securing.mirror(work, deposit, found)
            await _end(work, event, "handled" if is_booked else "received")
            return
        payment = await queries.payment_of_intent(work, intent_id)
        payment_id = payment.id if payment else await _subject_of(work, found.op)
        if payment_id is None:
            await _end(work, event, "ignored")
            return
        deal = await queries.deal_for_update(work, (await queries.payment(work, payment_id)).deal_id)
        is_booked = await collecting.mirror(work, deal, await queries.payment(work, payment_id), found)
        await _end(work, event, "handled" if is_booked else "received")


async def _on_refund(tools: Tools, event: StripeEvent) -> None:
    found = await _gateway(tools).refund(str(event.object_id))
    async with _unit_of_work(tools, event) as work:
        deposit = await _deposit_of(work, found.id, found.op)
        if deposit is not None:
            is_booked = await ending.returned(work, deposit, found)
            await _end(work, event, "handled" if is_booked else "received")
            return
        refund = await queries.refund_of_object(work, found.id)
        refund_id = refund.id if refund else await _subject_of(work, found.op)
        if refund_id is None:
            await _end(work, event, "ignored")
            return
        deal = await queries.deal_for_update(work, (await queries.refund(work, refund_id)).deal_id)
        is_booked = await refunding.mirror(work, deal, await queries.refund(work, refund_id), found)
        await _end(work, event, "handled" if is_booked else "received")


async def _deposit_of(work: UnitOfWork, object_id: str, op: str | None) -> Deposit | None:
    known = await queries.deposit_of_object(work, object_id)
    if known is not None:
        return known
    subject_id = await _subject_of(work, op)
    is_deposits = subject_id is not None and subject_id.startswith(DepositId.prefix)
    return await queries.deposit_for_update(work, str(subject_id)) if is_deposits else None


async def _subject_of(work: UnitOfWork, op: str | None) -> str | None:
    """The event may be faster than the answer that brings the object's id: then the operation's name on the object
    tells.
    """
    try:
        return (await queries.operation(work, op)).subject_id if op else None
    except NotFound:
        return None


async def _on_account(tools: Tools, event: StripeEvent) -> None:
    found = await _gateway(tools).account(str(event.object_id))
    async with _unit_of_work(tools, event) as work:
        account = await queries.payout_account_of_object(work, found.id)
        if account is None and found.op:
            account = await queries.payout_account_for_update(work, found.op.partition(":")[0])
        if account is None:
            await _end(work, event, "ignored")
            return
        await connecting.mirror(work, account, found)
        await _end(work, event, "handled")


def _gateway(tools: Tools) -> Gateway:
    gateway: Gateway = tools.resources["gateway"]
    return gateway


HANDLERS: dict[str, Callable[[Tools, StripeEvent], Awaitable[None]]] = {
    "payment_intent": _on_intent,
    "charge": _on_charge,
    "refund": _on_refund,
    "v2.core.account": _on_account,
}
"""By the kind of object a message is about."""
