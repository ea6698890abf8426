"""Listings as everybody reads them, by the lane: a statement for a listing with its items, one for a page of a search."""

import json
import re
from typing import Any

from services.kernel.http.lane import Asked, Row, Statement
from services.kernel.money import Money
from services.kernel.quantities import grams_on_the_wire
from services.listings.models import Listing
from services.listings.searching import Seeker, Wanted, asking
from services.listings.searching.asking import After
from services.parties.recognizing import DOOR, OF_THE_ASKER

_DETAIL = f"""{DOOR}
SELECT door.is_known, l.*, l.materials::text AS materials_text, l.invited_capability::text AS asked_text, i.items FROM door
LEFT JOIN LATERAL (
    SELECT * FROM listing
    WHERE door.is_known AND id = $8 AND livemode = $2::boolean AND seller_id <> $1 AND (
        ($3 = 'on' AND status <> 'draft')
        OR (published_at IS NOT NULL AND (visibility = 'public' OR $1 = ANY (invited || admitted)))
    ) OFFSET 0
) l ON true
LEFT JOIN LATERAL (
    SELECT json_agg(item ORDER BY position, id)::text AS items FROM item WHERE item.listing_id = l.id
) i ON true"""
"""Drafts, and what is the caller's own, are the route's: it tells what may be done with them."""


class ReadItem(dict[str, Any]):
    """An item as the schemas read one."""

    __getattr__ = dict.__getitem__


class ReadListing(Row):
    """A published listing as the schemas read one. `id` None: there is none to be seen."""

    price = Listing.price
    reserve_price = Listing.reserve_price
    increment = Listing.increment
    deposit = Listing.deposit

    @property
    def materials(self) -> Any:
        return json.loads(self["materials_text"])

    def found(self) -> dict[str, Any]:
        """As `FoundListing` is answered, but for the distance: fifty of them as models would cost more than reading them."""
        told = dict(self)
        for name in ("is_known", "away_m", "price_minor", "total_mass_g", "materials_text"):
            del told[name]
        grams = self["total_mass_g"]
        price: Money | None = self.price
        told["price"] = None if price is None else price.to_wire()
        told["total_mass"] = None if grams is None else grams_on_the_wire(grams)
        told["materials"] = [_material(**one) for one in self.materials]
        return told


def _material(material: str, mass_g: int | None) -> dict[str, Any]:
    return {"material": material, "mass": None if mass_g is None else grams_on_the_wire(mass_g)}


class ReadDetail(ReadListing):
    """With its items."""

    @property
    def invited_capability(self) -> Any:
        return json.loads(self["asked_text"] or "null")

    @property
    def items_read(self) -> list[ReadItem]:
        return [ReadItem(one) for one in json.loads(self["items"] or "[]")]


def detail(asked: Asked) -> Statement | None:
    return None if asked.query else Statement(_DETAIL, asked.ids, ReadDetail)


def page(wanted: Wanted, seeker: Seeker, *, limit: int, after: After | None) -> Statement:
    """One listing more than `limit` where there are more."""
    query = asking.listings(wanted, seeker, _FACE, limit=limit + 1, after=after)
    sql = _PARAMETER.sub(lambda found: f"${int(found[1]) + OF_THE_ASKER}", query.sql)
    return Statement(
        f"{DOOR} SELECT door.is_known, found.* FROM door"
        f" LEFT JOIN LATERAL (SELECT * FROM ({sql}) q WHERE door.is_known OFFSET 0) found ON true",
        query.parameters,
        ReadListing,
    )


_PARAMETER = re.compile(r"\$(\d+)")
_FACE = (
    *("id", "livemode", "created_at", "version", "seller_id", "title", "mode", "price_unit", "currency", "price_minor"),
    *("disposition_floor", "price_direction", "status", "visibility", "published_at", "opens_at", "closes_at"),
    *("effective_end_at", "country", "latitude", "longitude", "item_count", "total_mass_g"),
    "materials::text AS materials_text",
)
"""What a page of a search tells."""
