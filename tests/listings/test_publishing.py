"""A listing's way: published when complete, opened by the clock, closed, awarded, ended."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Blocked, Forbidden, Invalid, TransitionNotPossible
from services.kernel.events import EventRow
from services.kernel.states import choices, move
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing, queries
from services.listings.models import LISTING, STATUSES, DraftItem, Listing, ListingFacts
from tests.conftest import Advance, Settle
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing, published_listing
from tests.factories.parties import Party, organization

POSSIBLE = {(transition.name, source) for transition in LISTING.transitions for source in transition.sources}
NAMES = sorted({transition.name for transition in LISTING.transitions})


def in_status(status: str) -> Listing:
    fields: dict[str, Any] = {"status": status, "mode": "negotiated"}
    return Listing(**fields)


async def told(sessions: Sessions, listing: Listing) -> list[EventRow]:
    query = select(EventRow).where(col(EventRow.subject_id) == listing.id).order_by(col(EventRow.ordinal))
    async with sessions() as session:
        return list((await session.execute(query)).scalars())


async def status(sessions: Sessions, listing: Listing) -> str:
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        return (await queries.listing(work, listing.id)).status


async def refusals(sessions: Sessions, seller: Party, listing: Listing) -> list[tuple[str, str]]:
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(Invalid) as refused:
            await publishing.publish(work, listing.id, by=seller.actor)
    return [(error.pointer, error.code) for error in refused.value.errors]


async def test_a_draft_without_items_is_not_published(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, mode="negotiated")
    assert await refusals(sessions, seller, listing) == [("/items", "listing_without_items")]


async def test_everything_that_is_missing_is_told_at_once(sessions: Sessions) -> None:
    seller = await organization(sessions)
    bare = DraftItem(title="Cells", quantity=1, is_hazardous=True)
    listing = await draft_listing(sessions, seller, [motors(mass=None), bare], visibility="invited")
    assert await refusals(sessions, seller, listing) == [
        ("/closes_at", "closes_at_required"),
        ("/invited", "nobody_invited"),
        ("/items/0/mass", "mass_required"),
        ("/items/1/return_reason", "return_reason_required"),
        ("/items/1/condition_grade", "condition_grade_required"),
        ("/items/1/composition", "composition_required"),
        ("/items/1/mass", "mass_required"),
        ("/items/1/waste_code", "waste_code_required"),
        ("/items/1/hp_codes", "hp_codes_required"),
        ("/items/1/un_number", "un_number_required"),
        ("/items/1/packaging", "packaging_required"),
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (lithium_modules(photos=[]), ("/items/0/photos", "photo_required")),
        (lithium_modules(is_hazardous=False), ("/items/0/is_hazardous", "hazard_not_declared")),
        (lithium_modules(un_number="UN 9999"), ("/items/0/un_number", "un_number_unknown")),
        (motors(waste_code="160699"), ("/items/0/waste_code", "code_not_valid")),
        (motors(return_reason="product_recall"), ("/items/0/reason_detail", "campaign_required")),
    ],
)
async def test_what_an_item_lacks_has_a_pointer(sessions: Sessions, item: DraftItem, expected: tuple[str, str]) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [item], mode="negotiated")
    assert await refusals(sessions, seller, listing) == [expected]


async def test_unsold_goods_are_not_destroyed_without_a_reason(sessions: Sessions) -> None:
    seller = await organization(sessions)
    unsold = motors(return_reason="unsold_inventory", condition_grade="new")
    listing = await draft_listing(sessions, seller, [unsold], mode="negotiated", disposition_floor="dispose")
    assert await refusals(sessions, seller, listing) == [("/items/0/reason_detail", "destruction_not_justified")]


async def test_a_code_of_another_jurisdiction_does_not_hold(sessions: Sessions) -> None:
    british = await organization(sessions, country="GB")
    listing = await draft_listing(sessions, british, [lithium_modules(is_hazardous=True)], mode="negotiated")
    assert await refusals(sessions, british, listing) == [("/items/0/waste_code", "code_not_valid")]


@pytest.mark.parametrize(
    ("opens", "closes", "cap", "code"),
    [
        (None, -1, None, "in_the_past"),
        (3, 2, None, "closes_before_opening"),
        (None, 2, 1, "hard_cap_before_close"),
    ],
)
async def test_the_clock_must_run_forward(
    sessions: Sessions, opens: int | None, closes: int, cap: int | None, code: str
) -> None:
    seller = await organization(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        days = {"opens_at": opens, "closes_at": closes, "hard_cap_at": cap}
        clock: dict[str, object] = {
            name: work.now + timedelta(days=day) for name, day in days.items() if day is not None
        }
    listing = await draft_listing(sessions, seller, [motors()], mode="timed", **clock)
    assert [code for _, code in await refusals(sessions, seller, listing)] == [code]


async def test_missing_photos_of_harmless_goods_are_a_notice_only(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, [motors(photos=[])])
    assert listing.status == "open"


async def test_publishing_without_a_date_opens_at_once(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller)
    assert (listing.status, listing.opens_at) == ("open", listing.published_at)
    assert [event.type for event in await told(sessions, listing)] == [
        "listing.created",
        "listing.submitted",
        "listing.published",
        "listing.opened",
    ]


async def test_the_clock_opens_closes_and_ends_a_listing(sessions: Sessions, settle: Settle, advance: Advance) -> None:
    seller = await organization(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        opens_at = work.now + timedelta(days=1)
    listing = await published_listing(sessions, seller, opens_at=opens_at)
    await settle()
    assert await status(sessions, listing) == "scheduled"
    await advance(timedelta(days=1))
    assert await status(sessions, listing) == "open"
    await advance(timedelta(days=3))
    assert await status(sessions, listing) == "closed"
    moments = {event.type: event.occurred_at for event in await told(sessions, listing)}
    assert (moments["listing.opened"], moments["listing.closed"]) == (opens_at, listing.closes_at)


async def test_a_closed_listing_nobody_is_awarded_expires_after_ten_days(sessions: Sessions, advance: Advance) -> None:
    listing = await _closed(sessions)
    await advance(timedelta(days=9))
    assert await status(sessions, listing) == "closed"
    await advance(timedelta(days=1))
    assert await status(sessions, listing) == "expired"


async def test_an_awarded_listing_does_not_expire(sessions: Sessions, advance: Advance) -> None:
    listing = await _closed(sessions)
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        await publishing.mark_awarded(work, await queries.listing_for_update(work, listing.id))
    await advance(timedelta(days=11))
    assert await status(sessions, listing) == "awarded"


async def test_a_reopened_award_has_ten_days_again(sessions: Sessions, advance: Advance) -> None:
    listing = await _closed(sessions)
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        locked = await queries.listing_for_update(work, listing.id)
        await publishing.mark_awarded(work, locked)
        await publishing.reopen_award(work, locked)
    assert await status(sessions, listing) == "closed"
    await advance(timedelta(days=10))
    assert await status(sessions, listing) == "expired"


async def test_a_fulfilled_listing_is_told_to_seller_and_bidders(sessions: Sessions) -> None:
    listing = await _closed(sessions)
    bidder = await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        locked = await queries.listing_for_update(work, listing.id)
        await publishing.mark_awarded(work, locked)
        await publishing.fulfil(work, locked, bidders=[bidder.org.id])
    last = (await told(sessions, listing))[-1]
    assert last.type == "listing.fulfilled"
    assert last.audience == {listing.seller_id: "seller", bidder.org.id: "processor"}


async def test_a_sealed_listing_is_not_awarded_while_open(sessions: Sessions) -> None:
    listing = await open_listing(sessions, await organization(sessions))
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        with pytest.raises(Blocked) as refused:
            await publishing.mark_awarded(work, await queries.listing_for_update(work, listing.id))
    assert refused.value.code == "still_open"


async def test_a_negotiated_listing_is_awarded_while_open(sessions: Sessions) -> None:
    listing = await open_listing(sessions, await organization(sessions), mode="negotiated")
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        awarded = await publishing.mark_awarded(work, await queries.listing_for_update(work, listing.id))
    assert awarded.status == "awarded"


async def test_a_timed_listing_ends_an_hour_after_its_end_at_the_latest(sessions: Sessions) -> None:
    listing = await open_listing(sessions, await organization(sessions), mode="timed")
    assert listing.closes_at is not None
    assert listing.hard_cap_at == listing.closes_at + timedelta(hours=1)


async def test_a_withdrawn_listing_never_opens(sessions: Sessions, advance: Advance) -> None:
    seller = await organization(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        opens_at = work.now + timedelta(days=1)
    listing = await published_listing(sessions, seller, opens_at=opens_at)
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    await advance(timedelta(days=2))
    assert await status(sessions, listing) == "withdrawn"


async def test_an_awarded_listing_is_not_withdrawn(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, mode="negotiated")
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.mark_awarded(work, await queries.listing_for_update(work, listing.id))
        with pytest.raises(TransitionNotPossible):
            await publishing.withdraw(work, listing.id, by=seller.actor)


async def test_a_withdrawn_draft_is_told_to_its_seller_alone(sessions: Sessions) -> None:
    seller = await organization(sessions)
    guest = await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")
    listing = await draft_listing(sessions, seller, visibility="invited", invited=[guest.org.id])
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    assert {org for event in await told(sessions, listing) for org in event.audience} == {seller.org.id}


async def test_the_invited_are_told_what_is_published(sessions: Sessions) -> None:
    seller = await organization(sessions)
    guest = await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")
    listing = await open_listing(sessions, seller, visibility="invited", invited=[guest.org.id])
    heard = [event.type for event in await told(sessions, listing) if guest.org.id in event.audience]
    assert heard == ["listing.published", "listing.opened"]


async def test_backhaul_cancels_and_says_why(sessions: Sessions) -> None:
    operator = await organization(sessions, roles=["operator"], name="Backhaul")
    listing = await open_listing(sessions, await organization(sessions))
    async with UnitOfWork(sessions, operator.actor) as work:
        await publishing.cancel(work, listing.id, by=operator.actor, reason="Forged photos")
    last = (await told(sessions, listing))[-1]
    assert (last.type, last.new_status, last.data["reason"]) == ("listing.cancelled", "cancelled", "Forged photos")


async def test_a_seller_does_not_cancel(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller)
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(Forbidden):
            await publishing.cancel(work, listing.id, by=seller.actor, reason="No")


async def test_the_events_say_what_is_offered(sessions: Sessions) -> None:
    listing = await open_listing(sessions, await organization(sessions))
    data = (await told(sessions, listing))[-1].data
    assert data["total_mass"] == {"value": "12000", "unit": "kg"}
    assert data["materials"][0] == {"material": "steel", "mass": {"value": "9600", "unit": "kg"}}
    assert (data["price_unit"], data["currency"], data["mode"]) == ("tonne", "EUR", "sealed")


@pytest.mark.parametrize(
    ("name", "before"), [(name, before) for name in NAMES for before in STATUSES if (name, before) not in POSSIBLE]
)
def test_only_the_pairs_of_the_table_occur(name: str, before: str) -> None:
    listing = in_status(before)
    with pytest.raises(TransitionNotPossible):
        move(LISTING, listing, name, by=LISTING.named(name)[0].actors[0], facts=ListingFacts())


@pytest.mark.parametrize(("name", "before"), sorted(POSSIBLE))
def test_every_pair_of_the_table_moves(name: str, before: str) -> None:
    listing = in_status(before)
    transition = LISTING.find(name, before)
    moved = move(LISTING, listing, name, by=transition.actors[0], facts=ListingFacts())
    assert (moved.old, moved.new, listing.version) == (before, transition.target or before, 2)


@pytest.mark.parametrize(("name", "before"), sorted(POSSIBLE))
def test_no_transition_is_for_a_processor(name: str, before: str) -> None:
    listing = in_status(before)
    with pytest.raises(Forbidden):
        move(LISTING, listing, name, by="processor", facts=ListingFacts())
    assert choices(LISTING, listing, by=["processor"], facts=ListingFacts()).allowed == []


async def _closed(sessions: Sessions) -> Listing:
    listing = await open_listing(sessions, await organization(sessions), mode="negotiated")
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        return await publishing.close(work, await queries.listing_for_update(work, listing.id))
