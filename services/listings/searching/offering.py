"""Writing what a published listing can be found by. Whoever changes the goods of a published listing calls `put` again."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import col

from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries
from services.listings.models import Item, Listing, Offer
from services.listings.searching import facets
from services.listings.searching.places import COARSE, FINEST, Place, cell
from services.listings.searching.words import signs, words

OFFER = "listing.offer"
WITHOUT_END = datetime.max.replace(tzinfo=UTC)
"""As the database's infinity reads."""


async def put(work: UnitOfWork, listing: Listing) -> None:
    """In place of what was there, in the transaction of the change."""
    items = await queries.items(work, listing.id)
    async with work.as_house():
        await work.session.flush()
        await work.session.execute(delete(Offer).where(col(Offer.listing_id) == listing.id))
        await work.session.execute(insert(Offer), offers(listing, items, work.now))


@timer(OFFER)
async def _offer(work: UnitOfWork, listing_id: str) -> None:
    """For what was published before there were offers."""
    await put(work, await queries.listing_for_update(work, listing_id))


def offers(listing: Listing, items: Sequence[Item], now: datetime) -> list[dict[str, Any]]:
    """The rows: items that are found alike are one."""
    alike = {tuple(sorted(row.items(), key=lambda pair: pair[0])): row for row in _ways(listing, items)}
    whole = _of_the_listing(listing, now)
    return [whole | row | {"place": place} for place, row in enumerate(alike.values())]


def _ways(listing: Listing, items: Sequence[Item]) -> Iterator[dict[str, Any]]:
    said_of_all = signs({word: None for item in items for word in said_of(listing, item)})
    for item in items:
        made_of = sorted({share["material"] for share in item.composition or []})
        facts = {
            "grade": facets.number("grade", item.condition_grade),
            "return_reason": facets.number("return_reason", item.return_reason),
            "waste_code": item.waste_code,
        }
        materials = f"|{'|'.join(made_of)}|"
        for term in ("", *(f"m:{material}" for material in made_of)):
            yield {"term": term, "materials": None, "said": None, **facts}
        for word in said_of(listing, item):
            yield {"term": f"w:{word}", "materials": materials, "said": said_of_all, **facts}


def said_of(listing: Listing, item: Item) -> list[str]:
    return words(listing.title, item.title, listing.description, item.reason_detail)


def _of_the_listing(listing: Listing, now: datetime) -> dict[str, Any]:
    where = Place(listing.latitude, listing.longitude)
    return {
        "listing_id": listing.id,
        "livemode": listing.livemode,
        "created_at": now,
        "status": listing.status,
        "closes_at": listing.effective_end_at or WITHOUT_END,
        "disposition_floor": facets.number("disposition_floor", listing.disposition_floor),
        "mode": facets.number("mode", listing.mode),
        "direction": facets.number("direction", listing.price_direction),
        "country": listing.country,
        "mass_g": listing.total_mass_g,
        "h3_res3": cell(where, COARSE),
        "h3_res5": cell(where, FINEST),
        "latitude": listing.latitude,
        "longitude": listing.longitude,
        "seen_by": None if listing.visibility == "public" else [listing.seller_id, *listing.guests],
    }
