"""Finding goods: what a processor may see, by what it is, why it goes back, in which condition and how far away.

What is published is written into the table `offer`, a row for each way to find an item (`offering`). A search is one statement
over its indexes (`asking`, pure), which also load the listings (`finding`).
"""

from services.listings.searching.asking import After
from services.listings.searching.finding import after_of, cursor_after, own, search
from services.listings.searching.places import (
    EARTH_RADIUS_KM,
    KM_PER_DEGREE,
    MOST_KM,
    USUAL_KM,
    Place,
    distance_km,
    place,
)
from services.listings.searching.wanted import Seeker, Sort, Wanted

__all__ = [
    "EARTH_RADIUS_KM",
    "KM_PER_DEGREE",
    "MOST_KM",
    "USUAL_KM",
    "After",
    "Place",
    "Seeker",
    "Sort",
    "Wanted",
    "after_of",
    "cursor_after",
    "distance_km",
    "own",
    "place",
    "search",
]
