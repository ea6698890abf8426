"""What a published listing can be found by: rows that plain indexes answer, beside the listing itself."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Index,
    SmallInteger,
    Text,
    TextClause,
    text,
)
from sqlmodel import Field

from services.kernel.ids import ListingId
from services.kernel.tables import Instant, Row

_CARRIED = ["materials", "country", "waste_code", "mass_g", "h3_res3", "latitude", "longitude", "seen_by", "said"]
_KIND = ["return_reason", "grade", "disposition_floor", "mode", "direction"]
_PARENT = f"(h3_res5 & ~{1 << 52}::bigint) | {7 << 30}::bigint"
"""The bits of H3: one resolution less, and the last digit is none."""

_OF_ITEMS = text("term = ''")


def _carrying(keys: list[str]) -> list[str]:
    """What a filter may ask and the policy asks, so that the index answers alone."""
    return [name for name in [*_KIND, *_CARRIED, "closes_at", "listing_id"] if name not in keys]


def _index(name: str, *keys: str, only: TextClause | None = None) -> Index:
    whole = ["livemode", "status", *keys]
    return Index(f"ix_offer_{name}", *whole, postgresql_include=_carrying(whole), postgresql_where=only)


class Offer(Row, table=True):
    """One way to find one item of a published listing. `term` is empty for the item itself, `m:copper` for a material it is
    made of, `w:motor` for a word said about it. The facets are numbers (`searching.facets`), `materials` is "|copper|steel|" in
    a word's row and silent elsewhere, `mass_g` that of the whole listing; `closes_at` is infinity where bidding has no end.
    `latitude` and `longitude` are exact to two metres. `seen_by` are the seller and its guests where not everybody sees it.
    `said`, in a word's row, are the signs of every word of the listing (`searching.words`).

    A trigger keeps `status` and `closes_at` those of the listing. Partitioned, so that what one search reads stays small: of a
    big table even an index that answers alone looks at a map of pages for every row."""

    __tablename__ = "offer"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("waste_code <> ''", name="waste_code"),
        _index("closing", "term", "closes_at", "listing_id"),
        _index("newest", "term", "listing_id"),
        _index("kind", "term", *_KIND),
        _index("wide", "term", "h3_res3", "closes_at", "listing_id"),
        _index("country", "term", "country", "h3_res3"),
        _index("waste_code", "term", "waste_code", "h3_res3"),
        _index("mass", "term", "mass_g"),
        _index("near", "h3_res4", "closes_at", "listing_id", only=_OF_ITEMS),
        _index("wide_newest", "h3_res3", "listing_id", only=_OF_ITEMS),
        {"postgresql_partition_by": "HASH (term)"},
    )

    listing_id: ListingId = Field(foreign_key="listing.id", primary_key=True)
    place: int = Field(primary_key=True)
    term: str = Field(primary_key=True)
    status: str
    closes_at: datetime = Field(sa_type=Instant)
    grade: int = Field(sa_type=SmallInteger)
    return_reason: int = Field(sa_type=SmallInteger)
    disposition_floor: int = Field(sa_type=SmallInteger)
    mode: int = Field(sa_type=SmallInteger)
    direction: int = Field(sa_type=SmallInteger)
    materials: str | None = None
    country: str
    waste_code: str | None = None
    mass_g: int | None = Field(default=None, sa_type=BigInteger)
    h3_res3: int = Field(sa_type=BigInteger)
    h3_res5: int = Field(sa_type=BigInteger)
    h3_res4: int = Field(default=None, sa_column=Column(BigInteger, Computed(_PARENT, persisted=True), nullable=False))
    latitude: float = Field(sa_type=REAL)
    longitude: float = Field(sa_type=REAL)
    seen_by: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    said: str | None = None
