"""Bitstring Status List 1.0: 131,072 bits, gzip, base64url without padding, multibase `u`. Bit 0 is the leftmost."""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from typing import Any

SIZE = 131_072
"""Bits of a list of ours, and the least a list may have."""

_MOST_BYTES = 2 * 1024 * 1024
_MOST_CHARACTERS = 4 * 1024 * 1024
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


class StatusListIsInvalid(ValueError):
    """Not a status list, too short, too long once unpacked, or an index outside of it."""


def empty() -> bytes:
    return bytes(SIZE // 8)


def set_bit(bits: bytes, index: int) -> bytes:
    """A copy in which the bit is set. There is no way to clear one: a revocation is not undone."""
    changed = bytearray(bits)
    changed[_place(bits, index)] |= 0x80 >> index % 8
    return bytes(changed)


def is_set(bits: bytes, index: int) -> bool:
    return bool(bits[_place(bits, index)] & 0x80 >> index % 8)


def _place(bits: bytes, index: int) -> int:
    if not 0 <= index < len(bits) * 8:
        raise StatusListIsInvalid(f"index {index} lies outside of a list of {len(bits) * 8} bits")
    return index // 8


def encode(bits: bytes) -> str:
    """Equal bits give equal text (no time in the gzip header)."""
    _check_length(len(bits))
    return "u" + base64.urlsafe_b64encode(gzip.compress(bits, compresslevel=9, mtime=0)).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Unpacks at most 2 MiB (16.8 million entries), whatever the text claims."""
    if not text.startswith("u") or len(text) > _MOST_CHARACTERS or not _BASE64URL.fullmatch(text, 1):
        raise StatusListIsInvalid("the list is not base64url in multibase")
    try:
        packed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        bits = unpacker.decompress(packed, _MOST_BYTES + 1)
    except (binascii.Error, zlib.error) as error:
        raise StatusListIsInvalid(str(error)) from error
    if len(bits) > _MOST_BYTES or not unpacker.eof or unpacker.unused_data:
        raise StatusListIsInvalid("the list is too long, cut off, or followed by something else")
    _check_length(len(bits))
    return bits


def _check_length(size: int) -> None:
    if not SIZE // 8 <= size <= _MOST_BYTES:
        raise StatusListIsInvalid(f"a list has at least {SIZE} bits and at most {_MOST_BYTES * 8}")


def index_of(entry: Mapping[str, Any]) -> int:
    """`statusListIndex` of a credentialStatus entry: an integer in UNTP, a string in W3C's text; both are read."""
    index = entry.get("statusListIndex")
    if isinstance(index, str) and _INDEX.fullmatch(index):
        return int(index)
    if isinstance(index, int) and not isinstance(index, bool) and index >= 0:
        return index
    raise StatusListIsInvalid("statusListIndex is neither a whole number nor one in a string")
