"""The words by which goods are found: case and accents make no difference, everything else does."""

import re
import unicodedata
from collections.abc import Collection
from string import ascii_letters, digits
from zlib import crc32

MOST_WORDS = 40
MOST_SIGNS = 120
_LETTERS = digits + ascii_letters + "-_"
_WORD = re.compile(r"[^\W_]{2,40}")


def words(*texts: str | None) -> list[str]:
    """Each once, in the order in which they are said, the first forty."""
    said = _WORD.findall(_folded(" ".join(text for text in texts if text)))
    return list(dict.fromkeys(said))[:MOST_WORDS]


def sign(word: str) -> str:
    """Two letters for it, one of 4,096 pairs. Stored: what is signed stays signed so."""
    number = crc32(word.encode())
    return _LETTERS[number >> 6 & 63] + _LETTERS[number & 63]


def signs(said: Collection[str]) -> str | None:
    """Of all words of a listing. A word whose sign is not in it is not said; None says nothing, of a listing with very many."""
    return "".join(map(sign, said)) if len(said) <= MOST_SIGNS else None


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in apart if not unicodedata.combining(one))
