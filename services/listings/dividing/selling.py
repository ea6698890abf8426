"""A listing sold in parts: what a bid is for, and whether it is still there. Pure, but for the items it writes.

`parts` are those of a bid: [{item_id, quantity}], quantity None for all of the item; None is the whole lot. A bid gets all it is
for, or nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.errors import Detail
from services.listings.dividing.goods import CannotDivide, Goods
from services.listings.dividing.items import keep, stock_of
from services.listings.models import Item, Listing

Parts = Sequence[dict[str, Any]] | None


@dataclass(frozen=True)
class Portion:
    """Pieces and grams of an item that are bid for, or won."""

    item: Item
    goods: Goods


def portions(items: Sequence[Item], parts: Parts) -> list[Portion]:
    """As they were offered, whatever has been awarded since; in the order of the items."""
    return [Portion(item, Goods(item.quantity, item.mass_g).part(quantity)) for item, quantity in _wanted(items, parts)]


def goods_of(items: Sequence[Item], parts: Parts) -> list[Goods]:
    return [portion.goods for portion in portions(items, parts)]


def free(items: Sequence[Item], parts: Parts) -> list[Portion]:
    """As an award would give them now. Raises CannotDivide where that is less than was bid for."""
    return [Portion(item, stock_of(item).award(quantity)[1]) for item, quantity in _wanted(items, parts)]


def is_free(items: Sequence[Item], parts: Parts) -> bool:
    try:
        free(items, parts)
    except CannotDivide:
        return False
    return True


def award(portions: Sequence[Portion]) -> None:
    for portion in portions:
        stock, won = stock_of(portion.item).award(portion.goods.quantity)
        assert won == portion.goods, "what is free has changed since it was looked at"
        keep(portion.item, stock)


def give_back(item: Item, won: Goods) -> None:
    keep(item, stock_of(item).give_back(won))


def is_anything_free(items: Sequence[Item]) -> bool:
    return any(stock_of(item).free for item in items)


def pieces_of(items: Sequence[Item], parts: Parts) -> dict[str, int]:
    """By item."""
    return {item.id: quantity for item, quantity in _wanted(items, parts)}


def _wanted(items: Sequence[Item], parts: Parts) -> Iterator[tuple[Item, int]]:
    asked = None if parts is None else {part["item_id"]: part["quantity"] for part in parts}
    for item in items:
        if asked is None:
            yield item, item.quantity
        elif item.id in asked:
            yield item, asked[item.id] or item.quantity


def against(listing: Listing, items: Sequence[Item], parts: Parts, with_units: frozenset[str]) -> Iterator[Detail]:
    """What does not fit how the listing is sold. `with_units` are the items that a manifest names piece by piece."""
    if parts is None:
        return
    if listing.lot_rule == "whole":
        yield Detail("/parts", "sold_as_a_whole", "The listing is sold as a whole.")
        return
    by_id = {item.id: item for item in items}
    for place, part in enumerate(parts):
        item = by_id.pop(part["item_id"], None)
        if item is None:
            yield Detail(
                f"/parts/{place}/item_id", "item_not_found", "The listing has no such item, or it is named twice."
            )
        elif part["quantity"] is not None and part["quantity"] != item.quantity:
            for code, detail in _against_quantity(listing, item, part["quantity"], with_units):
                yield Detail(f"/parts/{place}/quantity", code, detail)


def _against_quantity(
    listing: Listing, item: Item, quantity: int, with_units: frozenset[str]
) -> Iterator[tuple[str, str]]:
    if listing.lot_rule == "by_item":
        yield "sold_by_item", f"{item.title} is sold as a whole: {item.quantity} pieces."
    elif quantity > item.quantity:
        yield "more_than_offered", f"{item.quantity} pieces of {item.title} are offered."
    elif quantity < (listing.min_quantity or 1):
        yield "below_min_quantity", f"At least {listing.min_quantity} pieces of an item are sold."
    elif item.id in with_units:
        yield "units_sold_whole", f"{item.title} has serial numbers or rows of its own, and is sold as a whole."
    elif not _is_divisible(item, quantity):
        yield "goods_not_divisible", f"A part of {item.title} would weigh nothing."


def _is_divisible(item: Item, quantity: int) -> bool:
    try:
        Goods(item.quantity, item.mass_g).part(quantity)
    except CannotDivide:
        return False
    return True
