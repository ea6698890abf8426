"""Places, distances, and the hexagonal cells (H3) that a circle touches."""

import math
from dataclasses import dataclass

from h3.api import basic_int as h3

from services.kernel.errors import invalid

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""

KM_PER_DEGREE = math.pi * EARTH_RADIUS_KM / 180
MOST_KM = 500
USUAL_KM = 100

FINE, COARSE = 5, 3
"""Resolutions of H3: cells of 252 and of 12,393 km² on average."""

FINE_KM = 12.0
"""Up to this radius the fine cells are fewer rows than the coarse ones."""


@dataclass(frozen=True)
class Place:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


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


def distance_km(here: Place, there: Place) -> float:
    """As the crow flies (haversine)."""
    north = math.radians(there.latitude - here.latitude)
    east = math.radians(there.longitude - here.longitude)
    shrink = math.cos(math.radians(here.latitude)) * math.cos(math.radians(there.latitude))
    chord = math.sin(north / 2) ** 2 + shrink * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def cell(where: Place, resolution: int) -> int:
    """The H3 cell; it fits a signed bigint."""
    return int(h3.latlng_to_cell(where.latitude, where.longitude, resolution))


def cells_within(where: Place, radius_km: float, resolution: int) -> list[int]:
    """The cells that the circle may touch, nearest first."""
    widest = 1.4 * h3.average_hexagon_edge_length(resolution, unit="km")
    steps = math.ceil((radius_km + widest) / (1.2 * h3.average_hexagon_edge_length(resolution, unit="km"))) + 1
    around = [(_nearest_km(where, one), int(one)) for one in h3.grid_disk(cell(where, resolution), steps)]
    return [one for least, one in sorted(around) if least <= radius_km]


def _nearest_km(where: Place, one: int) -> float:
    """A lower bound of the distance to anything in the cell."""
    centre = Place(*h3.cell_to_latlng(one))
    reach = max(distance_km(centre, Place(*corner)) for corner in h3.cell_to_boundary(one))
    return max(0.0, distance_km(where, centre) - 1.01 * reach)
