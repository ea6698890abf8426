"""UN numbers of batteries and common dangerous goods, with class and packing groups."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from services.kernel.reference import lists
from services.kernel.reference.errors import ReferenceDataMissing

_WRITTEN = re.compile(r"(?:UN ?)?([0-9]{4})", re.IGNORECASE)


@dataclass(frozen=True)
class UnNumber:
    """`number` is four digits. `packing_groups` is empty for articles, which have none; the load's papers say which
    of several holds. `group` is ours: batteries, gases, liquids, solids, oxidisers, toxics, corrosives, various."""

    number: str
    hazard_class: str
    packing_groups: tuple[str, ...]
    group: str
    name: str
    source: str

    @property
    def printed(self) -> str:
        return f"UN {self.number}"

    @property
    def is_battery(self) -> bool:
        return self.group == "batteries"

    def __str__(self) -> str:
        return self.printed


def find(number: str) -> UnNumber:
    """`number` as "UN 3480", "UN3480" or "3480". Raises ReferenceDataMissing, for what is no UN number too."""
    written = _WRITTEN.fullmatch(number.strip()) if number.isascii() else None
    found = _numbers().get(written[1]) if written else None
    if found is None:
        raise ReferenceDataMissing("UN number", number)
    return found


def every() -> list[UnNumber]:
    return list(_numbers().values())


@cache
def _numbers() -> Mapping[str, UnNumber]:
    return {
        row["number"]: UnNumber(
            row["number"], row["class"], tuple(row["packing_groups"].split()), row["group"], row["name"], row["source"]
        )
        for row in lists.read("un_numbers").rows
    }
