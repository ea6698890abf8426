"""Requests and answers of dividing."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import LongText, Request, Response, Text, UtcDatetime
from services.kernel.ids import ItemId, LineageId, ListingId
from services.kernel.quantities import Mass
from services.listings.dividing.splitting import Taking
from services.listings.manifests.cells import MOST_PIECES
from services.listings.models import Lineage

MOST_UNITS = 10_000


class TakenItem(Request):
    """Of an item: all of it, a quantity, or the units of these external ids. Units move whole."""

    item_id: ItemId
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)] | None = None
    external_ids: Annotated[list[Text], Field(max_length=MOST_UNITS)] = Field(default_factory=list)

    def taking(self) -> Taking:
        return Taking(self.item_id, self.quantity, tuple(dict.fromkeys(self.external_ids)))


class Split(Request):
    """What leaves the listing for a draft of its own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [{"item_id": "itm_01kaq4m8q3e8xvw2t5n6r7s8d9", "quantity": 10}],
                    "title": "Ten electric motors",
                    "reason": "A buyer for small lots",
                }
            ]
        },
    )

    items: Annotated[list[TakenItem], Field(min_length=1, max_length=200)]
    title: Text | None = None
    reason: LongText | None = None


class Merge(Request):
    """Where the goods go: another draft of yours at the same site."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"into_listing_id": "lst_01kaq4m8q3e8xvw2t5n6r7s8d9"}]}
    )

    into_listing_id: ListingId
    reason: LongText | None = None


class LineageEntry(Response):
    """That pieces and grams of one item went into another; the item ids are the same where all of it moved."""

    id: LineageId
    kind: str = Field(description="split, merge or relist")
    created_at: UtcDatetime
    from_listing_id: ListingId
    from_item_id: ItemId
    to_listing_id: ListingId
    to_item_id: ItemId
    quantity: int
    mass: Mass | None = Field(description="Null where the goods were never weighed")
    moved_by: str
    reason: str | None

    @classmethod
    def of(cls, row: Lineage) -> Self:
        plain = {name: getattr(row, name) for name in cls.model_fields if name != "mass"}
        return cls(**plain, mass=None if row.mass_g is None else Mass(row.mass_g))


class LineageAnswer(Response):
    """What went into the listing and out of it, in that order."""

    listing_id: ListingId
    data: list[LineageEntry]
