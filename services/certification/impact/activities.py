"""What happened, in grams and metres: the input of a statement."""

from dataclasses import dataclass
from decimal import Decimal

DISTANCE_KINDS = frozenset({"actual", "shortest_feasible", "great_circle", "declared", "estimated"})


@dataclass(frozen=True)
class Haulage:
    """One leg from collection to treatment, goods and packaging together. `mode` as in the set: "hgv_artic_gt33t"."""

    what: str
    mass_g: int
    distance_m: int
    mode: str
    distance_kind: str = "actual"

    def __post_init__(self) -> None:
        if self.mass_g < 0 or self.distance_m < 0 or self.distance_kind not in DISTANCE_KINDS:
            raise ValueError("a leg has grams, metres and a known kind of distance")


@dataclass(frozen=True)
class Recovered:
    """A product that displaces a primary one. `substitution_ratio` is 1 unless evidence says less."""

    material: str
    mass_g: int
    substitution_ratio: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if self.mass_g < 0 or not 0 < self.substitution_ratio <= 1:
            raise ValueError("grams, and a substitution ratio above 0 and at most 1, are needed")


@dataclass(frozen=True)
class Disposed:
    """Mass to a final disposal. `treatment` as in the set: "landfill", "incineration_treatment"."""

    material: str
    mass_g: int
    treatment: str

    def __post_init__(self) -> None:
        if self.mass_g < 0:
            raise ValueError("a mass is not negative")


@dataclass(frozen=True)
class Consumed:
    """What the plant used, measured. `utility` as in the set: "electricity_generation" in kWh, "water_supply" in m3."""

    what: str
    quantity: Decimal
    unit: str
    utility: str
    is_energy: bool = True

    def __post_init__(self) -> None:
        if self.quantity < 0:
            raise ValueError("a consumption is not negative")


@dataclass(frozen=True)
class Unreported:
    """Something known to be there whose effect nobody reported: "residue", "final operation not reported"."""

    what: str
    reason: str
    mass_g: int | None = None


Activity = Haulage | Recovered | Disposed | Consumed | Unreported
