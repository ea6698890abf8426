"""Buying, on the listing."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, MustMatch, UnitOfWorkRoute, Work, holding
from services.kernel.ids import ListingId
from services.listings import queries
from services.orders import awarding
from services.orders.router.answering import shown
from services.orders.schemas import OrderAnswer, Purchase

listings = APIRouter(prefix="/v1", tags=["listings"], route_class=UnitOfWorkRoute)

Awards = Annotated[Actor, holding("awards:write")]


@listings.post("/listings/{listing_id}/buy", summary="Buy at the price", dependencies=[DryRun])
async def buy(
    listing_id: ListingId, body: Purchase, work: Work, actor: Awards, matching: MustMatch, answer: Response
) -> OrderAnswer:
    """Takes an instant listing at its price: your bid, its award and your confirmation in one. Whoever comes first has it;
    `If-Match` is the listing's ETag. From here on both sides are bound: the money is collected and a pickup waits to be
    planned by whoever pays the haulage.

    Refused with `not_for_sale` where bids are asked for, `bidding_has_closed` once it is sold (`errors` hold
    `received_at` and `ended_at`), `bidding_not_open`,
    `terms_differ` where the `terms_hash` sent is of other terms, and for every reason that refuses a bid or an award:
    `own_listing`, `not_a_processor`, `deposit_required`, `bid_too_low`, `already_awarded`,
    `payouts_not_active` of whoever would be paid,
    `listing_has_ended`, `permit_scope`, `permit_expired`, `permit_tonnage`, `not_verified`, `organization_suspended`,
    `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409). Invalid where it does not
    fit the listing: `currency_differs`, `price_differs`, `disposition_below_floor`, `haulage_does_not_fit`,
    `site_not_yours`, `negative`, `operation_unknown`. Causes `bid.placed`, `bid.admitted`, `bid.met_price`,
    `bid.withdrawn` for a bid of yours that it supersedes, `bid.awarded`, `listing.awarded`, `order.created`,
    `bid.confirmed`, `order.confirmed`, `bid.lost` to others, `deal.agreed`, `deal.collecting` and `pickup.created`."""
    listing = await queries.visible_listing(work, listing_id, actor)
    order = await awarding.buy(
        work, body.bid(listing), by=actor, terms_hash=body.terms_hash, check_version=matching.matches
    )
    return await shown(work, order, actor, answer)
