"""The materials goods are made of and outputs are weighed as."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from services.kernel.reference import lists
from services.kernel.reference.errors import ReferenceDataMissing


@dataclass(frozen=True)
class Material:
    """`family` is ours: metal, plastic, mineral, fibre, rubber, liquid, electronic, battery, residue, mixed."""

    code: str
    family: str
    title: str


def find(code: str) -> Material:
    """`code` as "black_mass"; spaces and hyphens are read as underscores. Raises ReferenceDataMissing."""
    try:
        return _materials()[code.strip().lower().replace(" ", "_").replace("-", "_")]
    except KeyError:
        raise ReferenceDataMissing("material", code) from None


def every() -> list[Material]:
    return list(_materials().values())


@cache
def _materials() -> Mapping[str, Material]:
    return {row["code"]: Material(**row) for row in lists.read("materials").rows}
