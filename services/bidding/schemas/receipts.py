"""Answers about receipts."""

import hashlib
from collections.abc import Sequence

from pydantic import Field

from services.bidding.envelopes import Opening
from services.bidding.models import ReceiptBook, SealedBid
from services.kernel.http.schemas import Response, UtcDatetime
from services.kernel.ids import BidId, ListingId
from services.kernel.money import Money


class OpeningAnswer(Response):
    """What the commitment opens to: `commitment` is SHA-256 over this object's canonical JSON (RFC 8785)."""

    bid_id: BidId
    price: Money
    haulage_ceiling: Money | None
    haulage_quote: Money | None
    salt: str = Field(description="32 random bytes, hexadecimal")

    @classmethod
    def of(cls, opening: Opening) -> "OpeningAnswer":
        return cls(bid_id=opening.bid_id, salt=opening.salt, **vars(opening.amounts))


class BidReceiptAnswer(Response):
    """`position` and `hash` are the receipt's place in the listing's chain, told after the close."""

    bid_id: BidId
    listing_id: ListingId
    receipt: str = Field(description="JWS, EdDSA: iss, listing_id, bid_id, bidder_id, received_at, commitment, sealed")
    commitment: str = Field(description="SHA-256 of the opening, hexadecimal")
    opening: OpeningAnswer | None
    position: int | None
    hash: str | None

    @classmethod
    def of(cls, row: SealedBid, opening: Opening | None) -> "BidReceiptAnswer":
        return cls(
            bid_id=row.bid_id,
            listing_id=row.listing_id,
            receipt=row.receipt,
            commitment=row.commitment.hex(),
            opening=None if opening is None else OpeningAnswer.of(opening),
            position=row.position,
            hash=None if row.hash is None else row.hash.hex(),
        )


class LinkAnswer(Response):
    """hash = SHA-256(hash before ‖ digest), digest = SHA-256(receipt); before the first stands
    SHA-256("backhaul bid receipts" ‖ 0 ‖ listing_id)."""

    position: int
    digest: str
    hash: str
    receipt: str | None = Field(description="Null where the bid was never opened")

    @classmethod
    def of(cls, row: SealedBid) -> "LinkAnswer":
        assert row.position is not None, "the listing is chained"
        assert row.hash is not None, "the listing is chained"
        return cls(
            position=row.position,
            digest=hashlib.sha256(row.receipt.encode()).hexdigest(),
            hash=row.hash.hex(),
            receipt=row.receipt if row.salt is not None else None,
        )


class ReceiptBookAnswer(Response):
    """`statement` is a JWS: iss, listing_id, count, head (the last hash), closed_at."""

    listing_id: ListingId
    statement: str
    closed_at: UtcDatetime
    data: list[LinkAnswer]

    @classmethod
    def of(cls, book: ReceiptBook, links: Sequence[SealedBid]) -> "ReceiptBookAnswer":
        return cls(
            listing_id=book.listing_id,
            statement=book.statement,
            closed_at=book.closed_at,
            data=[LinkAnswer.of(link) for link in links],
        )
