"""Receipts of sealed bids: what we took, signed at once; and at the close a chain of all of them, its end signed too.

A receipt names the bid, its bidder, the instant and a commitment to the amounts. With the opening a bidder proves what it sent;
with the chain a seller sees that nothing was added, dropped or moved. Everything here is pure; keys are those of
`/.well-known/jwks.json`.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from services.bidding.envelopes import Opening
from services.kernel.ids import BidId, ListingId, OrgId
from services.parties.tokens import ALGORITHM, Issuer

RECEIPT = "bid-receipt+jws"
BOOK = "bid-book+jws"
START = b"backhaul bid receipts"


class _Registry(JWSRegistry):
    """Knows EdDSA alone, without the warning that it will be renamed."""

    algorithms = {ALGORITHM: copy.copy(JWSRegistry.algorithms[ALGORITHM])}


_Registry.algorithms[ALGORITHM].security_warning = None
_REGISTRY = _Registry(algorithms=[ALGORITHM])


class ReceiptIsWrong(Exception):
    """Says which claim does not hold."""


@dataclass(frozen=True)
class Receipt:
    """`commitment` opens to the amounts, `sealed` is the hash of what is kept of them."""

    iss: str
    listing_id: ListingId
    bid_id: BidId
    bidder_id: OrgId
    received_at: datetime
    commitment: str
    sealed: str

    @property
    def claims(self) -> dict[str, str]:
        return {**vars(self), "received_at": instant(self.received_at)}


@dataclass(frozen=True)
class Link:
    """One receipt's place in its listing's chain, from 1. Of a bid that was never opened the seller learns the `digest` alone."""

    position: int
    digest: bytes
    hash: bytes
    receipt: str | None = None


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def sign(receipt: Receipt, by: Issuer) -> str:
    return _signed(receipt.claims, RECEIPT, by)


def sign_book(listing_id: ListingId, links: Sequence[Link], at: datetime, by: Issuer) -> str:
    """Of the whole chain: how many receipts, and the last hash."""
    return _signed(_book_claims(listing_id, links, at, by.url), BOOK, by)


def _book_claims(listing_id: ListingId, links: Sequence[Link], at: datetime, iss: str) -> dict[str, Any]:
    head = links[-1].hash if links else origin(listing_id)
    return {
        "iss": iss,
        "listing_id": listing_id,
        "count": len(links),
        "head": head.hex(),
        "closed_at": instant(at),
    }


def _signed(claims: dict[str, Any], kind: str, by: Issuer) -> str:
    header = {"alg": ALGORITHM, "typ": kind, "kid": by.kid}
    return jws.serialize_compact(header, rfc8785.dumps(claims), by.key, algorithms=[ALGORITHM], registry=_REGISTRY)


def origin(listing_id: ListingId) -> bytes:
    """What the first link refers to."""
    return hashlib.sha256(START + b"\0" + listing_id.encode()).digest()


def chain(listing_id: ListingId, receipts: Sequence[str]) -> list[Link]:
    """In the order in which the bids were received: hash = SHA-256(hash before ‖ SHA-256(receipt))."""
    digests = [hashlib.sha256(receipt.encode()).digest() for receipt in receipts]
    hashes = _hashes(listing_id, digests)
    return [Link(n + 1, digests[n], hashes[n], receipt) for n, receipt in enumerate(receipts)]


def _hashes(listing_id: ListingId, digests: Sequence[bytes]) -> list[bytes]:
    found, last = [], origin(listing_id)
    for digest in digests:
        last = hashlib.sha256(last + digest).digest()
        found.append(last)
    return found


def verify(receipt: str, keys: KeySet, opening: Opening | None = None) -> Receipt:
    """The receipt, if one of the keys has signed it and it commits to the opening. Raises ReceiptIsWrong."""
    found = _receipt(_verified(receipt, RECEIPT, keys))
    if opening is None:
        return found
    if opening.bid_id != found.bid_id:
        raise ReceiptIsWrong("the opening is of another bid")
    if opening.commitment.hex() != found.commitment:
        raise ReceiptIsWrong("the opening is not what was committed to")
    return found


def verify_book(listing_id: ListingId, links: Sequence[Link], statement: str, keys: KeySet) -> list[Receipt]:
    """The receipts that are shown, if the chain is whole, in the order of the stamps, and ends where the statement says."""
    claims = _verified(statement, BOOK, keys)
    told = [(link.position, link.hash) for link in links]
    if told != list(enumerate(_hashes(listing_id, [link.digest for link in links]), start=1)):
        raise ReceiptIsWrong("the chain is broken")
    shown = [link for link in links if link.receipt is not None]
    if any(hashlib.sha256(str(link.receipt).encode()).digest() != link.digest for link in shown):
        raise ReceiptIsWrong("a receipt is not the one in the chain")
    last = links[-1].hash if links else origin(listing_id)
    if (claims.get("listing_id"), claims.get("count"), claims.get("head")) != (listing_id, len(links), last.hex()):
        raise ReceiptIsWrong("the chain does not end where the statement says")
    receipts = [verify(str(link.receipt), keys) for link in shown]
    if {receipt.listing_id for receipt in receipts} - {listing_id}:
        raise ReceiptIsWrong("a receipt is of another listing")
    order = [(receipt.received_at, receipt.bid_id) for receipt in receipts]
    if order != sorted(set(order)):
        raise ReceiptIsWrong("the receipts are out of order")
    return receipts


def _verified(token: str, kind: str, keys: KeySet) -> dict[str, Any]:
    try:
        found = jws.deserialize_compact(token, keys, algorithms=[ALGORITHM], registry=_REGISTRY)
        claims = json.loads(found.payload)
    except (JoseError, ValueError) as error:
        raise ReceiptIsWrong("the signature does not hold") from error
    if found.headers().get("typ") != kind or not isinstance(claims, dict):
        raise ReceiptIsWrong("it is something else")
    return claims


def _receipt(claims: dict[str, Any]) -> Receipt:
    try:
        return Receipt(**{**claims, "received_at": datetime.fromisoformat(claims["received_at"])})
    except (TypeError, KeyError, ValueError) as error:
        raise ReceiptIsWrong("it is no receipt") from error
