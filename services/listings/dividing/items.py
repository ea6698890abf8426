"""Items as goods, and goods as items: copies, joins, and which units go with a part."""

from collections.abc import Collection, Sequence
from typing import Any

from services.kernel.ids import ItemId, LineageId, ListingId
from services.kernel.quantities import Mass
from services.kernel.unit_of_work import UnitOfWork
from services.listings.dividing.goods import Goods, Stock
from services.listings.errors import UnitsMoveWhole
from services.listings.events import MovedGoods
from services.listings.models import Item, Lineage, Listing, Unit

OF_ONE_ROW = frozenset(
    {
        "id",
        "created_at",
        "listing_id",
        "position",
        "quantity",
        "mass_g",
        "awarded_quantity",
        "awarded_g",
        "relisted_quantity",
        "relisted_g",
    }
)
"""What two items of one kind differ in."""


def stock_of(item: Item) -> Stock:
    def goods(quantity: int, mass_g: int) -> Goods:
        return Goods(quantity, None if item.mass_g is None else mass_g)

    return Stock(
        Goods(item.quantity, item.mass_g),
        goods(item.awarded_quantity, item.awarded_g),
        goods(item.relisted_quantity, item.relisted_g),
    )


def keep(item: Item, stock: Stock) -> None:
    """Writes the stock back."""
    item.quantity, item.mass_g = stock.whole.quantity, stock.whole.mass_g
    item.awarded_quantity, item.awarded_g = stock.awarded.quantity, stock.awarded.mass_g or 0
    item.relisted_quantity, item.relisted_g = stock.relisted.quantity, stock.relisted.mass_g or 0


def copy_of(work: UnitOfWork, item: Item, goods: Goods, listing_id: ListingId) -> Item:
    """The same kind of thing in another listing, of these pieces."""
    return Item(
        **_kind(item),
        id=ItemId.new(),
        listing_id=listing_id,
        position=item.position,
        quantity=goods.quantity,
        mass_g=goods.mass_g,
        created_at=work.now,
    )


def are_of_one_kind(one: Item, other: Item) -> bool:
    """Nothing but their number and mass tells them apart, and both masses are known, or neither."""
    return _kind(one) == _kind(other) and (one.mass_g is None) == (other.mass_g is None)


def _kind(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Item.model_fields if name not in OF_ONE_ROW}


def whole_units(units: Sequence[Unit], quantity: int, named: Collection[str] = ()) -> list[Unit]:
    """Those that make up the quantity: the named ones, or else the largest that fit, in the order of their ids.

    Raises UnitsMoveWhole where they do not sum to it."""
    if named:
        chosen = [unit for unit in units if unit.external_id in named]
    else:
        chosen, open_quantity = [], quantity
        for unit in sorted(units, key=lambda unit: (-unit.quantity, unit.external_id)):
            if unit.quantity <= open_quantity:
                chosen.append(unit)
                open_quantity -= unit.quantity
    if sum(unit.quantity for unit in chosen) != quantity:
        raise UnitsMoveWhole()
    return chosen


def weighed(item: Item, units: Sequence[Unit], chosen: Sequence[Unit]) -> Goods | None:
    """The part's goods where the item weighs what its units do; None where the mass follows the pieces."""
    if any(unit.mass_g is None for unit in units) or sum(unit.mass_g or 0 for unit in units) != item.mass_g:
        return None
    goods = Goods(sum(unit.quantity for unit in chosen), sum(unit.mass_g or 0 for unit in chosen))
    return goods if goods.mass_g and goods.mass_g < item.mass_g else None


def descent(
    work: UnitOfWork,
    kind: str,
    source: Listing,
    item_id: ItemId,
    target: Listing,
    into: Item,
    goods: Goods,
    *,
    reason: str | None = None,
) -> Lineage:
    """The row that says so."""
    row = Lineage(
        id=LineageId.new(),
        kind=kind,
        seller_id=source.seller_id,
        from_listing_id=source.id,
        from_item_id=item_id,
        to_listing_id=target.id,
        to_item_id=into.id,
        quantity=goods.quantity,
        mass_g=goods.mass_g,
        moved_by=work.actor.label,
        reason=reason,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(row)
    return row


def told(rows: Sequence[Lineage]) -> list[MovedGoods]:
    return [
        MovedGoods(
            from_item_id=row.from_item_id,
            to_item_id=row.to_item_id,
            quantity=row.quantity,
            mass=None if row.mass_g is None else Mass(row.mass_g),
        )
        for row in rows
    ]
