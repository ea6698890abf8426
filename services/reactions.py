"""Every cross-context reaction to an event, on one page. Read it to learn what follows from what.

A reaction runs in a unit of work of its own, at least once; it has its effect once, for `reaction_done` is written with it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text

from services.bidding import closing, countering
from services.bidding.demanding import autobidding, matching, ordering
from services.bidding.integrity import looking
from services.bidding.vouching import deciding
from services.certification import custody
from services.certification.issuing import listing, signing
from services.kernel import second_wall, tracing
from services.kernel.actors import system
from services.kernel.events import EventRow, first_cause, parse
from services.kernel.jobs import Tools, job
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.listings.admitting import letting_in
from services.listings.importing import landing
from services.listings.recalling import campaigns, quarantine
from services.listings.saved_searches import keeping
from services.orders import awarding, fulfilment, receiving, remedying, rerouting, settlement
from services.payments import stripe_inbox
from services.payments.operations import outbox, running
from services.pickups import dispatching, tendering
from services.webhooks import delivering, fanout

Reaction = Callable[[UnitOfWork, Any], Awaitable[object]]
"""(work, event as its class) → anything."""


async def clear_the_pickup(work: UnitOfWork, event: Any) -> None:
    await dispatching.clear(work, order_id=event.order_id, clearance_id=event.deal_id)


async def withdraw_the_clearance(work: UnitOfWork, event: Any) -> None:
    await dispatching.withdraw_clearance(work, order_id=event.order_id)


async def start_the_order(work: UnitOfWork, event: Any) -> None:
    await fulfilment.start(work, event.order_id)


async def take_the_load_into_custody(work: UnitOfWork, event: Any) -> None:
    await custody.loaded(work, pickup_id=event.pickup_id)


async def expect_the_receipt(work: UnitOfWork, event: Any) -> None:
    await receiving.expect(work, pickup_id=event.pickup_id)


async def book_what_was_inspected(work: UnitOfWork, event: Any) -> None:
    await custody.inspected(work, receipt_id=event.receipt_id)


async def settle_the_order(work: UnitOfWork, event: Any) -> None:
    await settlement.settled(work, order_id=event.order_id)


async def try_to_close_the_order(work: UnitOfWork, event: Any) -> None:
    await settlement.try_close(work, order_id=event.order_id)


async def fulfil_the_obligations(work: UnitOfWork, event: Any) -> None:
    await fulfilment.fulfil_obligations(
        work, order_ids=event.order_ids, kind=event.certificate_type, certificate_id=event.certificate_id
    )


async def watch_the_clock(work: UnitOfWork, event: Any) -> None:
    await closing.watch(work, event.listing_id)


async def award_by_the_sellers_rule(work: UnitOfWork, event: Any) -> None:
    await awarding.award_best(work, listing_id=event.listing_id)


async def match_the_demand_orders(work: UnitOfWork, event: Any) -> None:
    await matching.match(work, event.listing_id)


async def tell_those_who_look(work: UnitOfWork, event: Any) -> None:
    await keeping.tell_those_who_look(work, event.listing_id)


async def let_in_whoever_can(work: UnitOfWork, event: Any) -> None:
    await letting_in.let_in_whoever_can(work, event.listing_id)


async def let_it_into_what_asks_for_it(work: UnitOfWork, event: Any) -> None:
    await letting_in.let_in(work, event.organization_id)


async def let_it_in_by_the_permit(work: UnitOfWork, event: Any) -> None:
    await letting_in.let_in_by_permit(work, event.permit_id, event.organization_id, event.valid_from)


async def tell_its_searches(work: UnitOfWork, event: Any) -> None:
    await keeping.tell_those_who_look(work, event.listing_id, event.organization_id)


async def let_demand_orders_bid(work: UnitOfWork, event: Any) -> None:
    await autobidding.bid_when_open(work, event.listing_id)


async def let_the_demand_order_bid(work: UnitOfWork, event: Any) -> None:
    await autobidding.bid(work, event.demand_order_id, event.listing_id)


async def free_what_the_demand_order_reserved(work: UnitOfWork, event: Any) -> None:
    if getattr(event, "reason", None) != "superseded":
        await autobidding.release(work, event.bid_id)


async def decide_about_the_deposits(work: UnitOfWork, event: Any) -> None:
    await deciding.decide(work, event.listing_id)


async def ask_the_buyer_for_no_more_deposits(work: UnitOfWork, event: Any) -> None:
    await deciding.prove(work, event.buyer_id)


async def sell_at_the_price(work: UnitOfWork, event: Any) -> None:
    await awarding.sell(work, bid_id=event.bid_id)


async def look_who_bids_with_whom(work: UnitOfWork, event: Any) -> None:
    await looking.look(work, event.listing_id)


async def let_every_bid_go(work: UnitOfWork, event: Any) -> None:
    await closing.lose_all(work, event.listing_id)


async def reopen_what_found_no_taker(work: UnitOfWork, event: Any) -> None:
    await rerouting.fell_through(work, listing_id=event.listing_id)


async def let_bids_go_that_nothing_is_left_for(work: UnitOfWork, event: Any) -> None:
    await listings.listing_for_update(work, event.listing_id)
    await closing.lose_what_is_gone(work, event.listing_id)


async def hold_what_was_imported_against_recalls(work: UnitOfWork, event: Any) -> None:
    if event.listing_id is not None:
        await quarantine.watch_listing(work, event.listing_id)


async def look_for_recalled_goods_once_more(work: UnitOfWork, event: Any) -> None:
    await campaigns.look_again(work, event.campaign_id)


async def count_what_was_recalled(work: UnitOfWork, event: Any) -> None:
    await remedying.count_recalled(work, order_id=event.order_id, kind=event.kind, certificate_id=event.certificate_id)


async def try_to_fulfil_the_listing(work: UnitOfWork, event: Any) -> None:
    await settlement.try_fulfil(work, listing_id=event.listing_id)


DEPOSITS: dict[str, Reaction] = {"decide about the deposits": decide_about_the_deposits}

UNSOLD: dict[str, Reaction] = {
    "let every bid go": let_every_bid_go,
    "reopen what found no taker": reopen_what_found_no_taker,
    **DEPOSITS,
}

FREED: dict[str, Reaction] = {"free what the demand order reserved": free_what_the_demand_order_reserved}

BECAME_CAPABLE: dict[str, Reaction] = {"let it into what asks for it": let_it_into_what_asks_for_it}

REACTIONS: dict[str, dict[str, Reaction]] = {
    "listing.published": {
        "match the demand orders": match_the_demand_orders,
        "tell those who look": tell_those_who_look,
        "let in whoever can": let_in_whoever_can,
    },
    "listing.admitted": {
        "match the demand orders": match_the_demand_orders,
        "tell its searches": tell_its_searches,
    },
    "organization.registered": BECAME_CAPABLE,
    "organization.verified": BECAME_CAPABLE,
    "organization.reinstated": BECAME_CAPABLE,
    "permit.added": {"let it in by the permit": let_it_in_by_the_permit},
    "listing.opened": {
        "watch the auction clock": watch_the_clock,
        "let demand orders bid": let_demand_orders_bid,
    },
    "bid.met_price": {"sell at the price": sell_at_the_price},
    "listing.closed": {
        "award by the seller's rule": award_by_the_sellers_rule,
        "look who bids with whom": look_who_bids_with_whom,
        **DEPOSITS,
    },
    "listing.awarded": {**DEPOSITS, "look who bids with whom": look_who_bids_with_whom},
    "listing.award_reopened": {"award by the seller's rule": award_by_the_sellers_rule},
    "demand_order.matched": {"let the demand order bid": let_the_demand_order_bid},
    "bid.withdrawn": FREED,
    "bid.lost": FREED | DEPOSITS,
    "bid.expired": FREED | DEPOSITS,
    "bid.timed_out": FREED | DEPOSITS,
    "bid.confirmed": DEPOSITS,
    "deposit.secured": DEPOSITS,
    "listing.partially_awarded": DEPOSITS,
    "listing.fulfilled": DEPOSITS,
    "listing.withdrawn": UNSOLD,
    "listing.expired": UNSOLD,
    "listing.cancelled": UNSOLD,
    "listing.remainder_relisted": {
        "let bids go that nothing is left for": let_bids_go_that_nothing_is_left_for,
        "try to fulfil the listing": try_to_fulfil_the_listing,
        **DEPOSITS,
    },
    "order.settled": {"ask the buyer for no more deposits": ask_the_buyer_for_no_more_deposits},
    "deal.held": {"clear the pickup": clear_the_pickup},
    "deal.cancelling": {"withdraw the clearance": withdraw_the_clearance},
    "pickup.loaded": {
        "start the order": start_the_order,
        "take the load into custody": take_the_load_into_custody,
    },
    "pickup.delivered": {"expect the receipt": expect_the_receipt},
    "receipt.inspected": {"book what was inspected": book_what_was_inspected},
    "deal.settled": {"settle the order": settle_the_order},
    "deal.closed": {"try to close the order": try_to_close_the_order},
    "obligation.fulfilled": {
        "try to close the order": try_to_close_the_order,
        "count what was recalled": count_what_was_recalled,
    },
    "recall.opened": {"look for recalled goods once more": look_for_recalled_goods_once_more},
    "import.completed": {"hold what was imported against recalls": hold_what_was_imported_against_recalls},
    "certificate.issued": {"fulfil the obligations": fulfil_the_obligations},
}
"""Event type → name of the reaction → what happens. Besides these every event is fanned out to partners' webhooks."""

WITH_TIMERS_OR_JOBS = (
    autobidding,
    closing,
    countering,
    landing,
    letting_in,
    ordering,
    publishing,
    awarding.lapsing,
    receiving.lapsing,
    rerouting,
    settlement,
    outbox,
    running,
    stripe_inbox,
    tendering,
    delivering,
    listing,
    signing,
)
"""Importing them registers their handlers: the worker must know every one."""

FAN_OUT = "tell the partners"
JOB = "reactions.react"


def jobs_for(events: list[tuple[str, str]]) -> list[tuple[str, dict[str, Any]]]:
    """The jobs that follow from freshly sequenced events (id, type), in their order."""
    return [(JOB, {"event": id, "reaction": name}) for id, type in events for name in names_for(type)]


def names_for(event_type: str) -> list[str]:
    return [FAN_OUT, *REACTIONS.get(event_type, {})]


@job(JOB)
async def react(tools: Tools, payload: dict[str, Any]) -> None:
    async with second_wall.house(tools.sessions) as session:
        row = await session.get_one(EventRow, payload["event"])
        began_in = await first_cause(session, row.id) if tracing.is_on() else None
    with tracing.reaction_span(payload["reaction"], row.type, began_in):
        await _react(tools, row, payload["reaction"])


async def _react(tools: Tools, row: EventRow, reaction: str) -> None:
    async with UnitOfWork(tools.sessions, system(row.livemode), cause=row.id) as work:
        if not await _is_first(work, row.id, reaction):
            return
        if reaction == FAN_OUT:
            await fanout.fan_out(work, row)
        else:
            await REACTIONS[row.type][reaction](work, parse(row))


async def _is_first(work: UnitOfWork, event_id: str, reaction: str) -> bool:
    statement = text("INSERT INTO reaction_done VALUES (:event, :reaction) ON CONFLICT DO NOTHING RETURNING 1")
    done = await work.session.execute(statement, {"event": event_id, "reaction": reaction})
    return done.one_or_none() is not None
