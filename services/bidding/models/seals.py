"""What is kept of a sealed bid before its amounts may be read, and what proves afterwards that nothing was added."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from services.kernel.ids import BidId, ListingId
from services.kernel.tables import Instant, Row


class SealingKey(Row, table=True):
    """A listing's key pair. `wrapped` is the private half, sealed to the closer's key, which is in no database. Two bids that come
    first at once each make one, rather than wait for each other."""

    __tablename__ = "sealing_key"
    __audited__: ClassVar[bool] = False

    public_key: bytes = Field(primary_key=True)
    listing_id: ListingId = Field(foreign_key="listing.id", index=True)
    wrapped: bytes


class SealedBid(Row, table=True):
    """`sealed` is read by the closer alone, `own` by the bidder; both hold the same. `commitment` binds the bidder to it, `receipt`
    binds us. At the close every bid that was ever placed gets its `position` in the listing's chain, and each that is opened its
    `salt` in plain."""

    __tablename__ = "sealed_bid"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("octet_length(commitment) = 32", name="commitment"),
        CheckConstraint("(position IS NULL) = (hash IS NULL)", name="chained_whole"),
        UniqueConstraint("listing_id", "position"),
    )

    bid_id: BidId = Field(primary_key=True, foreign_key="bid.id")
    listing_id: ListingId = Field(foreign_key="listing.id")
    public_key: bytes = Field(foreign_key="sealing_key.public_key")
    sealed: bytes
    own: bytes
    commitment: bytes
    receipt: str
    salt: str | None = None
    position: int | None = None
    hash: bytes | None = None


class ReceiptBook(Row, table=True):
    """The end of a listing's chain of receipts, signed: `statement` tells how many there are and the last hash."""

    __tablename__ = "receipt_book"
    __audited__: ClassVar[bool] = False

    listing_id: ListingId = Field(primary_key=True, foreign_key="listing.id")
    count: int
    head: bytes
    statement: str
    closed_at: datetime = Field(sa_type=Instant)
