"""Conversion between the units of figures and factors. The constants are pinned: another definition moves a figure.

The pound is 0.45359237 kg, the short ton 2,000 pounds, the mile 1,609.344 m (yard and pound agreement, 1959); the Btu
is the international table one, 1,055.05585262 J. A metric tonne of CO2e is 1,000 kgCO2e.
"""

from decimal import Decimal

from services.certification.impact.arithmetic import exact, number

_SHORT_TON_G = Decimal("907184.74")
_MILLION_BTU_MJ = Decimal("1055.05585262")

_IN_BASE: dict[str, dict[str, Decimal]] = {
    "mass": {
        "g": Decimal(1),
        "kg": Decimal(1_000),
        "t": Decimal(1_000_000),
        "lb": Decimal("453.59237"),
        "short_ton": _SHORT_TON_G,
    },
    "distance": {"m": Decimal(1), "km": Decimal(1_000), "mi": Decimal("1609.344")},
    "energy": {"MJ": Decimal(1), "kWh": Decimal("3.6"), "MBtu": _MILLION_BTU_MJ},
    "emissions": {"gCO2e": Decimal("0.001"), "kgCO2e": Decimal(1), "tCO2e": Decimal(1_000), "MTCO2E": Decimal(1_000)},
    "activity": {"tkm": Decimal(1), "short_ton_mile": Decimal("1.609344") * _SHORT_TON_G / 1_000_000},
    "volume": {"m3": Decimal(1), "l": Decimal("0.001")},
}


class UnitsDoNotConvert(ValueError):
    """A unit we do not know, or two of different dimensions."""

    def __init__(self, from_unit: str, to_unit: str) -> None:
        super().__init__(f"{from_unit} does not convert to {to_unit}")


def convert(value: Decimal | int | str, from_unit: str, to_unit: str) -> Decimal:
    """`value` in another unit, compound ones such as "MTCO2E/short_ton" to "kgCO2e/t" included."""
    try:
        of, to = _parts(from_unit), _parts(to_unit)
    except KeyError:
        raise UnitsDoNotConvert(from_unit, to_unit) from None
    if [dimension for dimension, _ in of] != [dimension for dimension, _ in to]:
        raise UnitsDoNotConvert(from_unit, to_unit)
    with exact():  # multiplied out first, so that one division is all that rounds
        above, below = number(value), Decimal(1)
        for place, ((_, size_of), (_, size_to)) in enumerate(zip(of, to, strict=True)):
            above, below = (above * size_to, below * size_of) if place else (above * size_of, below * size_to)
        return above / below


def _parts(unit: str) -> list[tuple[str, Decimal]]:
    return [_SIZES[part] for part in unit.split("/", 1)]


_SIZES = {unit: (dimension, size) for dimension, sizes in _IN_BASE.items() for unit, size in sizes.items()}
