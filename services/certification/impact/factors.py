"""Factor sets: published figures with everything that makes them checkable. A missing one is a row too.

`data/<set>.json` describes the set and says which of its subjects stands for which material; `data/<set>.csv` holds the
factors; the JSON carries the CSV's SHA-256. `desnz-2025-excerpt`: contains public sector information licensed under the
Open Government Licence v3.0.
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

_DATA = files("services.certification.impact") / "data"
_STATUSES = frozenset({"value", "proxy", "primary", "missing"})
_NEEDED = ("unit", "year", "region", "licence", "boundary", "gwp_basis", "source", "source_ref")

SHIPPED = "desnz-2025-excerpt"


class FactorSetIsInvalid(Exception):
    """A set that cannot be used: damaged, or with figures that lack source, licence or another thing a figure needs."""


class FactorSetMissing(LookupError):
    def __init__(self, id: str) -> None:
        super().__init__(f"there is no factor set {id}")


@dataclass(frozen=True)
class Factor:
    """`kind`: incurred, displaced and secondary (together an avoided line), net or gate_transport. `status`: value,
    proxy (stated for something near, printed so), primary (measured by the plant), missing (`value` is None)."""

    id: str
    subject: str
    process: str
    kind: str
    indicator: str
    status: str
    value: Decimal | None
    unit: str
    year: int
    region: str
    boundary: str
    gwp_basis: str
    licence: str
    source: str
    source_ref: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.status not in _STATUSES or (self.value is None) != (self.status == "missing"):
            raise FactorSetIsInvalid(f"{self.id}: a value is absent exactly where the status is missing")
        lacking = [name for name in _NEEDED if self.value is not None and not getattr(self, name)]
        if lacking:
            raise FactorSetIsInvalid(f"{self.id} lacks {', '.join(lacking)}")


@dataclass(frozen=True)
class Subject:
    """What a set uses for a material of ours; `proxy` says so where it is a neighbour's figure declared as such."""

    name: str
    proxy: str | None = None


@dataclass(frozen=True)
class FactorSet:
    """`subjects` by material code; `unstated` says why a vague material has none. `sha256` is of the CSV."""

    id: str
    title: str
    version: str
    region: str
    year: int
    licence: str
    attribution: str
    method: str
    boundary: str
    indicators: tuple[str, ...]
    sha256: str
    factors: Mapping[str, Factor]
    subjects: Mapping[str, Subject]
    unstated: Mapping[str, str]

    def find(self, subject: str, process: str, indicator: str) -> Factor | None:
        """The factor of that place, missing ones included; None where the set does not even name it."""
        wanted = (subject, process, indicator)
        named = (
            factor for factor in self.factors.values() if (factor.subject, factor.process, factor.indicator) == wanted
        )
        return next(named, None)

    def covers(self, indicator: str) -> bool:
        """Whether the set has any figure for the indicator."""
        return any(factor.value is not None for factor in self.factors.values() if factor.indicator == indicator)


def shipped() -> list[str]:
    """The ids of the sets at hand."""
    return sorted(entry.name.removesuffix(".json") for entry in _DATA.iterdir() if entry.name.endswith(".json"))


@cache
def load(id: str = SHIPPED) -> FactorSet:
    """A set that ships. Raises FactorSetMissing and FactorSetIsInvalid."""
    described = _DATA / f"{id}.json"
    if id not in shipped():
        raise FactorSetMissing(id)
    content = (_DATA / f"{id}.csv").read_bytes()
    return read(json.loads(described.read_text(encoding="utf-8")), content)


def read(described: Mapping[str, Any], content: bytes) -> FactorSet:
    """A set from its description and its CSV bytes. Raises FactorSetIsInvalid."""
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise FactorSetIsInvalid(f"the factors of {described['id']} differ from their SHA-256")
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    factors = {row["factor_id"]: _factor(row, described["source"]) for row in rows}
    return FactorSet(
        **{name: described[name] for name in ("id", "title", "version", "region", "year", "licence", "attribution")},
        method=described["method"],
        boundary=described["boundary"],
        indicators=tuple(described["indicators"]),
        sha256=described["sha256"],
        factors=factors,
        subjects={
            name: Subject(entry["subject"], entry.get("proxy")) for name, entry in described["materials"].items()
        },
        unstated=described["unstated"],
    )


def _factor(row: Mapping[str, str], source: str) -> Factor:
    return Factor(
        id=row["factor_id"],
        value=Decimal(row["value"]) if row["value"] else None,
        year=int(row["year"]),
        source=source,
        **{name: row[name] for name in ("subject", "process", "kind", "indicator", "status", "unit", "region")},
        **{name: row[name] for name in ("boundary", "gwp_basis", "licence", "source_ref", "note")},
    )
