"""Who must leave a deposit, and what becomes of those that were left for a listing."""

from services.bidding.errors import BiddingHasClosed, DepositNotAsked, DepositNotNeeded, DepositRequired
from services.bidding.integrity import kinship
from services.bidding.policy import must_not_sell, must_process
from services.bidding.vouching import queries, verdicts
from services.kernel.actors import Actor
from services.kernel.ids import ListingId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import BEFORE_THE_CLOSE, Listing
from services.parties import standing
from services.parties.models import PROCESSORS
from services.payments import queries as payments
from services.payments.deposits import asking, ending
from services.payments.models import Deposit


async def must_be_vouched_for(work: UnitOfWork, listing: Listing, by: Actor) -> None:
    """Raises DepositRequired where the listing asks new bidders for a deposit and this one has secured none."""
    if listing.deposit is None or await queries.is_proven(work, by.org):
        return
    if not await payments.is_secured(work, listing.id, by.org):
        raise DepositRequired(listing.deposit)


async def ask(work: UnitOfWork, listing_id: ListingId, *, by: Actor) -> Deposit:
    """The bidder's deposit for the listing. Raises what would forbid its bid as well, DepositNotAsked and DepositNotNeeded."""
    must_process(by)
    await standing.must_be_good(work, by.org, PROCESSORS, thing="deposit", step="create")
    listing = await listings.visible_listing(work, listing_id, by)
    must_not_sell(by, listing)
    await kinship.must_not_be_the_seller(work, by.org, listing.seller_id)
    if listing.deposit is None:
        raise DepositNotAsked(listing.id)
    if listing.status not in BEFORE_THE_CLOSE:
        raise BiddingHasClosed(listing.id, received_at=work.now, ended_at=listing.effective_end_at)
    if await queries.is_proven(work, by.org):
        raise DepositNotNeeded()
    return await asking.ask(
        work, listing_id=listing.id, seller_id=listing.seller_id, bidder_id=by.org, amount=listing.deposit
    )


async def decide(work: UnitOfWork, listing_id: ListingId) -> None:
    """By how things stand now: asked again it changes nothing, and in whatever order news arrives it says the same."""
    deposits = await payments.undecided_deposits_for_update(work, listing_id)
    if not deposits:
        return
    listing = await listings.listing(work, listing_id)
    placed = await queries.bids_of(work, listing_id, [deposit.bidder_id for deposit in deposits])
    for deposit in deposits:
        of_bidder = [bid for bid in placed if bid.bidder_id == deposit.bidder_id]
        await _carry_out(work, deposit, verdicts.of(listing.status, of_bidder, deposit.secured_at))


async def _carry_out(work: UnitOfWork, deposit: Deposit, verdict: verdicts.Verdict) -> None:
    if verdict.what == "call_off":
        await asking.call_off(work, deposit)
    elif verdict.what == "release":
        await ending.release(work, deposit)
    elif verdict.bid_id is not None:
        await ending.forfeit(work, deposit, verdict.bid_id)


async def prove(work: UnitOfWork, org_id: OrgId) -> None:
    """An order that it bought has been settled: nobody asks it for a deposit any more."""
    await queries.remember(work, org_id)
