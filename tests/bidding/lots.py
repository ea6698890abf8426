"""The lot of the main job, and one that needs no permit."""

from datetime import UTC, datetime
from typing import Any

from services.kernel.database import Sessions
from services.listings.models import DraftItem, Listing
from tests.factories.listings import lithium_modules, motors, open_listing
from tests.factories.parties import Party

UNKNOWN = [{"material": "unknown", "ppm": 1_000_000}]
SERVERS = motors(title="Rack servers", quantity=120, mass={"value": "3", "unit": "t"}, is_data_bearing=True)
COPPER = motors(title="Copper bars", quantity=1, mass={"value": "1.2", "unit": "t"}, waste_code="16 02 16")
STORY = [motors(), SERVERS, lithium_modules(), COPPER]
BOXES = [motors(title="Gearboxes", quantity=10, mass={"value": "2", "unit": "t"}, waste_code=None, composition=UNKNOWN)]
"""No waste, so nobody needs a permit for them."""


async def open_lot(sessions: Sessions, seller: Party, items: list[DraftItem] | None = None, **terms: Any) -> Listing:
    """Gearboxes if no items are given; sealed and in EUR per tonne unless said otherwise."""
    return await open_listing(sessions, seller, BOXES if items is None else items, **terms)


def close_of(listing: Listing) -> datetime:
    assert listing.closes_at is not None
    return listing.closes_at.astimezone(UTC)
