"""Finding goods: what a processor may see, by what it is, why it goes back, in which condition and how far away."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.pagination import PageRequest, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries
from services.listings.models import Item, Listing

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""

KM_PER_DEGREE = math.pi * EARTH_RADIUS_KM / 180
MOST_KM = 500
USUAL_KM = 100


@dataclass(frozen=True)
class Place:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Wanted:
    """What is looked for; None asks nothing. Material, reason and condition must meet in one item."""

    status: str = "open"
    material: str | None = None
    return_reason: str | None = None
    condition: str | None = None
    country: str | None = None
    near: Place | None = None
    radius_km: float = USUAL_KM


def place(near: str) -> Place:
    """ "51.3127,9.4797" as a place. Raises Invalid."""
    latitude, comma, longitude = near.partition(",")
    try:
        found = Place(float(latitude), float(longitude))
    except ValueError:
        comma = ""
    if not comma or not (abs(found.latitude) <= 90 and abs(found.longitude) <= 180):
        raise invalid("/near", "place_malformed", "A place is latitude,longitude in degrees, as in 51.3127,9.4797.")
    return found


async def search(
    work: UnitOfWork, wanted: Wanted, paging: PageRequest, *, by: Actor
) -> tuple[Sequence[Listing], str | None]:
    """Newest first, and the next cursor."""
    query = queries.published(by).where(col(Listing.status) == wanted.status, *_asked(wanted))
    return await rows_of(work, query, col(Listing.id), paging)


async def own(
    work: UnitOfWork, paging: PageRequest, *, by: Actor, is_mine: bool, status: str | None
) -> tuple[Sequence[Listing], str | None]:
    """The caller's listings, or all it may see; newest first, and the next cursor."""
    query: Select[Listing] = queries.listings_visible_to(by)
    if is_mine:
        query = query.where(col(Listing.seller_id) == by.org_id)
    if status is not None:
        query = query.where(col(Listing.status) == status)
    return await rows_of(work, query, col(Listing.id), paging)


def distance_km(here: Place, there: Place) -> float:
    """As the crow flies (haversine)."""
    north = math.radians(there.latitude - here.latitude)
    east = math.radians(there.longitude - here.longitude)
    shrink = math.cos(math.radians(here.latitude)) * math.cos(math.radians(there.latitude))
    chord = math.sin(north / 2) ** 2 + shrink * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _asked(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = [col(Listing.country) == wanted.country] if wanted.country else []
    of_an_item = _of_an_item(wanted)
    if of_an_item:
        asked.append(exists().where(col(Item.listing_id) == col(Listing.id), *of_an_item))
    if wanted.near is not None:
        asked += [_in_box(wanted.near, wanted.radius_km), _in_circle(wanted.near, wanted.radius_km)]
    return asked


def _of_an_item(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = []
    if wanted.material:
        asked.append(col(Item.composition).contains([{"material": wanted.material}]))
    if wanted.return_reason:
        asked.append(col(Item.return_reason) == wanted.return_reason)
    if wanted.condition:
        asked.append(col(Item.condition_grade) == wanted.condition)
    return asked


def _in_box(near: Place, radius_km: float) -> ColumnElement[bool]:
    """Degrees around the place, which an index can answer; where meridians crowd or the date line is near, wider."""
    north = radius_km / KM_PER_DEGREE
    south_edge, north_edge = near.latitude - north, near.latitude + north
    in_band = col(Listing.latitude).between(south_edge, north_edge)
    widest = max(abs(south_edge), abs(north_edge))
    if widest >= 89:
        return in_band
    east = north / math.cos(math.radians(widest))
    return and_(in_band, or_(*(col(Listing.longitude).between(*edges) for edges in _spans(near.longitude, east))))


def _spans(longitude: float, east: float) -> list[tuple[float, float]]:
    """The box's longitudes, and those beyond the date line."""
    spans = [(longitude - east, longitude + east)]
    if longitude - east < -180:
        spans.append((longitude - east + 360, 180.0))
    if longitude + east > 180:
        spans.append((-180.0, longitude + east - 360))
    return spans


def _in_circle(near: Place, radius_km: float) -> ColumnElement[bool]:
    north = func.radians(col(Listing.latitude) - near.latitude) / 2
    east = func.radians(col(Listing.longitude) - near.longitude) / 2
    shrink = math.cos(math.radians(near.latitude)) * func.cos(func.radians(col(Listing.latitude)))
    chord = func.power(func.sin(north), 2) + shrink * func.power(func.sin(east), 2)
    within: ColumnElement[bool] = chord <= math.sin(radius_km / (2 * EARTH_RADIUS_KM)) ** 2
    return within
