"""A draft is its seller's alone, and sums up what is in it."""

import pytest
from pydantic import ValidationError
from sqlmodel import col, select

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Forbidden, Invalid, NotFound, VersionMismatch
from services.kernel.events import EventRow
from services.kernel.ids import ListingId, OrgId, RemainderId, SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, queries
from services.listings.errors import KeyTaken, ListingIsNotADraft, MayNotList, NotTheSeller
from services.listings.models import DraftItem, ItemChanges, ListingChanges
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing, terms
from tests.factories.parties import organization


async def test_a_draft_is_told_to_its_seller_alone(sessions: Sessions) -> None:
    seller = await organization(sessions)
    guest = await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")
    listing = await draft_listing(sessions, seller, visibility="invited", invited=[guest.org.id])
    async with sessions() as session:
        told = (await session.execute(select(EventRow).where(col(EventRow.subject_id) == listing.id))).scalars().all()
    assert [(event.type, event.audience) for event in told] == [("listing.created", {seller.org.id: "seller"})]


async def test_a_draft_takes_its_place_from_the_site(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    assert (listing.country, listing.latitude, listing.longitude) == ("DE", 51.3127, 9.4797)


async def test_a_draft_sums_up_its_items(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [motors(), lithium_modules()])
    assert (listing.item_count, listing.total_mass_g) == (2, 13_800_000)
    assert listing.materials == [
        {"material": "steel", "mass_g": 9_600_000},
        {"material": "copper", "mass_g": 2_400_000},
        {"material": "lithium_batteries", "mass_g": 1_800_000},
    ]


async def test_one_unweighed_item_leaves_the_listing_unweighed(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [motors(), lithium_modules(mass=None)])
    assert listing.total_mass_g is None
    assert {"material": "lithium_batteries", "mass_g": None} in listing.materials


async def test_a_recycler_does_not_list(sessions: Sessions) -> None:
    recycler = await organization(sessions, roles=["recycler"])
    with pytest.raises(MayNotList):
        await draft_listing(sessions, recycler)


async def test_a_remainder_is_listed_where_it_was_refused(sessions: Sessions) -> None:
    seller = await organization(sessions)
    recycler = await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")
    first = await draft_listing(sessions, seller)
    origin: dict[str, object] = {"origin_listing_id": first.id, "origin_remainder_id": RemainderId.new()}
    asked = terms(seller, site_id=recycler.site.id, **origin)
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        listing = await drafting.draft(work, asked, by=work.actor, seller_id=seller.org.id)
    assert (listing.seller_id, listing.site_id) == (seller.org.id, recycler.site.id)


async def test_goods_lie_at_a_site_of_the_seller(sessions: Sessions) -> None:
    seller = await organization(sessions)
    other = await organization(sessions, name="Südwerk GmbH")
    with pytest.raises(Invalid) as refused:
        await draft_listing(sessions, seller, site_id=other.site.id)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/site_id", "site_not_found")]


async def test_only_who_exists_is_invited(sessions: Sessions) -> None:
    seller = await organization(sessions)
    with pytest.raises(Invalid) as refused:
        await draft_listing(sessions, seller, visibility="invited", invited=[seller.org.id, OrgId.new()])
    assert [error.pointer for error in refused.value.errors] == ["/invited/1"]


async def test_a_foreign_draft_is_not_found(sessions: Sessions) -> None:
    listing = await draft_listing(sessions, await organization(sessions))
    stranger = await organization(sessions, name="Südwerk GmbH")
    async with UnitOfWork(sessions, stranger.actor) as work:
        with pytest.raises(NotFound):
            await drafting.change(work, listing.id, ListingChanges(title="Mine"), by=stranger.actor)


async def test_a_published_listing_of_another_is_seen_but_not_changed(sessions: Sessions) -> None:
    listing = await open_listing(sessions, await organization(sessions))
    stranger = await organization(sessions, name="Südwerk GmbH")
    async with UnitOfWork(sessions, stranger.actor) as work:
        with pytest.raises(NotTheSeller):
            await drafting.change(work, listing.id, ListingChanges(title="Mine"), by=stranger.actor)


async def test_what_is_published_is_not_edited(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller)
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(ListingIsNotADraft):
            await drafting.add_item(work, listing.id, motors(), by=seller.actor)


async def test_a_change_leaves_what_it_does_not_mention(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, description="Two pallets")
    async with UnitOfWork(sessions, seller.actor) as work:
        changed = await drafting.change(work, listing.id, ListingChanges(title="Motors"), by=seller.actor)
    assert (changed.title, changed.description, changed.version) == ("Motors", "Two pallets", 2)


async def test_null_empties_what_may_be_empty(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, description="Two pallets")
    async with UnitOfWork(sessions, seller.actor) as work:
        changed = await drafting.change(work, listing.id, ListingChanges(description=None), by=seller.actor)
    assert changed.description is None


def test_a_title_cannot_be_emptied() -> None:
    with pytest.raises(ValidationError):
        ListingChanges(title=None)


async def test_a_change_to_another_version_than_was_read_is_refused(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)

    def read_the_seventh(version: int) -> None:
        raise VersionMismatch(version)

    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(VersionMismatch):
            await drafting.add_item(work, listing.id, motors(), by=seller.actor, check_version=read_the_seventh)


async def test_items_come_change_and_go(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [motors()])
    async with UnitOfWork(sessions, seller.actor) as work:
        modules = await drafting.add_item(work, listing.id, lithium_modules(), by=seller.actor)
        halved = ItemChanges.model_validate({"quantity": 30, "mass": {"value": "900", "unit": "kg"}})
        await drafting.change_item(work, listing.id, modules.id, halved, by=seller.actor)
    async with UnitOfWork(sessions, seller.actor) as work:
        first, second = await queries.items(work, listing.id)
        left = await drafting.remove_item(work, listing.id, first.id, by=seller.actor)
    assert (second.quantity, second.mass_g) == (30, 900_000)
    assert (left.item_count, left.total_mass_g, left.version) == (1, 900_000, 4)


async def test_two_items_do_not_share_a_key(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [motors(key="motors")])
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(KeyTaken):
            await drafting.add_item(work, listing.id, motors(key="motors"), by=seller.actor)


async def test_two_items_of_a_new_draft_do_not_share_a_key(sessions: Sessions) -> None:
    seller = await organization(sessions)
    with pytest.raises(Invalid) as refused:
        await draft_listing(sessions, seller, [motors(key="motors"), motors(key="motors")])
    assert refused.value.errors[0].pointer == "/items/1/key"


async def test_a_hazardous_code_makes_the_item_hazardous(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [lithium_modules(), motors()])
    async with UnitOfWork(sessions, seller.actor) as work:
        items = await queries.items(work, listing.id)
    assert [(item.waste_code, item.is_hazardous) for item in items] == [("160607", True), ("160214", False)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"waste_code": "16 02"},
        {"un_number": "UN 34"},
        {"hp_codes": ["HP99"]},
        {"mass": {"value": "0", "unit": "kg"}},
        {"composition": [{"material": "unobtainium", "ppm": 1_000_000}]},
        {"composition": [{"material": "steel", "ppm": 900_000}]},
        {"composition": [{"material": "steel", "ppm": 500_000}, {"material": "Steel", "ppm": 500_000}]},
        {"photos": [{"sha256": "short", "name": "a.jpg"}]},
        {"photos": [{"sha256": "0" * 64, "name": "a.jpg", "url": "javascript:alert(1)"}]},
    ],
)
def test_an_item_says_only_what_can_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        motors(**wrong)


def test_not_knowing_is_an_answer() -> None:
    item = DraftItem.model_validate(
        {"title": "Mixed", "quantity": 1, "composition": [{"material": "unknown", "ppm": 1_000_000}]}
    )
    assert item.composition is not None


async def test_a_site_that_does_not_exist_is_refused(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(Invalid):
            await drafting.change(work, listing.id, ListingChanges(site_id=SiteId.new()), by=seller.actor)


async def test_a_listing_that_does_not_exist_is_not_found(sessions: Sessions) -> None:
    seller = await organization(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(NotFound):
            await drafting.add_item(work, ListingId.new(), motors(), by=seller.actor)


def test_refusing_to_list_is_a_matter_of_permission() -> None:
    assert issubclass(MayNotList, Forbidden)
