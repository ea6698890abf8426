"""Names of the document as names of Python."""

import keyword
import re

SHADOWED = {"str", "int", "float", "bool", "list", "dict", "bytes", "Any", "self"}


def pascal(text: str) -> str:
    """`Page_Listing_`, `order.settled`, `place-bid` → PageListing, OrderSettled, PlaceBid."""
    words = [word for word in re.split(r"[^0-9A-Za-z]+", text) if word]
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name.isidentifier() else f"T{name}"


def snake(text: str) -> str:
    """`Last-Seen`, `listingId` → last_seen, listing_id."""
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    name = re.sub(r"[^0-9A-Za-z]+", "_", split).strip("_").lower()
    return name if name and not name[0].isdigit() else f"p_{name}"


def free(name: str, taken: set[str]) -> str:
    """The name, with underscores behind it until it is neither a keyword nor taken; it is taken afterwards."""
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    taken.add(name)
    return name


def is_plain(name: str) -> bool:
    """Whether a field can be an annotated attribute under its own name."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_") and name not in SHADOWED


def exported(names: list[str]) -> str:
    """The `__all__` of a module."""
    return f"__all__: list[str] = {sorted(names)!r}"
