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

FINEST, FINE, COARSE = 5, 4, 3
"""Resolutions of H3: cells of 252, 1,770 and 12,393 km² on average."""

OVER_THE_EDGE_KM = 4.0
"""How far the finest cells may stand out of the fine one they are counted to."""

ROUNDING_KM = 0.1
"""Cells and coordinates are kept with fewer digits than they are computed with."""

FINE_KM = 50.0
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


def middle(one: int) -> Place:
    """Of a cell."""
    return Place(*h3.cell_to_latlng(one))


def cells_within(where: Place, radius_km: float, resolution: int) -> list[int]:
    """The cells that the circle touches, nearest first."""
    edge_km = h3.average_hexagon_edge_length(resolution, unit="km")
    steps = math.ceil((radius_km + 1.4 * edge_km) / (1.2 * edge_km)) + 1
    home = cell(where, resolution)
    around = [(0.0 if one == home else _to_cell_km(where, one), int(one)) for one in h3.grid_disk(home, steps)]
    return [one for away_km, one in sorted(around) if away_km <= radius_km + ROUNDING_KM]


Vector = tuple[float, float, float]


def _to_cell_km(where: Place, one: int) -> float:
    """From outside to the nearest point of its edge."""
    corners = [_vector(*corner) for corner in h3.cell_to_boundary(one)]
    here = _vector(where.latitude, where.longitude)
    edges = zip(corners, [*corners[1:], corners[0]], strict=True)
    return EARTH_RADIUS_KM * min(_to_arc(here, start, end) for start, end in edges)


def _to_arc(here: Vector, start: Vector, end: Vector) -> float:
    """In radians, to an arc of a great circle."""
    pole = _cross(start, end)
    if _dot(_cross(pole, start), here) > 0 and _dot(_cross(end, pole), here) > 0:
        return math.asin(min(1.0, abs(_dot(pole, here)) / math.sqrt(_dot(pole, pole))))
    return min(math.acos(max(-1.0, min(1.0, _dot(corner, here)))) for corner in (start, end))


def _vector(latitude: float, longitude: float) -> Vector:
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
