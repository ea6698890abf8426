"""The seller chooses a bid: terms are frozen, permits reserved, and the buyer has two business days to confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from services.bidding import closing, countering
from services.bidding import queries as bids
from services.bidding.models import BID, Bid
from services.kernel import states, timers
from services.kernel.actors import Actor
from services.kernel.errors import Blocked, Forbidden, Reason
from services.kernel.ids import BidId, OrderId, OrgId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.listings.dividing import selling
from services.listings.dividing.goods import CannotDivide
from services.listings.dividing.selling import Portion
from services.listings.models import Item, Listing
from services.listings.policy import SELLERS
from services.orders import events, permitting, queries, telling
from services.orders import terms as agreements
from services.orders.awarding.lapsing import CONFIRM_DAYS, CONFIRM_WINDOW
from services.orders.errors import AlreadyAwarded
from services.orders.models import Award, Order, OrderLine
from services.orders.terms import Terms
from services.orders.windows import end_of_business_day
from services.parties import permits, standing
from services.parties import queries as parties
from services.parties.models import PROCESSORS
from services.payments import queries as payments


async def award(work: UnitOfWork, bid_id: BidId, *, by: Actor, check_version: CheckVersion = any_version) -> Order:
    """`check_version` is asked for the bid's version.

    Raises AlreadyAwarded, or Blocked with every reason: `still_open`, `bid_has_expired`, `payouts_not_active` of
    whoever would be paid, `permit_scope`, `permit_expired`, `permit_tonnage`. NotFound for a bid the actor may not
    see."""
    listing, bid = await _taken(work, bid_id, by)
    check_version(bid.version)
    async with work.as_house():
        return await conclude(work, listing, bid)


async def conclude(
    work: UnitOfWork,
    listing: Listing,
    bid: Bid,
    *,
    by: str = "seller",
    transition: str = "award",
    passed_over: Mapping[BidId, Sequence[str]] = MappingProxyType({}),
) -> Order:
    """The award itself, of a bid that the caller has found and locked after its listing, as the house. `by` is the part in which
    the `transition` of the bid is made; `passed_over` are the codes against better bids, of which a rule took none."""
    is_whole = listing.lot_rule == "whole"
    if is_whole and await queries.live_award(work, listing.id) is not None:
        raise AlreadyAwarded(listing.id)
    BID.find(transition, bid.status)
    if transition == "accept_counter":
        await countering.agree(work, bid)
    items = await listings.items(work, listing.id)
    portions = _won(listing, items, bid)
    terms = agreements.freeze(listing, portions, bid)
    reasons = await _against(work, listing, bid, terms, by=by, transition=transition)
    if reasons:
        raise Blocked("bid", transition, reasons)
    order = await _contract(work, listing, bid, terms, await _ranking(work, listing, passed_over))
    await _add_lines(work, order, portions)
    await permits.reserve(
        work, bid.bidder_id, step="award", subject_id=order.id, **await permitting.at_most(work, terms)
    )
    await _mark(work, bid, by=by, transition=transition)
    if not is_whole:
        selling.award(portions)
    is_anything_left = not is_whole and selling.is_anything_free(items)
    await _mark_listing(work, listing, bid, by=by, is_anything_left=is_anything_left)
    await timers.schedule(work, CONFIRM_WINDOW, order.id, order.confirm_by)
    telling.tell(work, order, events.OrderCreated(**telling.agreed(order, terms), confirm_by=order.confirm_by))
    return order


async def _taken(work: UnitOfWork, bid_id: BidId, by: Actor) -> tuple[Listing, Bid]:
    """Both locked, the listing first: awards of one lot queue here."""
    seen = await bids.visible_bid(work, bid_id, by)
    listing = await listings.listing_for_update(work, seen.listing_id)
    if by.org_id != listing.seller_id:
        raise Forbidden("Only the seller awards.")
    return listing, await bids.bid_for_update(work, bid_id)


async def against(work: UnitOfWork, listing: Listing, bid: Bid, items: Sequence[Item], *, by: str) -> list[Reason]:
    """What stands against awarding the bid as it was placed; nothing is written."""
    if listing.lot_rule != "whole" and not selling.is_free(items, bid.parts):
        return [Reason("already_awarded", "What it was for is awarded to another bid.")]
    terms = agreements.freeze(listing, _won(listing, items, bid), bid)
    return await _against(work, listing, bid, terms, by=by, transition="award")


def _won(listing: Listing, items: Sequence[Item], bid: Bid) -> list[Portion]:
    """Of a listing sold in parts, what is still there: all that was bid for, or AlreadyAwarded."""
    if listing.lot_rule == "whole":
        return selling.portions(items, None)
    try:
        return selling.free(items, bid.parts)
    except CannotDivide:
        raise AlreadyAwarded(listing.id) from None


async def _against(
    work: UnitOfWork, listing: Listing, bid: Bid, terms: Terms, *, by: str, transition: str
) -> list[Reason]:
    facts = replace(await bids.facts(work, bid, now=work.now), part=by)
    _, reasons = states.check(BID, bid, transition, by=by, facts=facts)
    return [
        *reasons,
        *await _against_parties(work, listing, bid),
        *await _against_payee(work, terms),
        *await permits.against(work, bid.bidder_id, kind="treatment", **await permitting.at_most(work, terms)),
    ]


async def _against_parties(work: UnitOfWork, listing: Listing, bid: Bid) -> list[Reason]:
    """An award begins a contract: both sides must be able to begin one. Who offers a refused remainder ends one."""
    of_bidder = await standing.against(work, bid.bidder_id, PROCESSORS)
    is_remainder = listing.origin_remainder_id is not None
    of_seller = [] if is_remainder else await standing.against(work, listing.seller_id, SELLERS)
    return [
        *(Reason(reason.code, f"The bidder: {reason.detail}") for reason in of_bidder),
        *(Reason(reason.code, f"The seller: {reason.detail}") for reason in of_seller),
    ]


async def _against_payee(work: UnitOfWork, terms: Terms) -> list[Reason]:
    """The seller is paid for goods, the buyer for taking them; at a nil price nobody is."""
    if not terms.price:
        return []
    payee_id = terms.seller_id if terms.price.minor > 0 else terms.buyer_id
    if await payments.payout_status(work, payee_id) == "active":
        return []
    payee = await parties.organization(work, payee_id)
    return [Reason("payouts_not_active", f"{payee.legal_name} cannot be paid yet: its payout account is not active.")]


async def _ranking(
    work: UnitOfWork, listing: Listing, passed_over: Mapping[BidId, Sequence[str]]
) -> list[dict[str, object]]:
    ranked = await bids.ranking(work, listing, commission_bps=agreements.COMMISSION_BPS)
    return [
        {"bid_id": one.bid.id, "rank": one.rank, "landed_net_value": one.landed_net_value.amount}
        | ({"passed_over": list(passed_over[one.bid.id])} if passed_over.get(one.bid.id) else {})
        for one in ranked
    ]


async def _contract(
    work: UnitOfWork, listing: Listing, bid: Bid, terms: Terms, ranking: list[dict[str, object]]
) -> Order:
    award = Award(
        listing_id=listing.id,
        bid_id=bid.id,
        seller_id=listing.seller_id,
        buyer_id=bid.bidder_id,
        is_whole=listing.lot_rule == "whole",
        awarded_by=work.actor.label,
        ranking=ranking,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(award)
    await work.session.flush()
    site = await parties.site(work, bid.site_id)
    order = Order(
        award_id=award.id,
        listing_id=listing.id,
        bid_id=bid.id,
        seller_id=listing.seller_id,
        buyer_id=bid.bidder_id,
        from_site_id=listing.site_id,
        to_site_id=bid.site_id,
        terms=terms.model_dump(mode="json"),
        terms_hash=agreements.hash_of(terms),
        confirm_by=end_of_business_day(work.now, CONFIRM_DAYS, site.timezone),
        origin_remainder_id=listing.origin_remainder_id,
        stops=list(listing.stops),
        parent_order_id=await _parent(work, listing),
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(order)
    await work.session.flush()
    return order


async def _parent(work: UnitOfWork, listing: Listing) -> OrderId | None:
    if listing.origin_remainder_id is None:
        return None
    return (await queries.remainder(work, listing.origin_remainder_id)).order_id


async def _add_lines(work: UnitOfWork, order: Order, portions: Sequence[Portion]) -> None:
    for position, portion in enumerate(portions):
        item = portion.item
        line = OrderLine(
            order_id=order.id,
            position=position,
            item_id=item.id,
            title=item.title,
            quantity=portion.goods.quantity,
            mass_g=portion.goods.mass_g,
            waste_code=item.waste_code,
            un_number=item.un_number,
            is_hazardous=item.is_hazardous,
            livemode=work.livemode,
            created_at=work.now,
        )
        work.add(line)
    await work.session.flush()


async def _mark(work: UnitOfWork, bid: Bid, *, by: str, transition: str) -> None:
    """Before the listing: it is refused while bidding is on. What the buyer accepts, the seller has offered."""
    if transition == "accept_counter":
        await countering.mark_accepted(work, bid, by=by)
    else:
        await closing.mark_awarded(work, bid, by=by)


async def _mark_listing(work: UnitOfWork, listing: Listing, bid: Bid, *, by: str, is_anything_left: bool) -> None:
    bidders = [bid.bidder_id, *(OrgId(one.bidder_id) for one in await bids.live_bids(work, listing.id))]
    mark = publishing.mark_partly_awarded if is_anything_left else publishing.mark_awarded
    await mark(work, listing, by="time" if by == "time" else "seller", bidders=bidders)
