"""What is offered is found by what it is and where it lies, by whoever may see it."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.database import Sessions
from services.kernel.errors import Invalid
from services.kernel.pagination import PageRequest
from services.kernel.unit_of_work import UnitOfWork
from services.listings import searching
from services.listings.searching import EARTH_RADIUS_KM, Place, Wanted
from services.parties import sites
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing
from tests.factories.parties import Party, organization, yard

KASSEL = Place(51.3127, 9.4797)
DUISBURG = Place(51.4344, 6.7623)


async def found(sessions: Sessions, seeker: Party, limit: int = 50, **wanted: Any) -> list[str]:
    async with UnitOfWork(sessions, seeker.actor) as work:
        paging = PageRequest(limit=limit, cursor=None)
        rows, _ = await searching.search(work, Wanted(**wanted), paging, by=seeker.actor)
    return [row.id for row in rows]


async def recycler(sessions: Sessions) -> Party:
    return await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")


async def listing_at(sessions: Sessions, seller: Party, latitude: float, longitude: float) -> str:
    async with UnitOfWork(sessions, seller.actor) as work:
        site = await sites.create(work, yard(latitude=latitude, longitude=longitude), by=seller.actor)
    return (await open_listing(sessions, seller, site_id=site.id)).id


async def test_open_listings_are_found_newest_first(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    first, second = await open_listing(sessions, seller), await open_listing(sessions, seller)
    assert await found(sessions, seeker) == [second.id, first.id]


async def test_drafts_are_never_found(sessions: Sessions) -> None:
    seller = await organization(sessions)
    await draft_listing(sessions, seller, [motors()])
    assert await found(sessions, seller, status="draft") == []


async def test_an_invited_listing_is_found_by_the_invited_and_its_seller(sessions: Sessions) -> None:
    seller, guest = await organization(sessions), await recycler(sessions)
    stranger = await organization(sessions, roles=["recycler"], name="Batteriehof GmbH")
    listing = await open_listing(sessions, seller, visibility="invited", invited=[guest.org.id])
    assert await found(sessions, guest) == [listing.id]
    assert await found(sessions, seller) == [listing.id]
    assert await found(sessions, stranger) == []


async def test_material_finds_what_an_item_is_made_of(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    copper = await open_listing(sessions, seller, [motors()])
    await open_listing(sessions, seller, [lithium_modules()])
    assert await found(sessions, seeker, material="copper") == [copper.id]


async def test_what_is_asked_must_meet_in_one_item(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    await open_listing(sessions, seller, [motors(), lithium_modules(condition_grade="damaged")])
    both = await open_listing(sessions, seller, [motors(condition_grade="damaged")])
    assert await found(sessions, seeker, material="copper", condition="damaged") == [both.id]


async def test_return_reason_and_country_narrow_the_search(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    defective = await open_listing(sessions, seller, [motors(return_reason="defective")])
    await open_listing(sessions, seller)
    assert await found(sessions, seeker, return_reason="defective") == [defective.id]
    assert await found(sessions, seeker, country="FR") == []


async def test_a_radius_keeps_what_lies_within(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    kassel = (await open_listing(sessions, seller)).id
    hamburg = await listing_at(sessions, seller, 53.5511, 9.9937)
    assert await found(sessions, seeker, near=DUISBURG, radius_km=200) == [kassel]
    assert await found(sessions, seeker, near=DUISBURG, radius_km=350) == [hamburg, kassel]
    assert await found(sessions, seeker, near=DUISBURG, radius_km=100) == []


async def test_a_corner_of_the_box_lies_outside_the_circle(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    await listing_at(sessions, seller, 51.3127 + 0.8, 9.4797 + 1.3)
    assert await found(sessions, seeker, near=KASSEL, radius_km=100) == []


async def test_the_date_line_does_not_hide_a_neighbour(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    west = await listing_at(sessions, seller, -17.0, -179.8)
    assert await found(sessions, seeker, near=Place(-17.0, 179.9), radius_km=50) == [west]


async def test_meridians_crowd_at_the_pole(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    across = await listing_at(sessions, seller, 89.9, 180.0)
    assert await found(sessions, seeker, near=Place(89.9, 0.0), radius_km=50) == [across]


def test_kassel_to_duisburg_as_the_crow_flies() -> None:
    assert searching.distance_km(KASSEL, DUISBURG) == pytest.approx(189.3, abs=0.5)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_a_distance_is_the_same_there_and_back(north: float, east: float, south: float, west: float) -> None:
    here, there = Place(north, east), Place(south, west)
    assert searching.distance_km(here, there) == pytest.approx(searching.distance_km(there, here), abs=1e-6)
    assert 0 <= searching.distance_km(here, there) <= math.pi * EARTH_RADIUS_KM + 1e-6


@pytest.mark.parametrize("near", ["", "51.3", "51.3,", "91,0", "0,181", "nan,0", "51,3127,9,4797", "Kassel"])
def test_a_place_that_is_none_is_refused(near: str) -> None:
    with pytest.raises(Invalid):
        searching.place(near)


def test_a_place_is_latitude_then_longitude() -> None:
    assert searching.place("51.3127, 9.4797") == KASSEL
