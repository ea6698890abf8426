"""What a lot lacks of a demand order, with figures. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.bidding.models import DemandOrder, rung
from services.kernel.money import CURRENCIES, Money
from services.listings.models import Item, Listing
from services.listings.searching import Place, distance_km, facets

MOST_MISSED = 2
"""What misses more criteria is no near miss."""

GRAMS_PER_TONNE = 1_000_000


@dataclass(frozen=True)
class Miss:
    """`wanted` and `offered` are figures in `unit`, or names where there is none; `offered` None: it was not said."""

    criterion: str
    wanted: str
    offered: str | None
    unit: str | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Lot:
    """A whole listing as an order sees it. Its grade is that of its worst piece, 0 for silence; `price_minor` what an instant one
    is sold at, in its own unit."""

    place: Place
    currency: str
    price_unit: str
    price_direction: str | None
    disposition_floor: str
    mass_g: int | None
    pieces: int
    materials: dict[str, int | None]
    grade: int
    waste_codes: frozenset[str | None]
    price_minor: int | None = None


def lot_of(listing: Listing, items: Sequence[Item]) -> Lot:
    grades = [facets.number("grade", item.condition_grade) for item in items]
    return Lot(
        place=Place(listing.latitude, listing.longitude),
        currency=listing.currency,
        price_unit=listing.price_unit,
        price_direction=listing.price_direction,
        disposition_floor=listing.disposition_floor,
        mass_g=listing.total_mass_g,
        pieces=sum(item.quantity for item in items),
        materials={one["material"]: one["mass_g"] for one in listing.materials},
        grade=0 if 0 in grades else max(grades, default=0),
        waste_codes=frozenset(item.waste_code for item in items),
        price_minor=listing.price_minor,
    )


def misses(order: DemandOrder, lot: Lot, left_g: int) -> list[Miss]:
    """Every criterion that the lot misses; empty: it is a match. `left_g` is what the order still takes this week."""
    found = [_distance, _share, _grade, _codes, _price, _currency, _disposition]
    return [*(miss for criterion in found for miss in criterion(order, lot)), *_quantity(lot, left_g)]


def away_km(order: DemandOrder, lot: Lot) -> float:
    return distance_km(Place(order.latitude, order.longitude), lot.place)


def bid_for(order: DemandOrder, lot: Lot) -> Money:
    """What the order bids in the lot's own unit, rounded down: never more for a tonne than it says, nor than the lot is sold at."""
    bid = _in_units(order.price_limit if order.bid_price is None else order.bid_price, lot)
    return bid if lot.price_minor is None else min(bid, Money(lot.price_minor, order.currency))


def _in_units(per_tonne: Money, lot: Lot) -> Money:
    if lot.price_unit == "tonne":
        return per_tonne
    assert lot.mass_g is not None, "a lot without a mass is no match"
    units = lot.pieces if lot.price_unit == "piece" else 1
    step = CURRENCIES[per_tonne.currency].step
    return Money(per_tonne.minor * lot.mass_g // (GRAMS_PER_TONNE * units * step) * step, per_tonne.currency)


def _distance(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    away = away_km(order, lot)
    if away > order.radius_km:
        yield Miss("distance", f"{order.radius_km:g}", f"{away:.1f}", "km")


def _share(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    grams = lot.materials.get(order.material, 0)
    if not lot.mass_g or grams is None:
        return
    share_bps = grams * 10_000 // lot.mass_g
    if share_bps < order.least_share_bps:
        yield Miss("material_share", str(order.least_share_bps), str(share_bps), "bps")


def _grade(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    floor = facets.number("grade", order.condition_floor)
    if floor and not 1 <= lot.grade <= floor:
        yield Miss("condition", str(order.condition_floor), facets.value("grade", lot.grade))


def _codes(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    foreign = [code for code in lot.waste_codes if code not in order.waste_codes]
    if order.waste_codes and foreign:
        named = ", ".join(sorted(code or "none" for code in foreign))
        yield Miss("waste_code", ", ".join(order.waste_codes), named)


def _quantity(lot: Lot, left_g: int) -> Iterator[Miss]:
    if lot.mass_g is None or lot.mass_g > left_g:
        yield Miss("quantity", str(max(0, left_g)), None if lot.mass_g is None else str(lot.mass_g), "g")


def _price(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    """What the holder expects is a direction; how much, the bids tell, unless the lot is sold at a price."""
    if lot.price_minor is not None:
        yield from _fixed_price(order, lot, lot.price_minor)
    elif lot.price_direction == "buyer_pays" and order.price_limit_minor <= 0:
        yield Miss("price", order.price_limit.amount, "above 0", f"{order.currency}/t")


def _fixed_price(order: DemandOrder, lot: Lot, price_minor: int) -> Iterator[Miss]:
    if lot.currency != order.currency or (lot.mass_g is None and lot.price_unit != "tonne"):
        return
    most = _in_units(order.price_limit, lot)
    if price_minor > most.minor:
        unit = "t" if lot.price_unit == "tonne" else lot.price_unit
        yield Miss("price", most.amount, Money(price_minor, lot.currency).amount, f"{lot.currency}/{unit}")


def _currency(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    if lot.currency != order.currency:
        yield Miss("currency", order.currency, lot.currency)


def _disposition(order: DemandOrder, lot: Lot) -> Iterator[Miss]:
    if rung(order.disposition) > rung(lot.disposition_floor):
        yield Miss("disposition", order.disposition, lot.disposition_floor)
