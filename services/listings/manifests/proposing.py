"""A mapping proposed from a file's header and first rows, to be corrected by whoever knows the file. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from services.listings.manifests import cells, synonyms
from services.listings.manifests import mapping as mappings
from services.listings.manifests.cells import CellIsWrong
from services.listings.manifests.files import ManifestFile, opened
from services.listings.manifests.mapping import REQUIRED, TARGETS, Column, Constant, Joined, Mapping, Source, Target
from services.listings.manifests.profiles import PROFILES
from services.listings.manifests.raw import RawRow

SAMPLE = 200
"""Rows that are looked at."""
LEAST = 0.3
"""Confidence below which nothing is proposed."""
SHOWN = 3
LONGEST_SHOWN = 80


@dataclass(frozen=True)
class ColumnProposal:
    """`target` None: nothing is proposed for the column. `confidence` is between 0 and 1; `samples` are some of its cells."""

    column: str
    target: Target | None
    confidence: float
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """`profile` names a shipped mapping that reads the file as it is. `missing` are targets every mapping needs and this one has
    not; `unknown_values` are cells whose meaning nobody knows, by target: they belong into its table."""

    file: ManifestFile
    mapping: Mapping
    columns: tuple[ColumnProposal, ...]
    profile: str | None = None
    missing: tuple[Target, ...] = ()
    unknown_values: Table[str, tuple[str, ...]] = field(default_factory=dict)


def propose(content: bytes) -> Proposal:
    """Errors: `raw.ManifestIsUnreadable`."""
    file = opened(content)
    sample = _Sample(file.columns, [row for row in islice(file.rows(), SAMPLE) if row.cells])
    shipped = _shipped(file)
    if shipped is not None:
        return _as_shipped(file, sample, shipped)
    chosen = dict(_chosen(file, sample))
    reading = _Reading(file, sample, {target: file.header[place] for target, (place, _) in chosen.items()}, chosen)
    sources, unknown = reading.sources()
    return Proposal(
        file=file,
        mapping=Mapping(sources, reading.decimal()),
        columns=tuple(_told(file, sample, {place: (target, score) for target, (place, score) in chosen.items()})),
        missing=tuple(target for target in REQUIRED if target not in sources),
        unknown_values=unknown,
    )


@dataclass(frozen=True)
class _Sample:
    columns: tuple[str, ...]
    rows: list[RawRow]

    def texts(self, place: int) -> list[str]:
        """The filled cells of a column."""
        column = self.columns[place]
        return [text for row in self.rows if (text := row.cells.get(column, "").strip())]


def _shipped(file: ManifestFile) -> str | None:
    """The Open Repair Data Standard by its columns; our own names need no recognition, they are synonyms of themselves."""
    return "ords-0.3" if not mappings.problems(PROFILES["ords-0.3"], file.header) else None


def _as_shipped(file: ManifestFile, sample: _Sample, name: str) -> Proposal:
    fitted = mappings.fit(PROFILES[name], file.header)
    found: dict[int, tuple[Target, float]] = {}
    for target, source in fitted.fields.items():
        for column in mappings.columns_of(source):
            found.setdefault(file.header.index(column), (target, 1.0))
    return Proposal(file, PROFILES[name], tuple(_told(file, sample, found)), profile=name)


def _told(file: ManifestFile, sample: _Sample, found: Table[int, tuple[Target, float]]) -> Iterator[ColumnProposal]:
    for place, column in enumerate(file.columns):
        target, score = found.get(place, (None, 0.0))
        shown = tuple(text[:LONGEST_SHOWN] for text in dict.fromkeys(sample.texts(place)))[:SHOWN]
        yield ColumnProposal(column, target, round(score, 2), shown)


def _chosen(file: ManifestFile, sample: _Sample) -> Iterator[tuple[Target, tuple[int, float]]]:
    """The surest pairs first; a column means one thing, and a thing stands in one column. A repeated name is nobody's."""
    times = Counter(file.header)
    scores = [
        (score, -TARGETS.index(target), place, target)
        for place, name in enumerate(file.header)
        if times[name] == 1
        for texts in [sample.texts(place)]
        for target in TARGETS
        if (score := _confidence(name, target, texts)) >= LEAST
    ]
    places: set[int] = set()
    targets: set[Target] = set()
    for score, _, place, target in sorted(scores, key=lambda one: (-one[0], -one[1], one[2])):
        if place not in places and target not in targets:
            places.add(place)
            targets.add(target)
            yield target, (place, score)


def _confidence(name: str, target: Target, texts: Sequence[str]) -> float:
    """By the name, less where the cells say otherwise; by the cells alone where only one thing looks like them."""
    named = _named(name, target)
    if not named and (target not in _TELLING or len(texts) < 3):
        return 0.0
    meaning = _share_that_means(target, texts)
    if named:
        return named * (0.4 + 0.6 * meaning)
    return 0.6 * meaning if meaning > 0.95 else 0.0


_BRACKETS = re.compile(r"\s*[\[(](?P<inside>[^\])]*)[\])]\s*")
_TELLING: tuple[Target, ...] = ("gtin", "return_reason", "condition_grade")


def _named(name: str, target: Target) -> float:
    plain = mappings.normal(_BRACKETS.sub(" ", name)).strip("_.:#")
    known = synonyms.COLUMNS.get(target, ())
    if plain == target:
        return 1.0
    if plain in known:
        return 0.95 if len(plain) > 3 else 0.85
    if target == "mass" and _unit_of(name) and _without_unit(plain) in (target, *known):
        return 0.95
    words = set(re.split(r"[_./]+", plain))
    return 0.6 if any(len(one) > 3 and one in words for one in (target, *known)) else 0.0


def _without_unit(plain: str) -> str:
    head, _, tail = plain.rpartition("_")
    return head if tail in {unit for units in synonyms.UNITS.values() for unit in units} else plain


def _unit_of(name: str) -> str | None:
    """The unit in a header such as "Gewicht (kg)", "mass_kg" or "Gewicht in t"."""
    inside = _BRACKETS.search(name)
    said = mappings.normal(inside["inside"] if inside else name.replace("_", " ").split(" ")[-1]).removeprefix("in_")
    return next((unit for unit, names in synonyms.UNITS.items() if said in names), None)


def _share_that_means(target: Target, texts: Sequence[str]) -> float:
    return sum(_means(target, text) for text in texts) / len(texts) if texts else 1.0


def _means(target: Target, text: str) -> bool:
    if target in _VALUES:
        return _value(target, text) is not None
    if target == "mass":
        return re.match(r"[0-9]", text) is not None
    if target == "mass_unit":
        return _unit_of(text) is not None
    try:
        _READERS.get(target, cells.free_text)(text)
    except CellIsWrong:
        return False
    return True


_VALUES: dict[Target, dict[str, tuple[str, ...]]] = {
    "return_reason": synonyms.REASONS,
    "condition_grade": synonyms.GRADES,
}
_READERS: dict[Target, Any] = {
    "external_id": cells.required_name,
    "item_key": cells.required_name,
    "unit_serial": cells.name,
    "quantity": cells.quantity,
    "waste_code": cells.waste_code,
    "un_number": cells.un_number,
    "data_bearing": cells.data_bearing,
    "year": cells.year,
    "gtin": cells.gtin,
}


def _value(target: Target, text: str) -> str | None:
    said = mappings.normal(text)
    return next((meant for meant, names in _VALUES[target].items() if said == meant or said in names), None)


@dataclass(frozen=True)
class _Reading:
    """How the columns that were chosen are read. `named` goes from a target to the header's name."""

    file: ManifestFile
    sample: _Sample
    named: dict[Target, str]
    chosen: dict[Target, tuple[int, float]]

    def sources(self) -> tuple[dict[Target, Source], dict[str, tuple[str, ...]]]:
        found: dict[Target, Source] = {target: Column(name) for target, name in self.named.items()}
        unknown: dict[str, tuple[str, ...]] = {}
        for target in _VALUES.keys() & found.keys():
            table, strange = self._table(target)
            found[target] = Column(self.named[target], table=table)
            if strange:
                unknown[target] = strange
        if "mass" in found:
            found |= self._unit()
        if "item_key" not in found:
            found |= self._key()
        return {target: found[target] for target in TARGETS if target in found}, unknown

    def decimal(self) -> Any:
        """A comma where masses have one and no point."""
        texts = self.sample.texts(self.chosen["mass"][0]) if "mass" in self.chosen else []
        has_comma = any(re.search(r"[0-9],[0-9]", text) for text in texts)
        return "," if has_comma and not any(re.search(r"[0-9]\.[0-9]", text) for text in texts) else "."

    def _table(self, target: Target) -> tuple[dict[str, str] | None, tuple[str, ...]]:
        """None where the cells already say it in our words."""
        said = dict.fromkeys(self.sample.texts(self.chosen[target][0]))
        meant = {text[:200]: value for text in said if (value := _value(target, text)) is not None}
        strange = tuple(text[:LONGEST_SHOWN] for text in said if _value(target, text) is None)[:20]
        is_ours = all(mappings.normal(text) == value for text, value in meant.items())
        return (None if is_ours or not meant else meant), strange

    def _unit(self) -> dict[Target, Source]:
        texts = self.sample.texts(self.chosen["mass"][0])
        unit = _unit_of(self.named["mass"])
        if "mass_unit" in self.named or unit is None or any(re.search(r"[A-Za-z]", text) for text in texts):
            return {}
        return {"mass_unit": Constant(unit)}

    def _key(self) -> dict[Target, Source]:
        """Without an article number, what is described alike and goes back alike is one item."""
        kinds: tuple[Target, ...] = ("mpn", "gtin", "model", "description")
        kind = next((self.named[target] for target in kinds if target in self.named), None)
        if kind is None:
            return {}
        apart: tuple[Target, ...] = ("return_reason", "condition_grade")
        names = (kind, *(self.named[target] for target in apart if target in self.named))
        return {"item_key": Joined(names) if len(names) > 1 else Column(kind)}
