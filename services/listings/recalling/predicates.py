"""Which goods a recall means. Pure.

A predicate names products (GTINs, part numbers, words of the title) and pieces (serial numbers, ranges of these, batches or
lots). Of each kind that is named one must be met. Words alone reach the manufacturer's own goods only: others' are not stopped by
a name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST = 10_000
_TAIL = re.compile(r"^(.*?)(\d+)$", re.DOTALL)

Said = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Some = Annotated[list[Said], Field(max_length=MOST)]


class SerialRange(BaseModel):
    """Serial numbers that count up behind one prefix, such as SN-00100 to SN-00250; both ends are meant."""

    model_config = ConfigDict(extra="forbid")

    first: Said
    last: Said

    @model_validator(mode="after")
    def _count_up(self) -> "SerialRange":
        first, last = _counted(self.first), _counted(self.last)
        if first is None or last is None or first[0] != last[0] or first[1] > last[1]:
            raise ValueError("both ends share their beginning and end in digits that count up")
        return self

    def holds(self, serial: str) -> bool:
        first, last, here = _counted(self.first), _counted(self.last), _counted(serial)
        if first is None or last is None or here is None or here[0] != first[0]:
            return False
        return first[1] <= here[1] <= last[1] and first[2] <= here[2] <= last[2]

    @property
    def prefix(self) -> str:
        counted = _counted(self.first)
        return counted[0] if counted else ""


def _counted(serial: str) -> tuple[str, int, int] | None:
    """What stands before the digits, their number, how many they are."""
    found = _TAIL.match(_plain(serial))
    return (found[1], int(found[2]), len(found[2])) if found else None


def _plain(written: str) -> str:
    return written.strip().casefold()


class Predicate(BaseModel):
    """Which goods are meant: of products and pieces, each where it is named, one must be met. Case does not matter."""

    model_config = ConfigDict(extra="forbid")

    gtins: Some = Field(default_factory=list)
    mpns: Some = Field(default_factory=list, description="Manufacturer part numbers or models")
    title_words: Some = Field(
        default_factory=list, description="All of them stand in the title; alone they reach only your own goods"
    )
    serials: Some = Field(default_factory=list)
    serial_ranges: Annotated[list[SerialRange], Field(max_length=1_000)] = Field(default_factory=list)
    batches: Some = Field(default_factory=list, description="Batch or lot numbers")

    @model_validator(mode="after")
    def _say_something(self) -> "Predicate":
        if not self.names_products and not self.names_pieces:
            raise ValueError("a recall says which goods it means")
        return self

    @property
    def names_products(self) -> bool:
        return bool(self.gtins or self.mpns or self.title_words)

    @property
    def names_pieces(self) -> bool:
        return bool(self.serials or self.serial_ranges or self.batches)


@dataclass(frozen=True)
class Thing:
    """A unit, or an item without units. `is_own`: it is offered by the manufacturer itself."""

    title: str
    is_own: bool
    serial: str | None = None
    batches: tuple[str, ...] = ()
    gtin: str | None = None
    mpns: tuple[str, ...] = ()


def matched_on(predicate: Predicate, thing: Thing) -> list[str]:
    """What of the predicate it meets, by the names of its fields; nothing where it is not meant."""
    products, pieces = list(_products(predicate, thing)), list(_pieces(predicate, thing))
    if (predicate.names_products and not products) or (predicate.names_pieces and not pieces):
        return []
    if products == ["title_words"] and not pieces and not thing.is_own:
        return []
    return [*products, *pieces]


def _products(predicate: Predicate, thing: Thing) -> Iterator[str]:
    if thing.gtin and thing.gtin.lstrip("0") in {gtin.lstrip("0") for gtin in predicate.gtins}:
        yield "gtins"
    if _are_among(thing.mpns, predicate.mpns):
        yield "mpns"
    words = words_of(*predicate.title_words)
    if words and words <= words_of(thing.title):
        yield "title_words"


def words_of(*said: str) -> set[str]:
    return {word for one in said for word in re.findall(r"\w+", one.casefold())}


def _pieces(predicate: Predicate, thing: Thing) -> Iterator[str]:
    if thing.serial:
        if _are_among((thing.serial,), predicate.serials):
            yield "serials"
        if any(one.holds(thing.serial) for one in predicate.serial_ranges):
            yield "serial_ranges"
    if _are_among(thing.batches, predicate.batches):
        yield "batches"


def _are_among(written: tuple[str, ...], named: list[str]) -> bool:
    return not {_plain(one) for one in written}.isdisjoint(_plain(one) for one in named)
