"""Keeps the amounts of sealed bids unread until the close, and opens them there.

Of a sealed bid the database holds two boxes and a commitment (`envelopes`, `receipts`); its columns are null until the closer, in
its exclusive lock, unwraps the listing's key and writes what the boxes say. A box that does not open loses its own bid alone. What
was withdrawn before the close is never opened.
"""

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import text

from services.bidding import envelopes, queries, receipts
from services.bidding.envelopes import ClosersBox, Opening, Unreadable, house
from services.bidding.models import LIVE, Amounts, Bid, ReceiptBook, SealedBid, SealingKey
from services.bidding.receipts import Receipt
from services.kernel.actors import Actor
from services.kernel.ids import BidId, ListingId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from services.parties import tokens

_OPEN = text(
    "UPDATE bid SET price_minor = opened.price, haulage_ceiling_minor = opened.ceiling, haulage_quote_minor = opened.quote"
    " FROM unnest(CAST(:ids AS text[]), CAST(:prices AS bigint[]), CAST(:ceilings AS bigint[]), CAST(:quotes AS bigint[]))"
    " AS opened(id, price, ceiling, quote) WHERE bid.id = opened.id AND bid.price_minor IS NULL"
)
_TELL_SALTS = text(
    "UPDATE sealed_bid SET salt = opened.salt FROM unnest(CAST(:ids AS text[]), CAST(:salts AS text[]))"
    " AS opened(id, salt) WHERE sealed_bid.bid_id = opened.id"
)
_CHAIN = text(
    "UPDATE sealed_bid SET position = link.position, hash = link.hash"
    " FROM unnest(CAST(:ids AS text[]), CAST(:positions AS integer[]), CAST(:hashes AS bytea[]))"
    " AS link(id, position, hash) WHERE sealed_bid.bid_id = link.id"
)


async def lay_down(work: UnitOfWork, bid: Bid, amounts: Amounts) -> SealedBid:
    """In the bid's own unit of work, after it was flushed; of the amounts nothing else is written."""
    keys, opening = house(work.settings, livemode=work.livemode), Opening.of(bid.id, amounts)
    public_key = await _public_key(work, bid.listing_id)
    sealed = envelopes.seal(opening, public_key)
    row = SealedBid(
        bid_id=bid.id,
        listing_id=bid.listing_id,
        public_key=public_key,
        sealed=sealed,
        own=envelopes.lock_own(opening, keys.own_key(bid.bidder_id)),
        commitment=opening.commitment,
        receipt=_receipt(work, bid, opening, sealed),
        livemode=work.livemode,
        created_at=bid.created_at,
    )
    work.add(row)
    return row


def _receipt(work: UnitOfWork, bid: Bid, opening: Opening, sealed: bytes) -> str:
    issuer = tokens.issuer(work.settings)
    receipt = Receipt(
        iss=issuer.url,
        listing_id=bid.listing_id,
        bid_id=bid.id,
        bidder_id=bid.bidder_id,
        received_at=bid.received_at,
        commitment=opening.commitment.hex(),
        sealed=hashlib.sha256(sealed).hexdigest(),
    )
    return receipts.sign(receipt, issuer)


async def _public_key(work: UnitOfWork, listing_id: ListingId) -> bytes:
    """The listing's; its first bid makes it."""
    known = await queries.public_key(work, listing_id)
    if known is not None:
        return known
    public, wrapped = envelopes.new_pair(house(work.settings, livemode=work.livemode).closer_public)
    work.add(
        SealingKey(
            public_key=public, listing_id=listing_id, wrapped=wrapped, livemode=work.livemode, created_at=work.now
        )
    )
    await work.session.flush()
    return public


async def amounts_for(work: UnitOfWork, bids: Collection[Bid], actor: Actor) -> dict[BidId, Amounts]:
    """Of bids that the actor may see: as they stand in the open, and of its own sealed ones out of its own box."""
    shown = {bid.id: amounts for bid in bids if (amounts := bid.amounts) is not None}
    own = {bid.id: bid for bid in bids if not bid.is_opened and bid.bidder_id == actor.org_id}
    for row in await queries.sealed_bids(work, own) if own else []:
        shown[row.bid_id] = read_own(work, row, own[row.bid_id]).amounts
    return shown


def opening_for(work: UnitOfWork, row: SealedBid, bid: Bid, actor: Actor) -> Opening | None:
    """The bidder's at once; for others once the bid was opened."""
    if bid.bidder_id == actor.org_id:
        return read_own(work, row, bid)
    return Opening(bid.id, bid.amounts, row.salt) if bid.amounts is not None and row.salt is not None else None


def read_own(work: UnitOfWork, row: SealedBid, bid: Bid) -> Opening:
    """Out of the bidder's box. Raises Unreadable."""
    key = house(work.settings, livemode=work.livemode).own_key(bid.bidder_id)
    opening = envelopes.read_own(row.own, key)
    if opening.bid_id != bid.id:
        raise Unreadable("the box is another bid's")
    return opening


async def open_all(work: UnitOfWork, listing: Listing) -> list[BidId]:
    """Writes the amounts of every live bid, and chains the receipts of all; in the listing's exclusive lock. The ids of those that
    cannot be read. CryptoError where the closer's key does not fit: then nothing is decided."""
    rows = await queries.boxes_of(work, listing.id)
    boxes = await _boxes(work, listing.id)
    live = [row for row in rows if row.status in LIVE]
    opened = await asyncio.to_thread(lambda: {row.bid_id: _opened(row, boxes, listing.currency) for row in live})
    await _write(work, [opening for opening in opened.values() if opening is not None])
    await _bind(work, listing, rows)
    return [bid_id for bid_id, opening in opened.items() if opening is None]


async def _boxes(work: UnitOfWork, listing_id: ListingId) -> dict[bytes, ClosersBox]:
    closer = house(work.settings, livemode=work.livemode).closer
    keys = await queries.sealing_keys(work, listing_id)
    return {key.public_key: envelopes.unwrap(key.wrapped, closer) for key in keys}


def _opened(row: Any, boxes: dict[bytes, ClosersBox], currency: str) -> Opening | None:
    """None where it is not what was committed to, or no bid at all."""
    try:
        opening = envelopes.unseal(row.sealed, boxes[row.public_key])
    except (Unreadable, KeyError):
        return None
    amounts = opening.amounts
    told = [money for money in (amounts.price, amounts.haulage_ceiling, amounts.haulage_quote) if money is not None]
    fits = (
        opening.bid_id == row.bid_id,
        opening.commitment == row.commitment,
        {money.currency for money in told} == {currency},
        (amounts.haulage_quote is not None) == (row.haulage_basis == "DAP"),
        amounts.haulage_ceiling is None or row.haulage_basis == "FCA",
        all(money.minor >= 0 for money in told if money is not amounts.price),
    )
    return opening if all(fits) else None


async def _write(work: UnitOfWork, openings: Sequence[Opening]) -> None:
    ids = [opening.bid_id for opening in openings]
    amounts = [opening.amounts for opening in openings]
    values = {
        "ids": ids,
        "prices": [one.price.minor for one in amounts],
        "ceilings": [_minor(one.haulage_ceiling) for one in amounts],
        "quotes": [_minor(one.haulage_quote) for one in amounts],
    }
    await work.session.execute(_OPEN, values)
    await work.session.execute(_TELL_SALTS, {"ids": ids, "salts": [opening.salt for opening in openings]})


def _minor(money: Money | None) -> int | None:
    return None if money is None else money.minor


async def _bind(work: UnitOfWork, listing: Listing, rows: Sequence[Any]) -> None:
    links = receipts.chain(listing.id, [row.receipt for row in rows])
    values = {
        "ids": [row.bid_id for row in rows],
        "positions": [link.position for link in links],
        "hashes": [link.hash for link in links],
    }
    await work.session.execute(_CHAIN, values)
    statement = receipts.sign_book(listing.id, links, work.now, tokens.issuer(work.settings))
    head = links[-1].hash if links else receipts.origin(listing.id)
    work.add(
        ReceiptBook(
            listing_id=listing.id,
            count=len(links),
            head=head,
            statement=statement,
            closed_at=work.now,
            livemode=work.livemode,
            created_at=work.now,
        )
    )
    await work.session.flush()
