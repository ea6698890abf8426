"""Hazardous properties HP1–HP15 of Directive 2008/98/EC, Annex III."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from services.kernel.reference import lists
from services.kernel.reference.errors import ReferenceDataMissing


@dataclass(frozen=True)
class HazardProperty:
    code: str
    title: str
    source: str


def find(code: str) -> HazardProperty:
    """`code` as "HP14", "HP 14" or "HP_14". Raises ReferenceDataMissing."""
    try:
        return _properties()[code.strip().upper().replace(" ", "").replace("_", "")]
    except KeyError:
        raise ReferenceDataMissing("hazardous property", code) from None


def every() -> list[HazardProperty]:
    return list(_properties().values())


@cache
def _properties() -> Mapping[str, HazardProperty]:
    return {row["code"]: HazardProperty(**row) for row in lists.read("hazard_properties").rows}
