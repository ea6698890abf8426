"""What a sealed bid says, and the boxes it lies in. Pure, but for the keys' files.

A bid lies in two boxes: one to the listing's key, whose private half only the closer can unwrap, and one under a key of the
bidder's, so that it can read its own bid. Both hold the same canonical JSON, the bid's id included, so that no box can be passed
off as another bid's, padded to one length, so that its size tells nothing.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import rfc8785
from nacl.encoding import HexEncoder
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.utils import random

from services.bidding.models import Amounts
from services.kernel.ids import BidId, OrgId
from services.kernel.kept import kept
from services.kernel.money import Money
from services.kernel.settings import Settings

LENGTH = 512
ClosersBox: TypeAlias = "SealedBox[PrivateKey]"
_SALT_BYTES = 32


class Unreadable(Exception):
    """The box does not open, or what is in it is not this bid."""


@dataclass(frozen=True)
class Opening:
    """What a commitment opens to: SHA-256 over the canonical JSON (RFC 8785) of `document`."""

    bid_id: BidId
    amounts: Amounts
    salt: str

    @classmethod
    def of(cls, bid_id: BidId, amounts: Amounts) -> "Opening":
        return cls(bid_id, amounts, secrets.token_hex(_SALT_BYTES))

    @property
    def document(self) -> dict[str, Any]:
        told = {name: None if money is None else money.to_wire() for name, money in vars(self.amounts).items()}
        return {"bid_id": self.bid_id, "salt": self.salt, **told}

    @property
    def commitment(self) -> bytes:
        return hashlib.sha256(rfc8785.dumps(self.document)).digest()

    def padded(self) -> bytes:
        return rfc8785.dumps(self.document).ljust(LENGTH)

    @classmethod
    def read(cls, content: bytes) -> "Opening":
        """Raises Unreadable."""
        try:
            told = json.loads(content)
            money = {name: told[name] and Money.from_wire(told[name]) for name in Amounts.__dataclass_fields__}
            return cls(BidId.parse(told["bid_id"]), Amounts(**money), str(told["salt"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable("it says nothing that could be a bid") from error


def new_pair(closer: PublicKey) -> tuple[bytes, bytes]:
    """The public half of a listing's key, and the private one wrapped for the closer."""
    private = PrivateKey.generate()
    return bytes(private.public_key), SealedBox(closer).encrypt(bytes(private))


def seal(opening: Opening, public_key: bytes) -> bytes:
    return SealedBox(PublicKey(public_key)).encrypt(opening.padded())


def unwrap(wrapped: bytes, closer: PrivateKey) -> ClosersBox:
    """CryptoError where the closer's key is another one: then nothing must be decided."""
    return SealedBox(PrivateKey(SealedBox(closer).decrypt(wrapped)))


def unseal(sealed: bytes, box: ClosersBox) -> Opening:
    """Raises Unreadable."""
    try:
        return Opening.read(box.decrypt(sealed))
    except (CryptoError, ValueError, TypeError) as error:
        raise Unreadable("the box does not open") from error


def lock_own(opening: Opening, key: bytes) -> bytes:
    return bytes(SecretBox(key).encrypt(opening.padded(), random(SecretBox.NONCE_SIZE)))


def read_own(own: bytes, key: bytes) -> Opening:
    """Raises Unreadable."""
    try:
        return Opening.read(SecretBox(key).decrypt(own))
    except (CryptoError, ValueError) as error:
        raise Unreadable("the box does not open") from error


@dataclass(frozen=True)
class House:
    """The house's keys of one environment: files beside the database, never in it. Only what closes bidding reads `closer`."""

    folder: Path

    @property
    def closer(self) -> PrivateKey:
        return PrivateKey(_new_or_kept(self.folder / "closer.key").encode(), HexEncoder)

    @property
    def closer_public(self) -> PublicKey:
        return PublicKey(_public_half(self.folder).encode(), HexEncoder)

    def own_key(self, bidder_id: OrgId) -> bytes:
        """Of one organization, derived."""
        secret = bytes.fromhex(_new_or_kept(self.folder / "bidders.key"))
        return bytes.fromhex(blake2b(bidder_id.encode(), digest_size=SecretBox.KEY_SIZE, key=secret).decode())


def house(settings: Settings, *, livemode: bool) -> House:
    return House(settings.data_dir / "keys" / ("live" if livemode else "sandbox") / "sealing")


@cache
def _new_or_kept(file: Path) -> str:
    return kept(file, lambda: secrets.token_hex(32))


@cache
def _public_half(folder: Path) -> str:
    """A process that only takes bids needs this file and not the private one."""

    def derived() -> str:
        return House(folder).closer.public_key.encode(HexEncoder).decode()

    return kept(folder / "closer.pub", derived)
