"""Whether one listing is what a search looks for, whatever its status: what `asking` says in SQL, said of one. Pure."""

from collections.abc import Iterator, Sequence

from services.listings.models import Item, Listing
from services.listings.searching import facets
from services.listings.searching.offering import WITHOUT_END, said_of
from services.listings.searching.places import Place, distance_km
from services.listings.searching.wanted import Wanted
from services.listings.searching.words import words


def fits(wanted: Wanted, listing: Listing, items: Sequence[Item]) -> bool:
    return all(_of_the_listing(wanted, listing)) and any(
        all(_of_the_item(wanted, item)) and _is_said(wanted, listing, item, items) for item in items
    )


def _of_the_listing(wanted: Wanted, listing: Listing) -> Iterator[bool]:
    mass_g, closes_at = listing.total_mass_g, listing.effective_end_at or WITHOUT_END
    yield wanted.disposition_floor in (None, listing.disposition_floor)
    yield wanted.mode in (None, listing.mode)
    yield wanted.price_direction in (None, listing.price_direction)
    yield wanted.country in (None, listing.country)
    yield wanted.least_g is None or (mass_g is not None and mass_g >= wanted.least_g)
    yield wanted.most_g is None or (mass_g is not None and mass_g <= wanted.most_g)
    yield wanted.closes_from is None or closes_at >= wanted.closes_from
    yield wanted.closes_until is None or closes_at <= wanted.closes_until
    where = Place(listing.latitude, listing.longitude)
    yield wanted.near is None or distance_km(wanted.near, where) <= wanted.radius_km


def _of_the_item(wanted: Wanted, item: Item) -> Iterator[bool]:
    grade, floor = facets.number("grade", item.condition_grade), facets.number("grade", wanted.condition_floor)
    yield wanted.material is None or wanted.material in {share["material"] for share in item.composition or []}
    yield wanted.return_reason in (None, item.return_reason)
    yield wanted.condition in (None, item.condition_grade)
    yield not floor or 1 <= grade <= floor
    yield wanted.waste_code in (None, item.waste_code)


def _is_said(wanted: Wanted, listing: Listing, item: Item, items: Sequence[Item]) -> bool:
    """The longest word of this item, the others of any."""
    asked = words(wanted.text)
    if not asked:
        return True
    somewhere = {word for one in items for word in said_of(listing, one)}
    return max(asked, key=len) in said_of(listing, item) and somewhere.issuperset(asked)
