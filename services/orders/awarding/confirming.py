"""The buyer confirms: from here on there is a contract, a deal about its money, and goods to be moved."""

from services.bidding import closing
from services.bidding import queries as bids
from services.bidding.models import BID, Bid
from services.kernel import states, timers
from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.ids import BidId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders import events, movements, pricing, queries, rerouting, telling
from services.orders.awarding.lapsing import CONFIRM_WINDOW
from services.orders.errors import NotAwarded, TermsDiffer
from services.orders.models import ORDER, Obligation, Order, OrderFacts
from services.orders.terms import Terms
from services.payments import collecting
from services.payments.terms import DealTerms


async def confirm(
    work: UnitOfWork, bid_id: BidId, *, terms_hash: str, by: Actor, check_version: CheckVersion = any_version
) -> Order:
    """`check_version` is asked for the bid's version, `terms_hash` is that of the terms the buyer has read on its
    order.

    Raises NotAwarded, TermsDiffer, and Blocked (`confirm_window_over`)."""
    bid, order = await _taken(work, bid_id, by)
    check_version(bid.version)
    BID.find("confirm", bid.status)
    if terms_hash != order.terms_hash:
        raise TermsDiffer(order.terms_hash)
    async with work.as_house():
        return await bind(work, bid, order)


async def bind(work: UnitOfWork, bid: Bid, order: Order) -> Order:
    """The buyer has accepted the terms of the order; both are locked by the caller, after their listing."""
    moved = states.move(ORDER, order, "confirm", by="buyer", facts=OrderFacts(work.now))
    order.confirmed_at = work.now
    await timers.cancel(work, CONFIRM_WINDOW, order.id)
    terms = Terms.model_validate(order.terms)
    await closing.mark_confirmed(work, bid, by="buyer")
    telling.tell(work, order, events.OrderConfirmed(**telling.agreed(order, terms)), moved)
    await closing.lose_others(work, order.listing_id, bid)
    _owe(work, order, terms)
    await collecting.agree(work, deal_terms(order, terms))
    await movements.request_delivery(work, order, terms)
    if order.origin_remainder_id is not None:
        await rerouting.taken_over(work, remainder_id=order.origin_remainder_id)
    return order


async def _taken(work: UnitOfWork, bid_id: BidId, by: Actor) -> tuple[Bid, Order]:
    """Both locked, after their listing."""
    seen = await bids.visible_bid(work, bid_id, by)
    if by.org_id != seen.bidder_id:
        raise Forbidden("Only the bidder confirms.")
    await listings.listing_for_update(work, seen.listing_id)
    bid = await bids.bid_for_update(work, bid_id)
    order = await queries.order_of_bid_for_update(work, bid_id)
    if order is None:
        raise NotAwarded(bid_id)
    return bid, order


def _owe(work: UnitOfWork, order: Order, terms: Terms) -> None:
    owed = Obligation(
        order_id=order.id,
        kind=terms.certificate,
        owed_by_id=order.buyer_id,
        owed_to_id=order.seller_id,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(owed)


def deal_terms(order: Order, terms: Terms) -> DealTerms:
    """What payments are told: the goods at their most, the haulage at its ceiling, each net."""
    return DealTerms(
        order_id=order.id,
        seller_id=order.seller_id,
        buyer_id=order.buyer_id,
        currency=terms.price.currency,
        goods=pricing.goods(terms),
        goods_vat_bps=terms.goods_vat_bps,
        haulage_ceiling=terms.haulage_ceiling,
        haulage_payer_id=terms.haulage_payer_id if terms.haulage_ceiling is not None else None,
        haulage_vat_bps=terms.haulage_vat_bps,
        commission_bps=terms.commission_bps,
        commission_vat_bps=terms.commission_vat_bps,
        vat_country=terms.vat_country,
    )
