"""An order never says more than it means: its bid stays below its limit in every unit, and every miss has its figures."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.bidding.demanding import judging
from services.bidding.demanding.judging import Lot
from services.bidding.models import DemandOrder
from services.kernel.ids import OrgId, SiteId
from services.listings.searching import Place

KASSEL = Place(51.3127, 9.4797)
UNITS = st.sampled_from(["tonne", "piece", "lot"])
PRICES = st.integers(-100_000_00, 100_000_00)


def order(limit: int, price: int | None = None) -> DemandOrder:
    return DemandOrder(
        org_id=OrgId.new(),
        site_id=SiteId.new(),
        livemode=False,
        created_at=datetime(2027, 1, 1, tzinfo=UTC),
        name="Steel",
        material="steel",
        least_share_bps=5_000,
        weekly_g=20_000_000,
        radius_km=100,
        latitude=KASSEL.latitude,
        longitude=KASSEL.longitude,
        price_limit_minor=limit,
        bid_price_minor=price,
        currency="EUR",
        disposition="recycle",
        waste_codes=[],
    )


def lot(unit: str = "tonne", mass_g: int | None = 12_000_000, pieces: int = 40, place: Place = KASSEL) -> Lot:
    return Lot(
        place=place,
        currency="EUR",
        price_unit=unit,
        price_direction=None,
        disposition_floor="recycle",
        mass_g=mass_g,
        pieces=pieces,
        materials={"steel": mass_g},
        grade=7,
        waste_codes=frozenset({"160214"}),
    )


@given(limit=PRICES, unit=UNITS, mass_g=st.integers(1, 10**11), pieces=st.integers(1, 100_000))
def test_a_bid_is_never_above_the_limit_for_a_tonne(limit: int, unit: str, mass_g: int, pieces: int) -> None:
    bid = judging.bid_for(order(limit), lot(unit, mass_g, pieces))
    units = {"tonne": Decimal(mass_g) / 1_000_000, "piece": Decimal(pieces), "lot": Decimal(1)}[unit]
    assert bid.minor * units * 1_000_000 <= Decimal(limit) * mass_g


@given(limit=PRICES, less=st.integers(0, 10_000_00), unit=UNITS)
def test_its_own_price_goes_before_the_limit(limit: int, less: int, unit: str) -> None:
    own = judging.bid_for(order(limit, limit - less), lot(unit))
    assert own == judging.bid_for(order(limit - less), lot(unit))
    assert own <= judging.bid_for(order(limit), lot(unit))


@given(limit=PRICES, price=PRICES, unit=UNITS, mass_g=st.integers(1, 10**11), pieces=st.integers(1, 100_000))
def test_what_is_sold_at_a_price_fits_exactly_when_the_price_is_bid(
    limit: int, price: int, unit: str, mass_g: int, pieces: int
) -> None:
    sold = replace(lot(unit, mass_g, pieces), price_minor=price)
    missed = [miss.criterion for miss in judging.misses(order(limit), sold, 10**12)]
    assert missed == ([] if judging.bid_for(order(limit), sold).minor == price else ["price"])


@given(left_g=st.integers(0, 10**9), mass_g=st.none() | st.integers(1, 10**9))
def test_a_lot_fits_exactly_when_the_week_has_as_much_left(left_g: int, mass_g: int | None) -> None:
    missed = judging.misses(order(0), lot(mass_g=mass_g), left_g)
    assert (missed == []) == (mass_g is not None and mass_g <= left_g)
    assert {miss.criterion for miss in missed} <= {"quantity"}


@given(latitude=st.floats(-89, 89), longitude=st.floats(-180, 180))
def test_distance_is_missed_exactly_beyond_the_radius(latitude: float, longitude: float) -> None:
    away = lot(place=Place(latitude, longitude))
    missed = [miss.criterion for miss in judging.misses(order(0), away, 10**9)]
    assert missed == (["distance"] if judging.away_km(order(0), away) > 100 else [])
