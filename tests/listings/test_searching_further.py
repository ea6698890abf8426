"""Filters, sorts and pages of the search; and that what is said of one listing is what the search finds."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from services.kernel import timers
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Invalid
from services.kernel.pagination import PageRequest
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing, queries, searching
from services.listings.models import Listing, Offer
from services.listings.models.drafts import DISPOSITIONS
from services.listings.searching import Place, Wanted
from services.listings.searching.fitting import fits
from services.listings.searching.words import words
from services.parties import sites
from tests.conftest import Advance, Settle
from tests.factories.listings import lithium_modules, motors, open_listing, published_listing
from tests.factories.parties import Party, organization, yard

KASSEL = Place(51.3127, 9.4797)


async def page(
    sessions: Sessions, seeker: Party, limit: int, cursor: str | None, **wanted: Any
) -> tuple[list[str], str | None]:
    async with UnitOfWork(sessions, seeker.actor) as work:
        paging = PageRequest(limit=limit, cursor=cursor)
        rows, after = await searching.search(work, Wanted(**wanted), paging, by=seeker.actor)
    return [row.id for row in rows], after


async def found(sessions: Sessions, seeker: Party, **wanted: Any) -> list[str]:
    return (await page(sessions, seeker, 50, None, **wanted))[0]


async def found_in_pages(sessions: Sessions, seeker: Party, **wanted: Any) -> list[list[str]]:
    """Two at a time, at most five pages."""
    first, cursor = await page(sessions, seeker, 2, None, **wanted)
    pages = [first]
    while cursor is not None and len(pages) < 5:
        more, cursor = await page(sessions, seeker, 2, cursor, **wanted)
        pages.append(more)
    return pages


async def recycler(sessions: Sessions) -> Party:
    return await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")


async def listing_at(sessions: Sessions, seller: Party, latitude: float, **given: Any) -> str:
    async with UnitOfWork(sessions, seller.actor) as work:
        site = await sites.create(work, yard(latitude=latitude), by=seller.actor)
    return (await open_listing(sessions, seller, site_id=site.id, **given)).id


@pytest.mark.parametrize(
    ("wanted", "finds"),
    [
        ({"waste_code": "160214"}, True),
        ({"waste_code": "160607"}, False),
        ({"condition_floor": "salvage"}, True),
        ({"condition_floor": "damaged"}, False),
        ({"condition": "salvage", "condition_floor": "new"}, False),
        ({"disposition_floor": "recycle"}, True),
        ({"disposition_floor": "reuse"}, False),
        ({"mode": "sealed"}, True),
        ({"mode": "timed"}, False),
        ({"price_direction": "seller_pays"}, True),
        ({"price_direction": "buyer_pays"}, False),
        ({"least_g": 12_000_000, "most_g": 12_000_000}, True),
        ({"least_g": 12_000_001}, False),
        ({"most_g": 11_999_999}, False),
        ({"text": "Électric, MOTORS"}, True),
        ({"text": "equipment electric"}, True),
        ({"text": "electric bananas"}, False),
        ({"text": "motors", "material": "copper", "near": KASSEL, "radius_km": 5}, True),
        ({"text": "motors", "material": "pp"}, False),
    ],
)
async def test_each_filter_finds_what_it_says(sessions: Sessions, wanted: dict[str, Any], finds: bool) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    listing = await open_listing(sessions, seller, price_direction="seller_pays")
    assert await found(sessions, seeker, **wanted) == [listing.id] * finds


async def test_what_closes_first_comes_first_and_what_never_closes_last(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        now = work.now
    never = await open_listing(sessions, seller, mode="negotiated")
    late = await open_listing(sessions, seller, closes_at=now + timedelta(days=9))
    soon = await open_listing(sessions, seller, closes_at=now + timedelta(days=2))
    assert await found(sessions, seeker, sort="closing") == [soon.id, late.id, never.id]
    within = {"closes_from": now + timedelta(days=3), "closes_until": now + timedelta(days=30)}
    assert await found(sessions, seeker, **within) == [late.id]


async def test_what_is_nearest_comes_first(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    far, near, nearer = [await listing_at(sessions, seller, 51.3127 + north) for north in (2.0, 0.5, 0.1)]
    wanted: dict[str, Any] = {"near": KASSEL, "radius_km": 300, "sort": "distance"}
    assert await found(sessions, seeker, **wanted) == [nearer, near, far]
    assert await found(sessions, seeker, **(wanted | {"radius_km": 60})) == [nearer, near]


@pytest.mark.parametrize("sort", ["newest", "closing", "distance"])
@pytest.mark.parametrize("radius_km", [10, 90, 400])
async def test_pages_follow_each_other_without_gap_or_repetition(
    sessions: Sessions, sort: str, radius_km: float
) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    offered = [(await open_listing(sessions, seller, [motors(), lithium_modules()])).id for _ in range(5)]
    wanted: dict[str, Any] = {"near": KASSEL, "radius_km": radius_km, "sort": sort}
    pages = await found_in_pages(sessions, seeker, **wanted)
    assert [len(page) for page in pages] == [2, 2, 1]
    in_pages = [one for page in pages for one in page]
    assert sorted(in_pages) == sorted(offered)
    assert in_pages == await found(sessions, seeker, **wanted)


async def test_a_cursor_of_another_sort_is_refused(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    for _ in range(2):
        await open_listing(sessions, seller)
    _, cursor = await page(sessions, seeker, 1, None, sort="closing")
    with pytest.raises(Invalid):
        await page(sessions, seeker, 1, cursor, sort="newest")


async def test_who_sorts_by_distance_says_from_where(sessions: Sessions) -> None:
    seeker = await recycler(sessions)
    with pytest.raises(Invalid):
        await found(sessions, seeker, sort="distance")


async def test_a_listing_of_many_items_is_found_once(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    listing = await open_listing(sessions, seller, [motors(), motors(title="Pumps"), motors(condition_grade="damaged")])
    assert await found(sessions, seeker, material="copper") == [listing.id]


async def test_what_is_found_follows_the_listing_through_its_states(sessions: Sessions, advance: Advance) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        opens_at = work.now + timedelta(days=1)
    listing = await published_listing(sessions, seller, opens_at=opens_at)
    assert await found(sessions, seeker, status="scheduled") == [listing.id]
    await advance(timedelta(days=1, minutes=1))
    assert await found(sessions, seeker, status="open") == [listing.id]
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    assert await found(sessions, seeker, status="open") == []
    assert await found(sessions, seeker, status="withdrawn") == [listing.id]


def test_words_know_no_case_and_no_accents() -> None:
    assert words("Getriebe-Motoren, GROß", "größe 7,5kW") == ["getriebe", "motoren", "gross", "grosse", "5kw"]


WANTED = st.builds(
    Wanted,
    material=st.sampled_from([None, "copper", "steel", "lithium_batteries"]),
    condition=st.sampled_from([None, "salvage", "damaged"]),
    condition_floor=st.sampled_from([None, "salvage", "damaged", "new"]),
    return_reason=st.sampled_from([None, "end_of_life", "defective"]),
    disposition_floor=st.sampled_from([None, *DISPOSITIONS[3:5]]),
    mode=st.sampled_from([None, "sealed", "timed"]),
    price_direction=st.sampled_from([None, "buyer_pays"]),
    waste_code=st.sampled_from([None, "160214", "160607"]),
    country=st.sampled_from([None, "DE", "FR"]),
    least_g=st.sampled_from([None, 2_000_000]),
    most_g=st.sampled_from([None, 13_000_000]),
    text=st.sampled_from([None, "motors", "electric lithium", "modules equipment"]),
    near=st.sampled_from([None, KASSEL, Place(51.0, 9.0)]),
    radius_km=st.sampled_from([11.0, 60.0, 450.0]),
)


def drawn() -> list[Wanted]:
    asked: list[Wanted] = []

    @settings(max_examples=150, database=None)
    @given(WANTED)
    def draw(wanted: Wanted) -> None:
        asked.append(wanted)

    draw()
    return asked


async def offered(sessions: Sessions, seller: Party) -> list[Listing]:
    both, damaged = [motors(), lithium_modules()], [motors(condition_grade="damaged", return_reason="defective")]
    return [
        await open_listing(sessions, seller),
        await open_listing(sessions, seller, both, mode="timed", price_direction="buyer_pays"),
        await open_listing(sessions, seller, damaged, disposition_floor="harvest"),
        await open_listing(sessions, seller, [lithium_modules()]),
    ]


async def test_what_is_said_of_one_listing_is_what_the_search_finds(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    listings = await offered(sessions, seller)
    async with UnitOfWork(sessions, seeker.actor) as work:
        items = {listing.id: await queries.items(work, listing.id) for listing in listings}
    for wanted in drawn():
        fitting = {listing.id for listing in listings if fits(wanted, listing, items[listing.id])}
        assert set(await found(sessions, seeker, **vars(wanted))) == fitting, wanted


async def test_what_was_published_before_there_were_offers_is_offered_by_its_timer(
    sessions: Sessions, settle: Settle
) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    listing = await open_listing(sessions, seller)
    async with UnitOfWork(sessions, system(False)) as work:
        await work.session.execute(delete(Offer))
        await timers.schedule(work, "listing.offer", listing.id, work.now)
    await settle()
    assert await found(sessions, seeker) == [listing.id]


async def test_words_of_any_script_are_found(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    listing = await open_listing(sessions, seller, [motors(title="Пластик, 廃プラスチック")])
    assert await found(sessions, seeker, text="ПЛАСТИК") == [listing.id]
    assert await found(sessions, seeker, text="廃プラスチック пластик") == [listing.id]
    assert await found(sessions, seeker, text="'; DROP TABLE offer; --") == []
