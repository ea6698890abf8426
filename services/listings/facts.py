"""What a listing's events carry, and the sums it keeps over its items."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from services.kernel.ids import OrgId
from services.kernel.quantities import Mass
from services.listings.events import ListingFact, MaterialMass
from services.listings.manifests.cells import WHOLE_PPM
from services.listings.models import Listing

T = TypeVar("T", bound=ListingFact)


def sum_up(listing: Listing, items: Sequence[Any]) -> None:
    """Sets item_count, total_mass_g and materials from the items, or from their `mass_g` and `composition` alone."""
    masses = [item.mass_g for item in items if item.mass_g is not None]
    listing.item_count = len(items)
    listing.total_mass_g = sum(masses) if items and len(masses) == len(items) else None
    listing.materials = _materials(items)


def _materials(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Heaviest first; a material in an item without a mass has none."""
    grams: defaultdict[str, int] = defaultdict(int)
    unweighed: set[str] = set()
    for item in items:
        for share in item.composition or []:
            grams[share["material"]] += (item.mass_g or 0) * share["ppm"] // WHOLE_PPM
            if item.mass_g is None:
                unweighed.add(share["material"])
    ordered = sorted(grams, key=lambda material: (-grams[material], material))
    return [
        {"material": material, "mass_g": None if material in unweighed else grams[material]} for material in ordered
    ]


def materials(listing: Listing) -> list[MaterialMass]:
    return [MaterialMass(material=one["material"], mass=_mass(one["mass_g"])) for one in listing.materials]


def total_mass(listing: Listing) -> Mass | None:
    return _mass(listing.total_mass_g)


def _mass(grams: int | None) -> Mass | None:
    return None if grams is None else Mass(grams)


def of(event: type[T], listing: Listing, **more: object) -> T:
    """The event, filled from the listing."""
    return event(
        listing_id=listing.id,
        seller_id=listing.seller_id,
        title=listing.title,
        mode=listing.mode,
        price_unit=listing.price_unit,
        currency=listing.currency,
        disposition_floor=listing.disposition_floor,
        visibility=listing.visibility,
        country=listing.country,
        opens_at=listing.opens_at,
        closes_at=listing.effective_end_at or listing.closes_at,
        item_count=listing.item_count,
        total_mass=total_mass(listing),
        materials=materials(listing),
        price=listing.price,
        **more,
    )


def audience(listing: Listing, bidders: Iterable[str] = ()) -> dict[str, str]:
    """Public market news goes to the seller, its guests, and whoever has bid; everybody else searches."""
    guests = listing.guests if listing.visibility == "invited" else []
    processors = {str(OrgId(org_id)): "processor" for org_id in (*guests, *bidders)}
    return processors | {str(listing.seller_id): "seller"}
