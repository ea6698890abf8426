"""HTTP of bids. Awarding and confirming, under the same path, belong to the orders."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.bidding import countering, history, placing, policy, queries, sealing, sizing_up
from services.bidding.comparing import compare
from services.bidding.demanding.router import demand_orders
from services.bidding.integrity.http import findings
from services.bidding.models import Bid, Counter
from services.bidding.ranking import rank, reserve_of
from services.bidding.schemas import (
    BidAnswer,
    BidPage,
    BidReceiptAnswer,
    CounterAnswer,
    CounterPage,
    NewBidRequest,
    NewCounterRequest,
    RankingAnswer,
    ReceiptBookAnswer,
)
from services.bidding.streams import streams
from services.bidding.together import desk
from services.bidding.vouching.router import deposits
from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.http.expanding import Expand, expanding, tells
from services.kernel.http.handing import by_hand
from services.kernel.http.routing import DryRun, Matching, MustMatch, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import BidId, ListingId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings

bids = APIRouter(prefix="/v1", tags=["bids"], route_class=UnitOfWorkRoute)
routers = [bids, streams, findings, demand_orders, deposits]

Reads = Annotated[Actor, holding("bids:read")]
Writes = Annotated[Actor, holding("bids:write")]


@bids.post("/bids", summary="Place a bid", status_code=201, dependencies=[DryRun])
@by_hand(desk.Bids)
async def place(body: NewBidRequest, work: Work, actor: Writes, answer: Response) -> BidAnswer:
    """A promise for the whole lot, or for `parts` of a listing that is sold by item or by fraction; a second bid of yours
    takes the place of the first. It counts if our clock read no more than the listing's `effective_end_at` when it was
    received. A bid for a sealed listing is yours alone until the close.

    Refused with `bidding_has_closed` (`errors` hold both instants, `received_at` and `ended_at`), `bidding_not_open`,
    `own_listing`, `not_a_processor`, `deposit_required` (new here, you leave the listing's `deposit` first:
    deposits.create), `bid_too_low` (a timed listing takes only what beats the leading price by the
    increment, an instant one its own price), with `permit_scope`, `permit_expired` or `permit_tonnage` per waste code
    that your permits do not cover at the upper tolerance, and as invalid where it does not fit the listing:
    `currency_differs`, `price_differs`, `price_unit_differs`, `disposition_below_floor`, `disposition_not_in_recall`,
    `sold_as_a_whole`, `sold_by_item`, `item_not_found`, `more_than_offered`, `below_min_quantity`, `units_sold_whole`,
    `goods_not_divisible` (422), `haulage_does_not_fit`, `site_not_yours`, `ends_too_early`, `negative`,
    `operation_unknown`, `limit_needs_timed`, `limit_below_price`. Refused with `recall_quarantine`, and while you may
    begin nothing new: `not_verified`, `organization_suspended`, `organization_closed`, `document_missing`,
    `document_under_review`, `document_expired` (409). Causes `bid.placed` and `bid.admitted`, told to the seller only
    where bids are not sealed, `bid.withdrawn` for the bid it supersedes, `listing.extended` where it moves the end of a timed
    listing, and `bid.met_price` for an instant one: the first such bid wins at once.

    In a timed listing `limit` lets the house raise the bid for you, no further than needed. A better bid is better by the
    listing's `increment`, or by 0.10 below 10.00, 0.50 below 100.00, 1.00 below 1,000.00, 5.00 below 10,000.00, 25.00 below
    100,000.00 and 100.00 above (in minor units alike where a currency has other digits). Of equal limits the earlier
    leads; only a bid that takes the lead in the last five minutes moves the end, by as much.
    """
    placed = await placing.receive(work, body, by=actor)
    tag(answer, placed.bid.version)
    return BidAnswer.of(placed.bid, placed.listing, placed.facts, actor, body.amounts)


@bids.get("/bids", summary="List bids")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    expand: Annotated[Expand, expanding(BidAnswer)],
    listing_id: Annotated[ListingId | None, Query(description="All bids for it that you may see")] = None,
    status: Annotated[str | None, Query(pattern="^[a-z_]{1,20}$", description="Only in this state")] = None,
) -> BidPage:
    """Your own, newest first. With `listing_id` the seller reads all bids for the listing: sealed ones after the close."""
    query = queries.bids(actor, listing_id=listing_id)
    if status is not None:
        query = query.where(col(Bid.status) == status)
    rows, cursor = await rows_of(work, query, col(Bid.id), paging)
    found = await _answers(work, rows, actor)
    await expand.into(work, actor, found)
    return BidPage(data=found, has_more=cursor is not None, next_cursor=cursor)


@bids.get("/bids/{bid_id}", summary="Read a bid")
async def get(
    bid_id: BidId, work: Work, actor: Reads, expand: Annotated[Expand, expanding(BidAnswer)], answer: Response
) -> BidAnswer:
    """For its bidder, and for the seller of the listing: of a sealed one after the close."""
    bid = await queries.visible_bid(work, bid_id, actor)
    tag(answer, bid.version)
    told = await _answer(work, bid, actor)
    await expand.into(work, actor, [told])
    return told


@tells("bid", BidAnswer, holding="bids:read")
async def tell(work: UnitOfWork, actor: Actor, ids: set[str]) -> dict[str, BidAnswer]:
    rows = await queries.visible_bids(work, ids, actor)
    return {told.id: told for told in await _answers(work, rows, actor)}


@bids.post("/bids/{bid_id}/withdraw", summary="Withdraw a bid", dependencies=[DryRun])
async def withdraw(bid_id: BidId, work: Work, actor: Writes, matching: Matching, answer: Response) -> BidAnswer:
    """While bidding is on, sealed or negotiated; of a timed listing any bid but the leading one. Refused with
    `bidding_has_closed` or `bid_is_leading`. Causes `bid.withdrawn`; a sealed bid that was withdrawn is never opened.
    """
    bid = await placing.withdraw(work, bid_id, by=actor, check_version=matching.matches)
    tag(answer, bid.version)
    return await _answer(work, bid, actor)


@bids.post("/bids/{bid_id}/counter", summary="Counter a bid", dependencies=[DryRun])
async def counter(
    bid_id: BidId, body: NewCounterRequest, work: Work, actor: Writes, matching: MustMatch, answer: Response
) -> BidAnswer:
    """Says what you would take instead. Seller and bidder take turns: only who did not move last may counter or accept,
    and a bid as it was placed is the bidder's move. `If-Match` is the bid's ETag, so that nobody answers what they have
    not read. A counter that lapses at `expires_at`, after three days if you do not say, leaves the bid as it was placed.

    Refused with `not_your_turn`, `not_negotiated`, `bidding_has_closed`, and as invalid where the figures do not fit:
    `currency_differs`, `negative`, `in_the_past`. Causes `bid.countered`."""
    bid = await countering.counter(work, bid_id, body, by=actor, check_version=matching.matches)
    tag(answer, bid.version)
    return await _answer(work, bid, actor)


@bids.get("/bids/{bid_id}/counters", summary="List the counter-offers to a bid")
async def counters_(bid_id: BidId, work: Work, actor: Reads, paging: Paging) -> CounterPage:
    """What seller and bidder said, newest first; for the two of them."""
    bid = await queries.visible_bid(work, bid_id, actor)
    rows, cursor = await rows_of(work, queries.counters_of(bid.id), col(Counter.id), paging)
    data = [CounterAnswer.model_validate(row) for row in rows]
    return CounterPage(data=data, has_more=cursor is not None, next_cursor=cursor)


@bids.get("/listings/{listing_id}/ranking", summary="Rank the bids for a listing")
async def ranking(listing_id: ListingId, work: Work, actor: Reads) -> RankingAnswer:
    """For the seller, after the close, or at any time while it negotiates. Best first by landed net value: the price on the
    declared quantity, less the seller's haulage, its commission and the tax it cannot recover; then the higher rung, the lower
    CO2e, who came first, the id. Each bid tells what parts it from the one above, which bids are better in every respect, how
    far the goods would travel, and whether its bidder's permits cover them today. Refused with `not_the_seller` and
    `still_open`.
    """
    listing = await listings.visible_listing(work, listing_id, actor)
    policy.must_read_ranking(actor, listing)
    items = await listings.items(work, listing.id)
    ranked = rank(await queries.stood(work, listing), listing, items)
    sized_up = await sizing_up.size_up(work, listing, [one.bid for one in ranked])
    return RankingAnswer.of(listing, compare(ranked), sized_up, reserve_of(listing, items))


_HISTORY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line for each bid, counter-offer and move",
        "content": {media_type: {"schema": {"type": "string"}} for media_type in history.MEDIA_TYPES.values()},
    }
}


@bids.get(
    "/listings/{listing_id}/bids/history",
    summary="Export the bids for a listing",
    response_class=Response,
    responses=_HISTORY,
)
async def history_(
    listing_id: ListingId,
    work: Work,
    actor: Reads,
    format: Annotated[Literal["ndjson", "csv"], Query(description="One JSON object a line, or a table")] = "ndjson",
) -> Response:
    """For the seller, when it may read the ranking: every bid whatever became of it, every counter-offer, every move from
    state to state, oldest first. A bid that was withdrawn from a sealed listing was never opened and is not in it. Refused
    with `not_the_seller` and `still_open`.
    """
    listing = await listings.visible_listing(work, listing_id, actor)
    policy.must_read_ranking(actor, listing)
    lines = await history.of(work, listing, actor)
    return Response(history.written(lines, as_=format), media_type=history.MEDIA_TYPES[format])


@bids.get("/bids/{bid_id}/receipt", summary="Read a bid's receipt")
async def receipt(bid_id: BidId, work: Work, actor: Reads) -> BidReceiptAnswer:
    """Of a sealed bid: what we took and when, signed with a key of `/.well-known/jwks.json`. It commits to the amounts without
    telling them; with `opening` you prove what you sent. For the bidder at once, for the seller once the bid was opened.
    """
    bid = await queries.visible_bid(work, bid_id, actor)
    row = await queries.sealed_bid(work, bid.id)
    if row is None:
        raise NotFound("receipt", bid_id)
    return BidReceiptAnswer.of(row, sealing.opening_for(work, row, bid, actor))


@bids.get("/listings/{listing_id}/receipts", summary="Read the chain of receipts of a sealed listing")
async def receipts(listing_id: ListingId, work: Work, actor: Reads) -> ReceiptBookAnswer:
    """For the seller, after the close: the receipts of all bids, hash-chained in the order in which they were received, and our
    signed statement of how many there are and where the chain ends. Of bids that were withdrawn there is a digest alone.
    Refused with `not_the_seller` and `still_open`.
    """
    listing = await listings.visible_listing(work, listing_id, actor)
    policy.must_read_ranking(actor, listing)
    async with work.as_house():
        book, links = await queries.book(work, listing.id)
    if book is None:
        raise NotFound("receipt", listing_id)
    return ReceiptBookAnswer.of(book, links)


async def _answer(work: UnitOfWork, bid: Bid, actor: Actor) -> BidAnswer:
    (told,) = await _answers(work, [bid], actor)
    return told


async def _answers(work: UnitOfWork, rows: Collection[Bid], actor: Actor) -> list[BidAnswer]:
    facts = await queries.facts_of(work, rows, now=work.now)
    of_rows = await listings.listings(work, {row.listing_id for row in rows})
    amounts = await sealing.amounts_for(work, rows, actor)
    return [BidAnswer.of(row, of_rows[row.listing_id], facts[row.id], actor, amounts[row.id]) for row in rows]
