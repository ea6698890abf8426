"""Multibase base58btc (`z…`) and the multicodec prefixes of the keys and hashes written in it."""

from typing import Final

SHA2_256: Final = b"\x12\x20"
ED25519_PUBLIC: Final = b"\xed\x01"
ED25519_PRIVATE: Final = b"\x80\x26"
P256_PUBLIC: Final = b"\x80\x24"
P256_PRIVATE: Final = b"\x86\x26"

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_LONGEST = 512


def encode(data: bytes) -> str:
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _ALPHABET[rest] + digits
    leading_zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + "1" * leading_zeros + digits


def decode(text: str) -> bytes:
    """Raises ValueError for another base, a foreign character or more than 512 characters."""
    if not text.startswith("z") or len(text) > _LONGEST:
        raise ValueError("not a short base58btc multibase string")
    number = 0
    for character in text[1:]:
        if character not in _VALUES:
            raise ValueError(f"{character!r} is not in the base58 alphabet")
        number = number * 58 + _VALUES[character]
    leading_zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * leading_zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
