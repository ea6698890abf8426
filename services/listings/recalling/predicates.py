"""Which goods a recall means. Pure.

A predicate names products (GTINs, part numbers, words of the title) and pieces (serial numbers, ranges of these, batches or
lots). Of each kind that is named one must be met. Words alone reach the manufacturer's own goods only: others' are not stopped by
a name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST = 10_000
MOST_WORDS = 100
_TAIL = re.compile(r"^(.*?)([0-9]+)$", re.DOTALL)

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
        here = _counted(serial)
        return here is not None and here[0] == self.prefix and self.holds_number(*here[1:])

    def holds_number(self, number: int, digits: int) -> bool:
        (_, first, fewest), (_, last, most) = self.ends
        return first <= number <= last and fewest <= digits <= most

    @cached_property
    def ends(self) -> "tuple[Counted, Counted]":
        first, last = _counted(self.first), _counted(self.last)
        assert first is not None, "both ends were looked at when they were named"
        assert last is not None, "both ends were looked at when they were named"
        return first, last

    @property
    def prefix(self) -> str:
        return self.ends[0][0]

    @property
    def bounds(self) -> tuple[str, str]:
        """Between which two texts whatever it holds stands, character by character, both included."""
        (prefix, _, fewest), (_, _, most) = self.ends
        return (plain(self.first), plain(self.last)) if fewest == most else (f"{prefix}0", f"{prefix}:")


Counted = tuple[str, int, int]


def _counted(serial: str) -> Counted | None:
    """What stands before the digits, their number, how many they are."""
    found = _TAIL.match(plain(serial))
    return (found[1], int(found[2]), len(found[2])) if found else None


def plain(written: str) -> str:
    return written.strip().casefold()


class Predicate(BaseModel):
    """Which goods are meant: of products and pieces, each where it is named, one must be met. Case does not matter."""

    model_config = ConfigDict(extra="forbid")

    gtins: Some = Field(default_factory=list)
    mpns: Some = Field(default_factory=list, description="Manufacturer part numbers or models")
    title_words: Annotated[list[Said], Field(max_length=MOST_WORDS)] = Field(
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

    @property
    def names_words_alone(self) -> bool:
        return not (self.gtins or self.mpns or self.names_pieces)

    @cached_property
    def plainly(self) -> "Plainly":
        return Plainly.of(self)


@dataclass(frozen=True)
class Plainly:
    """A predicate made ready for many things: a list of ten thousand is not gone through for each of them."""

    gtins: frozenset[str]
    mpns: frozenset[str]
    serials: frozenset[str]
    batches: frozenset[str]
    words: frozenset[str]
    ranges: dict[str, list[SerialRange]]

    @classmethod
    def of(cls, predicate: Predicate) -> "Plainly":
        ranges: dict[str, list[SerialRange]] = {}
        for one in predicate.serial_ranges:
            ranges.setdefault(one.prefix, []).append(one)
        return cls(
            gtins=frozenset(gtin.lstrip("0") for gtin in predicate.gtins),
            mpns=frozenset(map(plain, predicate.mpns)),
            serials=frozenset(map(plain, predicate.serials)),
            batches=frozenset(map(plain, predicate.batches)),
            words=frozenset(words_of(*predicate.title_words)),
            ranges=ranges,
        )

    def holds(self, serial: str) -> bool:
        """Whether one of the ranges does."""
        here = _counted(serial)
        return here is not None and any(one.holds_number(*here[1:]) for one in self.ranges.get(here[0], ()))


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
    meant = predicate.plainly
    if thing.gtin and thing.gtin.lstrip("0") in meant.gtins:
        yield "gtins"
    if not meant.mpns.isdisjoint(map(plain, thing.mpns)):
        yield "mpns"
    if meant.words and meant.words <= words_of(thing.title):
        yield "title_words"


def words_of(*said: str) -> set[str]:
    return {word for one in said for word in re.findall(r"\w+", one.casefold())}


def _pieces(predicate: Predicate, thing: Thing) -> Iterator[str]:
    meant = predicate.plainly
    if thing.serial:
        if plain(thing.serial) in meant.serials:
            yield "serials"
        if meant.holds(thing.serial):
            yield "serial_ranges"
    if not meant.batches.isdisjoint(map(plain, thing.batches)):
        yield "batches"
