"""Listings for tests, made through the real verbs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, publishing
from services.listings.importing import receiving
from services.listings.importing.receiving import Manifest
from services.listings.manifests.mapping import Mapping
from services.listings.manifests.profiles import PROFILES
from services.listings.models import DraftItem, DraftListing, Import, Listing
from tests.factories.parties import Party

PHOTO = {"sha256": "0" * 64, "name": "pallet.jpg"}
DAYS_OPEN = timedelta(days=3)


def motors(**given: object) -> DraftItem:
    """40 electric motors, 12.000 t, 16 02 14."""
    return _item(
        {
            "title": "Electric motors",
            "quantity": 40,
            "mass": {"value": "12", "unit": "t"},
            "waste_code": "160214",
            "composition": [{"material": "steel", "ppm": 800_000}, {"material": "copper", "ppm": 200_000}],
            "is_data_bearing": False,
        },
        given,
    )


def lithium_modules(**given: object) -> DraftItem:
    """60 lithium modules, 1.800 t, 16 06 07*, UN 3480, complete for publishing."""
    return _item(
        {
            "title": "Lithium modules",
            "quantity": 60,
            "mass": {"value": "1.8", "unit": "t"},
            "waste_code": "16 06 07*",
            "hp_codes": ["HP14"],
            "un_number": "UN 3480",
            "packaging": {"kind": "Steel drum", "packages": 12, "un_packing": "P908"},
            "composition": [{"material": "lithium_batteries", "ppm": 1_000_000}],
            "photos": [PHOTO],
        },
        given,
    )


def _item(usual: dict[str, Any], given: dict[str, object]) -> DraftItem:
    reason = {"condition_grade": "salvage", "return_reason": "end_of_life"}
    return DraftItem.model_validate(reason | usual | given)


def terms(seller: Party, **given: object) -> DraftListing:
    """A sealed listing by the tonne at the seller's site, without items and without an end."""
    usual: dict[str, object] = {
        "title": "End-of-life equipment",
        "site_id": seller.site.id,
        "mode": "sealed",
        "price_unit": "tonne",
        "currency": "EUR",
    }
    return DraftListing.model_validate(usual | given)


async def draft_listing(sessions: Sessions, seller: Party, items: Sequence[DraftItem] = (), **given: object) -> Listing:
    async with UnitOfWork(sessions, seller.actor) as work:
        return await drafting.draft(work, terms(seller, items=list(items), **given), by=seller.actor)


async def published_listing(
    sessions: Sessions,
    seller: Party,
    items: Sequence[DraftItem] | None = None,
    *,
    mode: str = "sealed",
    closes_at: datetime | None = None,
    **given: object,
) -> Listing:
    """Motors if no items are given. A sealed or timed one ends three days after it opens if no end is given; without
    `opens_at` it is open at once."""
    async with UnitOfWork(sessions, seller.actor) as work:
        opens_at = given.get("opens_at")
        starts_at = opens_at if isinstance(opens_at, datetime) else work.now
        end = closes_at if closes_at is not None or mode == "negotiated" else starts_at + DAYS_OPEN
        asked = terms(seller, items=[motors()] if items is None else list(items), mode=mode, closes_at=end, **given)
        listing = await drafting.draft(work, asked, by=seller.actor)
        return await publishing.publish(work, listing.id, by=seller.actor)


async def open_listing(
    sessions: Sessions,
    seller: Party,
    items: Sequence[DraftItem] | None = None,
    *,
    mode: str = "sealed",
    closes_at: datetime | None = None,
    **given: object,
) -> Listing:
    """Open at once; otherwise as `published_listing`."""
    return await published_listing(sessions, seller, items, mode=mode, closes_at=closes_at, **given)


async def received_import(
    sessions: Sessions,
    seller: Party,
    content: bytes,
    *,
    into: Listing | DraftListing | None = None,
    mapping: Mapping = PROFILES["backhaul-1"],
) -> Import:
    """Received, not read yet; into a new draft by the piece unless a listing is given."""
    target = into if into is not None else terms(seller, price_unit="piece")
    async with UnitOfWork(sessions, seller.actor) as work:
        return await receiving.receive(
            work,
            Manifest("manifest.csv", content, mapping),
            into=target.id if isinstance(target, Listing) else target,
            by=seller.actor,
        )
