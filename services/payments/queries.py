"""Every SELECT of the context. What is missing, foreign or of the other environment is NotFound."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import DealId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.payments import ledger
from services.payments.models import (
    Deal,
    DealFacts,
    Deposit,
    Payment,
    PayoutAccount,
    Refund,
    StripeEvent,
    StripeOperation,
    Transfer,
)
from services.payments.models.deposits import UNDER_WAY
from services.payments.models.outbox import ENDED, OF_DEPOSITS

T = TypeVar("T")


def visible_to(actor: Actor) -> Select[Deal]:
    """The deals an actor is a side of; all of them for an operator. A carrier is not a side."""
    query = select(Deal).where(col(Deal.livemode) == actor.livemode)
    if actor.is_operator:
        return query
    return query.where(or_(col(Deal.seller_id) == actor.org_id, col(Deal.buyer_id) == actor.org_id))


def of_order(order_id: str) -> ColumnElement[bool]:
    return col(Deal.order_id) == order_id


async def visible_deal(work: UnitOfWork, deal_id: str, actor: Actor) -> Deal:
    return await _one(work, visible_to(actor).where(col(Deal.id) == deal_id), "deal", deal_id)


async def deal_of(work: UnitOfWork, order_id: str) -> Deal:
    return await _one(work, _deals(work).where(col(Deal.order_id) == order_id), "deal of order", order_id)


async def deal_of_for_update(work: UnitOfWork, order_id: str) -> Deal:
    return await _one(work, _locked(_deals(work).where(col(Deal.order_id) == order_id)), "deal of order", order_id)


async def deal_for_update(work: UnitOfWork, deal_id: str) -> Deal:
    return await _one(work, _locked(_deals(work).where(col(Deal.id) == deal_id)), "deal", deal_id)


async def payments_of(work: UnitOfWork, deal_id: str) -> Sequence[Payment]:
    """In the order in which they are spent. Locked by their deal."""
    query = select(Payment).where(col(Payment.deal_id) == deal_id).order_by(col(Payment.position))
    return await _all(work, query)


async def transfers_of(work: UnitOfWork, deal_id: str) -> Sequence[Transfer]:
    return await _all(work, select(Transfer).where(col(Transfer.deal_id) == deal_id).order_by(col(Transfer.id)))


async def refunds_of(work: UnitOfWork, deal_id: str) -> Sequence[Refund]:
    return await _all(work, select(Refund).where(col(Refund.deal_id) == deal_id).order_by(col(Refund.id)))


async def movements(
    work: UnitOfWork, deal_ids: Sequence[str]
) -> dict[str, tuple[list[Payment], list[Transfer], list[Refund]]]:
    """Payments, transfers and refunds by deal, in three queries for any number of deals."""
    found: dict[str, tuple[list[Payment], list[Transfer], list[Refund]]] = {id: ([], [], []) for id in deal_ids}
    payments = select(Payment).where(col(Payment.deal_id).in_(deal_ids)).order_by(col(Payment.position))
    transfers = select(Transfer).where(col(Transfer.deal_id).in_(deal_ids)).order_by(col(Transfer.id))
    refunds = select(Refund).where(col(Refund.deal_id).in_(deal_ids)).order_by(col(Refund.id))
    for payment in await _all(work, payments):
        found[payment.deal_id][0].append(payment)
    for transfer in await _all(work, transfers):
        found[transfer.deal_id][1].append(transfer)
    for refund in await _all(work, refunds):
        found[refund.deal_id][2].append(refund)
    return found


async def payment(work: UnitOfWork, payment_id: str) -> Payment:
    return await _one(work, _fresh(select(Payment).where(col(Payment.id) == payment_id)), "payment", payment_id)


async def transfer(work: UnitOfWork, transfer_id: str) -> Transfer:
    return await _one(work, _fresh(select(Transfer).where(col(Transfer.id) == transfer_id)), "transfer", transfer_id)


async def refund(work: UnitOfWork, refund_id: str) -> Refund:
    return await _one(work, _fresh(select(Refund).where(col(Refund.id) == refund_id)), "refund", refund_id)


async def payment_of_intent(work: UnitOfWork, intent_id: str) -> Payment | None:
    query = select(Payment).where(col(Payment.intent_id) == intent_id, col(Payment.livemode) == work.livemode)
    return (await work.session.execute(query)).scalar_one_or_none()


async def refund_of_object(work: UnitOfWork, stripe_id: str) -> Refund | None:
    query = select(Refund).where(col(Refund.stripe_id) == stripe_id, col(Refund.livemode) == work.livemode)
    return (await work.session.execute(query)).scalar_one_or_none()


async def charged(work: UnitOfWork, deal_id: str) -> list[Payment]:
    """Payments whose money has arrived."""
    return [payment for payment in await payments_of(work, deal_id) if payment.collected_at]


def deposits_visible_to(actor: Actor) -> Select[Deposit]:
    """The bidder's own; the seller's once they are forfeited to it; all of them for an operator."""
    query = select(Deposit).where(col(Deposit.livemode) == actor.livemode)
    if actor.is_operator:
        return query
    is_sellers = and_(col(Deposit.seller_id) == actor.org_id, col(Deposit.status) == "forfeited")
    return query.where(or_(col(Deposit.bidder_id) == actor.org_id, is_sellers))


async def visible_deposit(work: UnitOfWork, deposit_id: str, actor: Actor) -> Deposit:
    return await _one(work, deposits_visible_to(actor).where(col(Deposit.id) == deposit_id), "deposit", deposit_id)


async def deposit_for_update(work: UnitOfWork, deposit_id: str) -> Deposit:
    return await _one(work, _locked(_deposits(work).where(col(Deposit.id) == deposit_id)), "deposit", deposit_id)


async def deposit_under_way(work: UnitOfWork, listing_id: str, bidder_id: str) -> Deposit | None:
    """Asked for, being called off, or secured: at most one."""
    query = _of_listing(work, listing_id, *UNDER_WAY).where(col(Deposit.bidder_id) == bidder_id)
    return (await work.session.execute(query)).scalar_one_or_none()


async def undecided_deposits_for_update(work: UnitOfWork, listing_id: str) -> Sequence[Deposit]:
    """Of the listing, locked in the order of their ids."""
    query = _of_listing(work, listing_id, "pending", "secured").order_by(col(Deposit.id))
    return await _all(work, _locked(query))


async def is_secured(work: UnitOfWork, listing_id: str, bidder_id: str) -> bool:
    query = _of_listing(work, listing_id, "secured").where(col(Deposit.bidder_id) == bidder_id)
    return (await work.session.execute(query)).scalar_one_or_none() is not None


async def deposit_of_object(work: UnitOfWork, stripe_id: str) -> Deposit | None:
    """By its intent, its refund or its transfer at the provider; locked."""
    ids = (col(Deposit.intent_id), col(Deposit.paid_id))
    query = _locked(_deposits(work).where(or_(*(column == stripe_id for column in ids))))
    return (await work.session.execute(query)).scalar_one_or_none()


async def facts_of(work: UnitOfWork, deal: Deal) -> DealFacts:
    """What the machine's guards ask."""
    collected = sum(payment.amount_minor for payment in await charged(work, deal.id))
    hold = await ledger.credit(work, ledger.deal_hold(deal.order_id), deal.currency)
    open_ones = col(StripeOperation.deal_id) == deal.id, col(StripeOperation.status).not_in(ENDED)
    unfinished = col(Refund.deal_id) == deal.id, col(Refund.status) != "succeeded"
    owed = [
        await ledger.balance(work, ledger.receivable(org), deal.currency) for org in (deal.seller_id, deal.buyer_id)
    ]
    return DealFacts(
        collected=collected,
        hold=hold.minor,
        open_operations=await _count(work, StripeOperation.name, *open_ones),
        unfinished_refunds=await _count(work, Refund.id, *unfinished),
        receivable=sum(money.minor for money in owed),
    )


async def next_number(work: UnitOfWork, table: type[Transfer] | type[Refund], deal_id: DealId) -> int:
    """Counts up the operations of one kind and deal; the deal must be locked."""
    return await _count(work, table.id, col(table.deal_id) == deal_id) + 1


async def operation(work: UnitOfWork, name: str) -> StripeOperation:
    query = select(StripeOperation).where(
        col(StripeOperation.name) == name, col(StripeOperation.livemode) == work.livemode
    )
    return await _one(work, query, "operation", name)


async def operation_for_update(work: UnitOfWork, name: str) -> StripeOperation:
    """Locks its deal or deposit first, as every verb does, so that two never wait for each other."""
    known = await operation(work, name)
    if known.deal_id is not None:
        await deal_for_update(work, known.deal_id)
    elif known.kind in OF_DEPOSITS:
        await deposit_for_update(work, known.subject_id)
    query = select(StripeOperation).where(col(StripeOperation.name) == name)
    return await _one(work, _locked(query), "operation", name)


async def collect_operation_for_update(work: UnitOfWork, payment_id: str) -> StripeOperation:
    query = select(StripeOperation).where(
        col(StripeOperation.subject_id) == payment_id, col(StripeOperation.kind) == "collect"
    )
    return await _one(work, _locked(query), "operation of payment", payment_id)


async def blocked_operations_for_update(work: UnitOfWork, org_id: str) -> Sequence[StripeOperation]:
    query = select(StripeOperation).where(
        col(StripeOperation.org_id) == org_id,
        col(StripeOperation.status) == "blocked",
        col(StripeOperation.livemode) == work.livemode,
    )
    return await _all(work, _locked(query.order_by(col(StripeOperation.name))))


async def payout_account(work: UnitOfWork, org_id: str) -> PayoutAccount | None:
    return (await work.session.execute(_accounts(work, col(PayoutAccount.org_id) == org_id))).scalar_one_or_none()


async def payout_account_for_update(work: UnitOfWork, org_id: str) -> PayoutAccount | None:
    query = _locked(_accounts(work, col(PayoutAccount.org_id) == org_id))
    return (await work.session.execute(query)).scalar_one_or_none()


async def payout_account_of_object(work: UnitOfWork, stripe_id: str) -> PayoutAccount | None:
    query = _locked(_accounts(work, col(PayoutAccount.stripe_id) == stripe_id))
    return (await work.session.execute(query)).scalar_one_or_none()


async def payout_status(work: UnitOfWork, org_id: OrgId) -> str:
    """`none`, requested, created, link_issued, pending_requirements, active, restricted or closed; only `active` can be
    paid.
    """
    found = await payout_account(work, org_id)
    return "none" if found is None else found.status


async def stripe_event(work: UnitOfWork, event_id: str) -> StripeEvent:
    return await _one(work, _locked(select(StripeEvent).where(col(StripeEvent.id) == event_id)), "event", event_id)


def _deals(work: UnitOfWork) -> Select[Deal]:
    return select(Deal).where(col(Deal.livemode) == work.livemode)


def _deposits(work: UnitOfWork) -> Select[Deposit]:
    return select(Deposit).where(col(Deposit.livemode) == work.livemode)


def _of_listing(work: UnitOfWork, listing_id: str, *statuses: str) -> Select[Deposit]:
    return _deposits(work).where(col(Deposit.listing_id) == listing_id, col(Deposit.status).in_(statuses))


def _accounts(work: UnitOfWork, condition: ColumnElement[bool]) -> Select[PayoutAccount]:
    return select(PayoutAccount).where(condition, col(PayoutAccount.livemode) == work.livemode)


def _fresh(query: Select[T]) -> Select[T]:
    return query.execution_options(populate_existing=True)


def _locked(query: Select[T]) -> Select[T]:
    return _fresh(query.with_for_update())


async def _count(work: UnitOfWork, column: Any, *conditions: ColumnElement[bool]) -> int:
    return int((await work.session.execute(select(func.count(column)).where(*conditions))).scalar_one())


async def _all(work: UnitOfWork, query: Select[T]) -> Sequence[T]:
    return (await work.session.execute(query)).scalars().all()


async def _one(work: UnitOfWork, query: Select[T], thing: str, id: str) -> T:
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(thing, id)
    return row
