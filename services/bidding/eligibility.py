"""Whether a bid is one for this listing, and whether its bidder may take the goods."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.bidding.errors import BidDoesNotFit, BidTooLow
from services.bidding.models import NewBid, rung
from services.kernel.actors import Actor
from services.kernel.errors import Blocked, Detail, NotFound
from services.kernel.money import Money
from services.kernel.reference import operations
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.dividing import selling
from services.listings.dividing.selling import Portion
from services.listings.models import AWARDED_WHILE_OPEN, Item, Listing
from services.listings.recalling import queries as recalls
from services.parties import permits
from services.parties import queries as parties
from services.parties.coverage import Question
from services.parties.models import Site


async def check(work: UnitOfWork, new: NewBid, listing: Listing, *, by: Actor, at: datetime) -> None:
    """BidDoesNotFit with a pointer per thing that is wrong; Blocked with a reason per waste code no permit covers."""
    site = await _own_site(work, new, by)
    _must_meet_the_price(new, listing)
    items = await listings.items(work, listing.id)
    parts = None if new.parts is None else [part.model_dump() for part in new.parts]
    with_units = await listings.items_with_units(work, listing.id) if parts else frozenset[str]()
    wrong = [
        *against_terms(new, listing),
        *selling.against(listing, items, parts, with_units),
        *await _against_recall(work, new, items),
        *_against_validity(new, listing, at),
    ]
    if wrong:
        raise BidDoesNotFit(*wrong)
    asked = question(new, site, at)
    reasons = await permits.against(
        work,
        by.org,
        kind=asked.kind,
        masses=masses(listing, selling.portions(items, parts)),
        on=asked.on,
        country=asked.country,
        operation=asked.operation,
        site_id=asked.site_id,
    )
    if reasons:
        raise Blocked("bid", "place", reasons)


def question(new: NewBid, site: Site, at: datetime) -> Question:
    """Whether its bidder may take the goods there, on that day at the site."""
    on = at.astimezone(ZoneInfo(site.timezone)).date()
    return Question("treatment", on, site.country, new.operation, site.id)


def masses(listing: Listing, portions: Sequence[Portion]) -> dict[str, int]:
    """Grams by waste code at the upper tolerance: the most that may arrive. What is no waste is left out."""
    tolerance_bps = 0 if listing.origin_remainder_id else listing.tolerance_bps
    sums: dict[str, int] = {}
    for portion in portions:
        waste_code = portion.item.waste_code
        if waste_code:
            most = (portion.goods.mass_g or 0) * (10_000 + tolerance_bps) // 10_000
            sums[waste_code] = sums.get(waste_code, 0) + most
    return sums


def _must_meet_the_price(new: NewBid, listing: Listing) -> None:
    if listing.price is not None and new.price.currency == listing.currency and new.price < listing.price:
        raise BidTooLow(str(listing.price))


async def _own_site(work: UnitOfWork, new: NewBid, by: Actor) -> Site:
    try:
        site = await parties.site(work, new.site_id)
    except NotFound:
        site = None
    if site is None or site.org_id != by.org_id:
        raise BidDoesNotFit(Detail("/site_id", "site_not_yours", "The goods go to a site of yours."))
    return site


def against_terms(new: NewBid, listing: Listing) -> Iterable[Detail]:
    """What of its terms and amounts does not fit the listing's."""
    yield from _against_price(new, listing)
    yield from _against_haulage(new, listing)
    yield from _against_limit(new, listing)


def _against_price(new: NewBid, listing: Listing) -> Iterable[Detail]:
    yield from _against_currency("/price", new.price, listing)
    if listing.price_minor is not None and new.price.minor > listing.price_minor:
        yield Detail("/price", "price_differs", f"The listing is sold at {listing.price}.")
    if new.price_unit not in (None, listing.price_unit):
        yield Detail("/price_unit", "price_unit_differs", f"The listing is priced per {listing.price_unit}.")
    if rung(new.disposition) > rung(listing.disposition_floor):
        yield Detail("/disposition", "disposition_below_floor", f"The holder asks for {listing.disposition_floor}.")
    if new.operation is not None and not operations.is_known(new.operation):
        yield Detail("/operation", "operation_unknown", "An operation is R1 to R13 or D1 to D15.")


async def _against_recall(work: UnitOfWork, new: NewBid, items: Sequence[Item]) -> list[Detail]:
    """Recalled goods go where their campaign says."""
    asked = {item.id for item in items} if new.parts is None else {part.item_id for part in new.parts}
    named = {item.recall_campaign_id for item in items if item.id in asked and item.recall_campaign_id is not None}
    if not named:
        return []
    async with work.as_house():
        campaigns = (await recalls.campaigns(work, named)).values()
    allowed = set.intersection(*(set(campaign.dispositions) for campaign in campaigns))
    if new.disposition in allowed:
        return []
    told = f"The recall asks for {' or '.join(sorted(allowed)) or 'what no one bid can promise'}."
    return [Detail("/disposition", "disposition_not_in_recall", told)]


def _against_haulage(new: NewBid, listing: Listing) -> Iterable[Detail]:
    named = {"FCA": "haulage_ceiling", "DAP": "haulage_quote"}
    for basis, name in named.items():
        amount: Money | None = getattr(new, name)
        if amount is None:
            continue
        yield from _against_currency(f"/{name}", amount, listing)
        if basis != new.haulage_basis:
            yield Detail(f"/{name}", "haulage_does_not_fit", f"{name} belongs to a bid {basis}.")
        if amount.minor < 0:
            yield Detail(f"/{name}", "negative", "Haulage costs something, or nothing.")
    if new.haulage_basis == "DAP" and new.haulage_quote is None:
        yield Detail("/haulage_quote", "required", "A bid DAP says what delivering costs the seller.")


def _against_limit(new: NewBid, listing: Listing) -> Iterable[Detail]:
    if new.limit is None:
        return
    yield from _against_currency("/limit", new.limit, listing)
    if listing.mode != "timed":
        yield Detail("/limit", "limit_needs_timed", "Only bids for a timed listing are raised.")
    elif new.limit.currency == new.price.currency and new.limit.minor < new.price.minor:
        yield Detail("/limit", "limit_below_price", "A bid is raised from its price up to its limit.")


def must_outlast(new: NewBid, listing: Listing, at: datetime) -> None:
    """BidDoesNotFit where the bid would lapse before the bidding ends."""
    wrong = list(_against_validity(new, listing, at))
    if wrong:
        raise BidDoesNotFit(*wrong)


def _against_validity(new: NewBid, listing: Listing, at: datetime) -> Iterable[Detail]:
    if new.valid_until is None:
        return
    last = at if listing.mode in AWARDED_WHILE_OPEN else listing.hard_cap_at or listing.effective_end_at or at
    if new.valid_until <= max(last, at):
        yield Detail("/valid_until", "ends_too_early", "A bid binds beyond the end of the bidding.")


def _against_currency(pointer: str, amount: Money, listing: Listing) -> Iterable[Detail]:
    if amount.currency != listing.currency:
        yield Detail(f"{pointer}/currency", "currency_differs", f"The listing is priced in {listing.currency}.")
