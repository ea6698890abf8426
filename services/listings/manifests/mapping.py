"""Which column of a manifest means what: target field → column, joined columns, or a constant."""

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

Target = Literal[
    "external_id", "item_key", "description", "quantity", "unit_serial", "return_reason", "fault", "condition_grade",
    "waste_code", "un_number", "mass", "mass_unit", "material", "composition", "data_bearing", "brand", "model", "year",
    "gtin", "mpn", "batch",
]  # fmt: skip
TARGETS: tuple[Target, ...] = get_args(Target)
REQUIRED: tuple[Target, ...] = ("external_id", "item_key", "return_reason", "condition_grade")
RETURN_REASONS = ("damaged", "defective", "end_of_life", "unsold_inventory", "product_recall")
CONDITION_GRADES = ("new", "like_new", "refurbished", "used_good", "used_fair", "damaged", "salvage")
"""From best to worst: the lowest grade present is an item's grade."""
MOST_JOINED = 20
LONGEST_SEPARATOR = 20
"""Columns of one source, and characters between them: both are paid for with every row."""


@dataclass(frozen=True)
class Column:
    """A cell as it stands. `table` translates it (any case; a value it lacks is refused), `blanks` are read as empty.

    An optional column may be absent from the file; an absent one that is not optional stops the reading."""

    name: str
    is_optional: bool = False
    blanks: tuple[str, ...] = ()
    table: Table[str, str] | None = None


@dataclass(frozen=True)
class Joined:
    """Several cells as one text; empty when any of them is."""

    names: tuple[str, ...]
    separator: str = " / "


@dataclass(frozen=True)
class Constant:
    value: str


Source = Column | Joined | Constant


@dataclass(frozen=True)
class Mapping:
    """Targets without a source are empty for every row. `decimal` is the decimal mark of mass and composition."""

    fields: Table[Target, Source]
    decimal: Literal[".", ","] = "."


@dataclass(frozen=True)
class MappingProblem:
    """`pointer` is a JSON pointer into the mapping's document."""

    pointer: str
    code: str
    detail: str


class MappingDoesNotFit(Exception):
    """The mapping names columns the file has not, or has twice."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = tuple(problems)


def normal(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def problems(mapping: Mapping, header: Sequence[str]) -> list[MappingProblem]:
    """Why the mapping cannot read a file with this header; empty when it can."""
    missing = [
        MappingProblem("/fields", "target_required", f"{target} needs a source") for target in _unmapped(mapping)
    ]
    return [
        *missing,
        *(problem for target, source in mapping.fields.items() for problem in _misfits(target, source, header)),
    ]


def fit(mapping: Mapping, header: Sequence[str]) -> Mapping:
    """The same mapping in the header's exact spelling, without absent optional columns. Errors: `MappingDoesNotFit`."""
    found = problems(mapping, header)
    if found:
        raise MappingDoesNotFit(found)
    fitted = {target: _spelled(source, header) for target, source in mapping.fields.items()}
    return replace(mapping, fields={target: source for target, source in fitted.items() if source is not None})


def columns(mapping: Mapping) -> frozenset[str]:
    """The normalised names of all columns the mapping reads."""
    return frozenset(normal(name) for source in mapping.fields.values() for name in columns_of(source))


Cells = Table[str, str]


def reader(source: Source) -> Callable[[Cells], str]:
    """What the source reads from a row, trimmed, "" for nothing. Errors of what it returns: `KeyError`, not in the table."""
    if isinstance(source, Constant):
        constant = source.value
        return lambda cells: constant
    if isinstance(source, Joined):
        return _joining(source)
    return _reading(source)


def _joining(source: Joined) -> Callable[[Cells], str]:
    def read(cells: Cells) -> str:
        parts = [cells.get(name, "").strip() for name in source.names]
        return source.separator.join(parts) if all(parts) else ""

    return read


def _reading(source: Column) -> Callable[[Cells], str]:
    name, blanks = source.name, frozenset(map(str.casefold, source.blanks))
    if source.table is None and not blanks:
        return lambda cells: cells.get(name, "").strip()
    table = None if source.table is None else {said.casefold(): meant for said, meant in source.table.items()}

    def read(cells: Cells) -> str:
        value = cells.get(name, "").strip()
        said = value.casefold()
        if not value or said in blanks:
            return ""
        if table is None:
            return value
        if said not in table:
            raise KeyError(value)
        return table[said]

    return read


def _unmapped(mapping: Mapping) -> list[Target]:
    return [target for target in REQUIRED if target not in mapping.fields]


def columns_of(source: Source) -> tuple[str, ...]:
    if isinstance(source, Constant):
        return ()
    return (source.name,) if isinstance(source, Column) else source.names


def _matches(name: str, header: Sequence[str]) -> list[str]:
    exact = [column for column in header if column == name]
    return exact or [column for column in header if normal(column) == normal(name)]


def _misfits(target: Target, source: Source, header: Sequence[str]) -> Iterator[MappingProblem]:
    for name in columns_of(source):
        count = len(_matches(name, header))
        if count > 1:
            yield MappingProblem(
                f"/fields/{target}", "column_ambiguous", f"the file has {count} columns named {name!r}"
            )
        if count == 0 and not (isinstance(source, Column) and source.is_optional):
            yield MappingProblem(f"/fields/{target}", "column_missing", f"the file has no column {name!r}")


def _spelled(source: Source, header: Sequence[str]) -> Source | None:
    if isinstance(source, Constant):
        return source
    names = tuple(match for name in columns_of(source) for match in _matches(name, header))
    if isinstance(source, Joined):
        return replace(source, names=names)
    return replace(source, name=names[0]) if names else None


def parse(document: Any) -> Mapping | list[MappingProblem]:
    """A mapping from its JSON document, or every reason why it is none:

    `{"decimal": ",", "fields": {"external_id": "Nr", "item_key": {"columns": ["Typ", "Stand"], "separator": " / "},
    "mass": null, "mass_unit": {"constant": "kg"},
    "return_reason": {"column": "Grund", "table": {"defekt": "defective"}}}}`"""
    if not isinstance(document, dict) or not isinstance(document.get("fields"), dict):
        return [MappingProblem("/fields", "object_required", "a mapping is an object with fields")]
    reading = _Parsing()
    reading.refuse_unknown(document, {"fields", "decimal"}, "")
    decimal = document.get("decimal", ".")
    if decimal not in (".", ","):
        reading.refuse("/decimal", "decimal_unknown", "the decimal mark is . or ,")
    fields = document["fields"]
    reading.refuse_unknown(fields, set(TARGETS), "/fields")
    found = {target: reading.source(target, fields[target]) for target in TARGETS if fields.get(target) is not None}
    mapping = Mapping({target: source for target, source in found.items() if source is not None}, decimal)
    unmapped = [target for target in REQUIRED if target not in found]
    for target in unmapped:
        reading.refuse(f"/fields/{target}", "target_required", f"{target} needs a source")
    return reading.problems or mapping


def document(mapping: Mapping) -> dict[str, Any]:
    """The JSON document `parse` reads back to an equal mapping."""
    return {
        "decimal": mapping.decimal,
        "fields": {target: _rendered(source) for target, source in mapping.fields.items()},
    }


def _rendered(source: Source) -> dict[str, Any]:
    if isinstance(source, Constant):
        return {"constant": source.value}
    if isinstance(source, Joined):
        return {"columns": list(source.names), "separator": source.separator}
    table = {} if source.table is None else {"table": dict(source.table)}
    return {"column": source.name, "is_optional": source.is_optional, "blanks": list(source.blanks), **table}


_ALLOWED = {"return_reason": RETURN_REASONS, "condition_grade": CONDITION_GRADES}
_KEYS = {
    "column": {"column", "is_optional", "blanks", "table"},
    "columns": {"columns", "separator"},
    "constant": {"constant"},
}


@dataclass
class _Parsing:
    problems: list[MappingProblem] = field(default_factory=list)

    def refuse(self, pointer: str, code: str, detail: str) -> None:
        self.problems.append(MappingProblem(pointer, code, detail))

    def refuse_unknown(self, given: dict[str, Any], known: set[str], pointer: str) -> None:
        for key in sorted(map(str, given.keys() - known)):
            escaped = key.replace("~", "~0").replace("/", "~1")
            self.refuse(f"{pointer}/{escaped}", "unknown", f"{key!r} means nothing here")

    def source(self, target: Target, given: Any) -> Source | None:
        pointer = f"/fields/{target}"
        given = {"column": given} if isinstance(given, str) else given
        kinds = [kind for kind in _KEYS if isinstance(given, dict) and kind in given]
        if len(kinds) != 1:
            self.refuse(
                pointer, "source_malformed", "a source is a column's name, or names one of column, columns, constant"
            )
            return None
        self.refuse_unknown(given, _KEYS[kinds[0]], pointer)
        source = _source(kinds[0], given)
        if source is None:
            self.refuse(
                pointer,
                "source_malformed",
                "names and values are non-empty text, a table goes from text to text, and few columns are joined",
            )
        elif not _meant(source) <= set(_ALLOWED.get(target, _meant(source))):
            self.refuse(pointer, f"{target}_unknown", f"{target} is one of {', '.join(_ALLOWED[target])}")
        return source


def _source(kind: str, given: dict[str, Any]) -> Source | None:
    if kind == "constant":
        return Constant(given["constant"]) if _are_texts([given["constant"]]) else None
    if kind == "columns":
        names, separator = given["columns"], given.get("separator", " / ")
        are_few = _are_texts(names) and 1 <= len(names) <= MOST_JOINED
        is_short = isinstance(separator, str) and len(separator) <= LONGEST_SEPARATOR
        return Joined(tuple(names), separator) if are_few and is_short else None
    name, optional, blanks, table = (
        given["column"],
        given.get("is_optional", False),
        given.get("blanks", []),
        given.get("table"),
    )
    is_table = table is None or (isinstance(table, dict) and bool(table) and _are_texts([*table, *table.values()]))
    is_column = _are_texts([name]) and isinstance(optional, bool) and _are_texts(blanks) and is_table
    return Column(name, optional, tuple(blanks), table) if is_column else None


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) and value.strip() for value in values)


def _meant(source: Source) -> set[str]:
    if isinstance(source, Constant):
        return {source.value}
    return set(source.table.values()) if isinstance(source, Column) and source.table else set()
