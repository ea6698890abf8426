"""The listing as everybody reads it, by the lane: one statement for the listing with its items."""

import json
from typing import Any

from services.kernel.http.lane import Asked, Row, Statement
from services.listings.models import Listing
from services.parties.recognizing import DOOR

_DETAIL = f"""{DOOR}
SELECT door.is_known, l.*, l.materials::text AS materials_text, i.items FROM door
LEFT JOIN LATERAL (
    SELECT * FROM listing
    WHERE door.is_known AND id = $8 AND livemode = $2::boolean AND seller_id <> $1 AND (
        ($3 = 'on' AND status <> 'draft') OR (published_at IS NOT NULL AND (visibility = 'public' OR $1 = ANY (invited)))
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
    """A published listing, with its items, as the schemas read one. `id` None: there is none to be seen."""

    price = Listing.price
    reserve_price = Listing.reserve_price

    @property
    def materials(self) -> Any:
        return json.loads(self["materials_text"])

    @property
    def items_read(self) -> list[ReadItem]:
        return [ReadItem(one) for one in json.loads(self["items"] or "[]")]


def detail(asked: Asked) -> Statement | None:
    return None if asked.query else Statement(_DETAIL, asked.ids, ReadListing)
