"""Every SELECT of orders. Locks are taken listing first, then bid, then orders."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import BidId, ListingId, OrderId, PickupId, ReceiptId, RemainderId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.orders.models import (
    Award,
    ExpectedDelivery,
    Obligation,
    Order,
    OrderLine,
    Receipt,
    ReceiptLine,
    Remainder,
)
from services.parties.policy import within_its_sites
from services.pickups.models import PickupJob

T = TypeVar("T")


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Seller and buyer; a carrier sees no orders."""
    if actor.is_operator:
        return true()
    if actor.org_id is None:
        return false()
    is_party = or_(col(Order.seller_id) == actor.org_id, col(Order.buyer_id) == actor.org_id)
    return and_(is_party, *within_its_sites(actor, col(Order.from_site_id), col(Order.to_site_id)))


def orders_visible_to(actor: Actor) -> Select[Order]:
    return select(Order).where(col(Order.livemode) == actor.livemode, visible_to(actor))


async def visible_order(work: UnitOfWork, order_id: OrderId, actor: Actor) -> Order:
    """NotFound for whoever may not see it."""
    return await _one(work, orders_visible_to(actor).where(col(Order.id) == order_id), "order", order_id)


async def visible_orders(work: UnitOfWork, ids: Collection[str], actor: Actor) -> Sequence[Order]:
    """Those of them that the actor may see."""
    return await _all(work, orders_visible_to(actor).where(col(Order.id).in_(ids)))


async def visible_order_for_update(
    work: UnitOfWork, order_id: OrderId, actor: Actor, check_version: CheckVersion = any_version
) -> Order:
    query = _locked(orders_visible_to(actor).where(col(Order.id) == order_id))
    order: Order = await _one(work, query, "order", order_id)
    check_version(order.version)
    return order


async def order(work: UnitOfWork, order_id: str) -> Order:
    """For verbs of other contexts: nobody's view in particular."""
    return await _one(work, _orders(work).where(col(Order.id) == order_id), "order", order_id)


async def order_for_update(work: UnitOfWork, order_id: str) -> Order:
    return await _one(work, _locked(_orders(work).where(col(Order.id) == order_id)), "order", order_id)


async def orders_of(work: UnitOfWork, ids: Collection[str]) -> dict[str, Order]:
    """By id; ids that are not here are left out."""
    return {one.id: one for one in await _all(work, _orders(work).where(col(Order.id).in_(ids)))}


async def orders_of_listing(work: UnitOfWork, listing_id: ListingId) -> Sequence[Order]:
    return await _all(work, _orders(work).where(col(Order.listing_id) == listing_id).order_by(col(Order.id)))


async def lines(work: UnitOfWork, order_id: str) -> Sequence[OrderLine]:
    """In the order of the terms."""
    query = select(OrderLine).where(col(OrderLine.order_id) == order_id, col(OrderLine.livemode) == work.livemode)
    return await _all(work, query.order_by(col(OrderLine.position)))


async def lines_of(work: UnitOfWork, order_ids: Collection[str]) -> dict[str, list[OrderLine]]:
    query = select(OrderLine).where(col(OrderLine.order_id).in_(order_ids), col(OrderLine.livemode) == work.livemode)
    return _grouped(await _all(work, query.order_by(col(OrderLine.position))), "order_id")


async def lines_for_update(work: UnitOfWork, order_id: str) -> Sequence[OrderLine]:
    """Two receipts of one order that are judged at once see each other's quantities."""
    query = select(OrderLine).where(col(OrderLine.order_id) == order_id, col(OrderLine.livemode) == work.livemode)
    return await _all(work, _locked(query.order_by(col(OrderLine.id))))


async def live_award(work: UnitOfWork, listing_id: ListingId) -> Award | None:
    query = select(Award).where(
        col(Award.listing_id) == listing_id, col(Award.ended_at).is_(None), col(Award.livemode) == work.livemode
    )
    return (await work.session.execute(query)).scalar_one_or_none()


async def last_award(work: UnitOfWork, listing_id: str) -> Award | None:
    """Live or ended."""
    query = select(Award).where(col(Award.listing_id) == listing_id).order_by(col(Award.id).desc()).limit(1)
    return (await work.session.execute(query)).scalar_one_or_none()


async def has_live_award(work: UnitOfWork, listing_id: ListingId) -> bool:
    """Any at all: a listing sold in parts may have several."""
    query = select(col(Award.id)).where(
        col(Award.listing_id) == listing_id, col(Award.ended_at).is_(None), col(Award.livemode) == work.livemode
    )
    return (await work.session.execute(query.limit(1))).first() is not None


async def award_for_update(work: UnitOfWork, award_id: str) -> Award:
    query = select(Award).where(col(Award.id) == award_id, col(Award.livemode) == work.livemode)
    return await _one(work, _locked(query), "award", award_id)


async def order_of_bid_for_update(work: UnitOfWork, bid_id: BidId) -> Order | None:
    query = _locked(_orders(work).where(col(Order.bid_id) == bid_id))
    return (await work.session.execute(query)).scalar_one_or_none()


async def deliveries_of(work: UnitOfWork, order: Order) -> list[PickupJob]:
    """The movements that bring the goods to the buyer, without those called off; returns are not among them."""
    query = select(PickupJob).where(
        col(PickupJob.order_id) == order.id,
        col(PickupJob.receiver_id) == order.buyer_id,
        col(PickupJob.status) != "cancelled",
        col(PickupJob.livemode) == work.livemode,
    )
    return list(await _all(work, query.order_by(col(PickupJob.id))))


async def pickup_statuses(work: UnitOfWork, order_ids: Collection[str]) -> dict[str, list[str]]:
    """By order, of every movement of it."""
    query = select(col(PickupJob.order_id), col(PickupJob.status)).where(
        col(PickupJob.order_id).in_(order_ids), col(PickupJob.livemode) == work.livemode
    )
    found: dict[str, list[str]] = defaultdict(list)
    for order_id, status in (await work.session.execute(query)).all():
        found[order_id].append(status)
    return found


async def expected(work: UnitOfWork, pickup_id: PickupId) -> ExpectedDelivery | None:
    query = select(ExpectedDelivery).where(
        col(ExpectedDelivery.pickup_id) == pickup_id, col(ExpectedDelivery.livemode) == work.livemode
    )
    return (await work.session.execute(query)).scalar_one_or_none()


def receipts_visible_to(actor: Actor) -> Select[Receipt]:
    visible = select(col(Order.id)).where(visible_to(actor), col(Order.livemode) == actor.livemode)
    return select(Receipt).where(col(Receipt.livemode) == actor.livemode, col(Receipt.order_id).in_(visible))


async def visible_receipt(work: UnitOfWork, receipt_id: ReceiptId, actor: Actor) -> Receipt:
    return await _one(work, receipts_visible_to(actor).where(col(Receipt.id) == receipt_id), "receipt", receipt_id)


async def receipt(work: UnitOfWork, receipt_id: str) -> Receipt:
    """For verbs of other contexts: nobody's view in particular."""
    return await _one(work, _receipts(work).where(col(Receipt.id) == receipt_id), "receipt", receipt_id)


async def receipt_for_update(work: UnitOfWork, receipt_id: str) -> Receipt:
    return await _one(work, _locked(_receipts(work).where(col(Receipt.id) == receipt_id)), "receipt", receipt_id)


async def receipts_of(work: UnitOfWork, order_ids: Collection[str]) -> dict[str, list[Receipt]]:
    query = _receipts(work).where(col(Receipt.order_id).in_(order_ids)).order_by(col(Receipt.id))
    return _grouped(await _all(work, query), "order_id")


async def receipt_lines(work: UnitOfWork, receipt_id: str) -> Sequence[ReceiptLine]:
    """In the order of the order's lines."""
    query = (
        select(ReceiptLine)
        .join(OrderLine, col(OrderLine.id) == col(ReceiptLine.line_id))
        .where(col(ReceiptLine.receipt_id) == receipt_id, col(ReceiptLine.livemode) == work.livemode)
    )
    return await _all(work, query.order_by(col(OrderLine.position)))


async def receipt_lines_of(work: UnitOfWork, receipt_ids: Collection[str]) -> dict[str, list[ReceiptLine]]:
    query = (
        select(ReceiptLine)
        .join(OrderLine, col(OrderLine.id) == col(ReceiptLine.line_id))
        .where(col(ReceiptLine.receipt_id).in_(receipt_ids), col(ReceiptLine.livemode) == work.livemode)
    )
    return _grouped(await _all(work, query.order_by(col(OrderLine.position))), "receipt_id")


async def receipt_lines_of_order(work: UnitOfWork, order_ids: Collection[str]) -> dict[str, list[ReceiptLine]]:
    """By order line, over all receipts: what the line's quantities are summed from."""
    query = (
        select(ReceiptLine)
        .join(Receipt, col(Receipt.id) == col(ReceiptLine.receipt_id))
        .where(col(Receipt.order_id).in_(order_ids), col(Receipt.livemode) == work.livemode)
        .order_by(col(Receipt.id))
    )
    return _grouped(await _all(work, query), "line_id")


async def remainders_of(work: UnitOfWork, order_ids: Collection[str]) -> dict[str, list[Remainder]]:
    query = _remainders(work).where(col(Remainder.order_id).in_(order_ids)).order_by(col(Remainder.id))
    return _grouped(await _all(work, query), "order_id")


async def remainder_for_update(work: UnitOfWork, remainder_id: str) -> Remainder:
    query = _locked(_remainders(work).where(col(Remainder.id) == remainder_id))
    return await _one(work, query, "remainder", remainder_id)


async def remainder(work: UnitOfWork, remainder_id: RemainderId) -> Remainder:
    return await _one(work, _remainders(work).where(col(Remainder.id) == remainder_id), "remainder", remainder_id)


async def returned_by(work: UnitOfWork, pickup_id: PickupId) -> Remainder | None:
    """The remainder this movement takes back, if it does."""
    query = _remainders(work).where(col(Remainder.pickup_id) == pickup_id)
    return (await work.session.execute(query)).scalar_one_or_none()


async def remainder_offered_as(work: UnitOfWork, listing_id: ListingId) -> Remainder | None:
    """The remainder this listing is to place, if it is."""
    query = _remainders(work).where(col(Remainder.listing_id) == listing_id)
    return (await work.session.execute(query)).scalar_one_or_none()


async def obligations_of(work: UnitOfWork, order_ids: Collection[str]) -> dict[str, list[Obligation]]:
    query = select(Obligation).where(col(Obligation.order_id).in_(order_ids), col(Obligation.livemode) == work.livemode)
    return _grouped(await _all(work, query.order_by(col(Obligation.kind))), "order_id")


def _orders(work: UnitOfWork) -> Select[Order]:
    return select(Order).where(col(Order.livemode) == work.livemode)


def _receipts(work: UnitOfWork) -> Select[Receipt]:
    return select(Receipt).where(col(Receipt.livemode) == work.livemode)


def _remainders(work: UnitOfWork) -> Select[Remainder]:
    return select(Remainder).where(col(Remainder.livemode) == work.livemode)


def _locked(query: Select[T]) -> Select[T]:
    return query.with_for_update().execution_options(populate_existing=True)


async def _all(work: UnitOfWork, query: Select[T]) -> Sequence[T]:
    return (await work.session.execute(query)).scalars().all()


def _grouped(rows: Sequence[T], key: str) -> dict[str, list[T]]:
    """By the value of a column; a key without rows answers an empty list."""
    found: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found


async def _one(work: UnitOfWork, query: Select[T], thing: str, id: str) -> T:
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(thing, id)
    return row
