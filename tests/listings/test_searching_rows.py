"""What stands in the rows that goods are found by: signs of words, and cells of every size."""

import math

from h3.api import basic_int as h3
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.listings.searching import KM_PER_DEGREE, Place, Wanted, asking, distance_km
from services.listings.searching.places import FINE, FINEST, OVER_THE_EDGE_KM, cell, cells_within
from services.listings.searching.wanted import Seeker
from services.listings.searching.words import MOST_SIGNS, sign, signs
from tests.factories.listings import lithium_modules, motors, open_listing
from tests.factories.parties import organization
from tests.listings.test_searching_further import found, recycler

ROWS = "SELECT term, said, h3_res4, h3_res5 FROM offer WHERE listing_id = :id"


def test_a_word_is_signed_as_it_has_always_been() -> None:
    assert [sign(word) for word in ("motor", "größe", "廃プラスチック")] == ["h0", "C9", "dz"]


def test_very_many_words_are_not_signed() -> None:
    many = [f"word{number}" for number in range(MOST_SIGNS + 1)]
    assert signs(many) is None
    assert len(signs(many[1:]) or "") == 2 * MOST_SIGNS


async def test_a_words_row_carries_the_signs_of_all_words_of_the_listing(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, [motors(), lithium_modules()])

    async with UnitOfWork(sessions, seller.actor) as work:
        rows = (await work.session.execute(text(ROWS), {"id": listing.id})).all()

    of_words = {row.said for row in rows if row.term.startswith("w:")}
    assert {row.said for row in rows if not row.term.startswith("w:")} == {None}
    (said,) = of_words
    assert all(sign(word) in said for word in ("electric", "motors", "lithium", "modules"))
    assert {row.h3_res4 for row in rows} == {h3.cell_to_parent(row.h3_res5, FINE) for row in rows}


async def test_words_that_are_not_signed_are_looked_up(sessions: Sessions) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    many = [
        motors(title=f"motors {number}", reason_detail=" ".join(f"part{number}x{place}" for place in range(35)))
        for number in range(4)
    ]
    listing = await open_listing(sessions, seller, many)
    assert await found(sessions, seeker, text="motors part3x7") == [listing.id]
    assert await found(sessions, seeker, text="motors part4x7") == []


def test_a_second_word_is_asked_of_the_signs_before_it_is_looked_up() -> None:
    sql = asking.page(Wanted(text="motors steel"), Seeker("org_x", False), limit=50).sql
    assert f"strpos(o.said, '{sign('steel')}') > 0" in sql
    assert sql.count("EXISTS") == 1


@given(
    st.floats(-80, 80), st.floats(-180, 180), st.floats(0, 2 * math.pi), st.floats(0, 1), st.sampled_from([0.5, 12, 50])
)
def test_the_fine_cells_of_a_circle_hold_every_place_in_it(
    latitude: float, longitude: float, turn: float, share: float, radius_km: float
) -> None:
    here = Place(latitude, longitude)
    degrees = share * radius_km / KM_PER_DEGREE
    east = longitude + degrees * math.sin(turn) / math.cos(math.radians(latitude))
    there = Place(latitude + degrees * math.cos(turn), (east + 180) % 360 - 180)
    assume(distance_km(here, there) <= radius_km)
    assert h3.cell_to_parent(cell(there, FINEST), FINE) in cells_within(here, radius_km + OVER_THE_EDGE_KM, FINE)
