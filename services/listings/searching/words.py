"""The words by which goods are found: case and accents make no difference, everything else does."""

import re
import unicodedata

MOST_WORDS = 40
_WORD = re.compile(r"[^\W_]{2,40}")


def words(*texts: str | None) -> list[str]:
    """Each once, in the order in which they are said, the first forty."""
    said = _WORD.findall(_folded(" ".join(text for text in texts if text)))
    return list(dict.fromkeys(said))[:MOST_WORDS]


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in apart if not unicodedata.combining(one))
