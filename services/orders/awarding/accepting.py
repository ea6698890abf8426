"""Accepting a counter-offer: the award and its confirmation in one, for each side has said what it wants."""

from services.bidding import countering
from services.bidding import queries as bids
from services.kernel.actors import Actor
from services.kernel.ids import BidId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders.awarding.choosing import conclude
from services.orders.awarding.confirming import bind
from services.orders.errors import TermsDiffer
from services.orders.models import Order


async def accept_counter(
    work: UnitOfWork,
    bid_id: BidId,
    *,
    by: Actor,
    terms_hash: str | None = None,
    check_version: CheckVersion = any_version,
) -> Order:
    """`check_version` is asked for the bid's version, which pins the counter that is accepted; `terms_hash`, if given, is that of
    the terms a dry run has answered.

    Raises as `award` does, Blocked with `not_your_turn` or `counter_has_expired` too, and TermsDiffer."""
    seen = await bids.visible_bid(work, bid_id, by)
    listing = await listings.listing_for_update(work, seen.listing_id)
    part = countering.part_in(seen, listing, by)
    async with work.as_house():
        bid = await bids.bid_for_update(work, bid_id)
        check_version(bid.version)
        order = await conclude(work, listing, bid, by=part, transition="accept_counter")
        if terms_hash not in (None, order.terms_hash):
            raise TermsDiffer(order.terms_hash)
        return await bind(work, bid, order)
