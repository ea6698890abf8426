"""Mass in integer grams. On the wire `{"value": "12.4", "unit": "t"}` in g, kg, t, lb or short_ton; answers are in kg.

The pound is 453.59237 g and the short ton 2,000 pounds by definition (international yard and pound agreement, 1959);
other units than grams round half up to the gram.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar, Self

from services.kernel.wire import WireValue

GRAMS_PER = {
    "g": Decimal(1),
    "kg": Decimal(1_000),
    "t": Decimal(1_000_000),
    "lb": Decimal("453.59237"),
    "short_ton": Decimal("907184.74"),
}
MOST_GRAMS = 10**12
"""A million tonnes: what one figure may hold, so that it stays exact in JSON."""

_VALUE = re.compile(r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?$")


@dataclass(frozen=True, order=True)
class Mass(WireValue):
    """Never negative: a difference of two masses is plain grams."""

    wire_title: ClassVar[str] = "Mass"
    wire_fields: ClassVar[Mapping[str, dict[str, Any]]] = {
        "value": {"type": "string", "pattern": _VALUE.pattern, "examples": ["12.4"]},
        "unit": {"type": "string", "enum": list(GRAMS_PER), "examples": ["t"]},
    }
    wire_example: ClassVar[dict[str, str]] = {"value": "12.4", "unit": "t"}

    grams: int

    def __post_init__(self) -> None:
        if not 0 <= self.grams <= MOST_GRAMS:
            raise ValueError("a mass lies between 0 and a million tonnes")

    @classmethod
    def of(cls, value: str | Decimal, unit: str) -> Self:
        if unit not in GRAMS_PER:
            raise ValueError(f"the unit is one of {', '.join(GRAMS_PER)}")
        grams = (Decimal(value) * GRAMS_PER[unit]).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return cls(int(grams))

    @property
    def tonnes(self) -> Decimal:
        return Decimal(self.grams) / 1_000_000

    def __add__(self, other: "Mass") -> Self:
        return type(self)(self.grams + other.grams)

    def __str__(self) -> str:
        return f"{self.tonnes:.3f} t"

    @classmethod
    def from_wire(cls, value: dict[str, str]) -> Self:
        if not _VALUE.fullmatch(value["value"]):
            raise ValueError('the value is a decimal string such as "12.4", never a JSON number')
        return cls.of(value["value"], value["unit"])

    def to_wire(self) -> dict[str, str]:
        return grams_on_the_wire(self.grams)


def grams_on_the_wire(grams: int) -> dict[str, str]:
    """As `Mass` is answered, without making one."""
    kilograms, rest = divmod(grams, 1_000)
    return {"value": f"{kilograms}.{rest:03d}".rstrip("0") if rest else str(kilograms), "unit": "kg"}
