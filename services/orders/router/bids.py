"""Award and confirm, on the bid."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, MustMatch, UnitOfWorkRoute, Work, holding
from services.kernel.ids import BidId
from services.orders import awarding
from services.orders.router.answering import shown
from services.orders.schemas import Acceptance, Confirmation, OrderAnswer

bids = APIRouter(prefix="/v1", tags=["bids"], route_class=UnitOfWorkRoute)

Awards = Annotated[Actor, holding("awards:write")]


@bids.post("/bids/{bid_id}/award", summary="Award a bid", dependencies=[DryRun])
async def award(bid_id: BidId, work: Work, actor: Awards, matching: MustMatch, answer: Response) -> OrderAnswer:
    """The seller chooses a bid after the close (of a negotiated listing at any time); `If-Match` is the bid's ETag. The
    terms are frozen and the buyer's permits reserved at the upper tolerance. The buyer has two business days to confirm.

    Refused with every reason: `recall_quarantine`, `already_awarded`, `still_open`, `bid_has_expired`,
    `payouts_not_active` of whoever would be paid, `listing_has_ended`, `permit_scope`, `permit_expired`,
    `permit_tonnage`, and for a side that may begin nothing new (`not_verified`, `organization_suspended`,
    `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409)). Of a listing sold in
    parts the order is for what was bid for. Causes `bid.awarded`, `listing.awarded` (`listing.partially_awarded` while
    something is left) and `order.created`."""
    order = await awarding.award(work, bid_id, by=actor, check_version=matching.matches)
    return await shown(work, order, actor, answer)


@bids.post("/bids/{bid_id}/accept_counter", summary="Accept a counter-offer", dependencies=[DryRun])
async def accept_counter(
    bid_id: BidId, body: Acceptance, work: Work, actor: Awards, matching: MustMatch, answer: Response
) -> OrderAnswer:
    """The side that did not move last takes the figures on the table; `If-Match` is the bid's ETag. This is the award and
    its confirmation in one: both sides are bound, the money is collected and a pickup waits to be planned.

    Refused: `not_your_turn`, `counter_has_expired`, `terms_differ` where the `terms_hash` sent is of other terms, and for
    every reason that refuses an award: `already_awarded`, `bid_has_expired`, `payouts_not_active` of whoever would be
    paid, `listing_has_ended`, `permit_scope`, `permit_expired`, `permit_tonnage`, `not_verified`,
    `organization_suspended`, `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409).
    Causes `bid.awarded`, `listing.awarded`, `order.created`, `bid.confirmed`, `order.confirmed`, `bid.lost` to the others,
    `deal.agreed`, `deal.collecting` and `pickup.created`."""
    order = await awarding.accept_counter(
        work, bid_id, by=actor, terms_hash=body.terms_hash, check_version=matching.matches
    )
    return await shown(work, order, actor, answer)


@bids.post("/bids/{bid_id}/confirm", summary="Confirm an award", dependencies=[DryRun])
async def confirm(
    bid_id: BidId, body: Confirmation, work: Work, actor: Awards, matching: MustMatch, answer: Response
) -> OrderAnswer:
    """The buyer accepts the terms of its order by their hash; `If-Match` is the bid's ETag. From here on both sides
    are bound: the money is collected and a pickup waits to be planned by whoever pays the haulage.

    Refused: `recall_quarantine`, `not_awarded`, `terms_differ`, `confirm_window_over`. Causes `bid.confirmed`,
    `order.confirmed`, `bid.lost` to the others, `deal.agreed`, `deal.collecting` and `pickup.created`."""
    order = await awarding.confirm(
        work,
        bid_id,
        terms_hash=body.terms_hash,
        by=actor,
        check_version=matching.matches,
    )
    return await shown(work, order, actor, answer)
