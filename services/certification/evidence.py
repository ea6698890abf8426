"""Evidence enters a certificate as one root: a SHA-256 tree over salted hashes of events and files, in id order.

Shape (RFC 6962): leaf = SHA-256(0x00 ‖ salt ‖ id ‖ 0x00 ‖ content hash), node = SHA-256(0x01 ‖ left ‖ right); the left
subtree holds the largest power of two below the number of leaves. A root is its multihash in base58btc.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.certification import multibase, proofs

SALT_LENGTH = 16


@dataclass(frozen=True)
class Evidence:
    """`id` of the event or file, SHA-256 of its content (32 bytes), and a salt of 16 bytes or more kept beside it."""

    id: str
    sha256: bytes
    salt: bytes

    def __post_init__(self) -> None:
        if not self.id or "\0" in self.id or len(self.sha256) != 32 or len(self.salt) < SALT_LENGTH:
            raise ValueError("evidence needs an id, a SHA-256 and a salt of at least 16 bytes")

    @property
    def leaf(self) -> bytes:
        return hashlib.sha256(b"\0" + self.salt + self.id.encode() + b"\0" + self.sha256).digest()


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_LENGTH)


def root(pieces: Iterable[Evidence]) -> str:
    """Raises ValueError where there is no evidence or one id comes twice."""
    return multibase.encode(multibase.SHA2_256 + _top([piece.leaf for piece in _in_order(pieces)]))


def path(pieces: Iterable[Evidence], id: str) -> list[bytes]:
    """The siblings that lead from one piece to the root, lowest first. Raises LookupError."""
    ordered = _in_order(pieces)
    ids = [piece.id for piece in ordered]
    if id not in ids:
        raise LookupError(f"{id} is not among the evidence")
    return _siblings([piece.leaf for piece in ordered], ids.index(id))


def is_under(piece: Evidence, *, index: int, size: int, path: Sequence[bytes], root: str) -> bool:
    """Whether the piece at `index` (in id order) of `size` pieces lies under the root."""
    if not 0 <= index < size:
        return False
    top = _climbed(piece.leaf, index, size, list(path))
    return top is not None and multibase.encode(multibase.SHA2_256 + top) == root


def _in_order(pieces: Iterable[Evidence]) -> list[Evidence]:
    ordered = sorted(pieces, key=lambda piece: piece.id)
    if not ordered or len({piece.id for piece in ordered}) != len(ordered):
        raise ValueError("a root needs at least one piece of evidence, and each id once")
    return ordered


def _top(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(_top(leaves[:split]), _top(leaves[split:]))


def _siblings(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*_siblings(leaves[:split], index), _top(leaves[split:])]
    return [*_siblings(leaves[split:], index - split), _top(leaves[:split])]


def _climbed(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    split = _split(size)
    if index < split:
        below = _climbed(leaf, index, split, path[:-1])
        return None if below is None else _node(below, path[-1])
    below = _climbed(leaf, index - split, size - split, path[:-1])
    return None if below is None else _node(path[-1], below)


def _split(size: int) -> int:
    power: int = 1 << (size - 1).bit_length() - 1
    return power


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def chained(previous: bytes | None, event: dict[str, Any]) -> bytes:
    """A custody event in its site's chain: SHA-256(previous hash, or 32 zeros ‖ the event's canonical bytes)."""
    return hashlib.sha256((previous or bytes(32)) + proofs.canonical(event)).digest()


def pseudonym(secret: bytes, certificate_id: str, batch_id: str) -> str:
    """A batch's name inside one certificate: HMAC-SHA-256, 128 bits, 26 characters. No two share one."""
    mac = hmac.digest(secret, f"{certificate_id}\0{batch_id}".encode(), "sha256")
    return base64.b32encode(mac[:16]).decode().rstrip("=").lower()
