"""Each raw row of a manifest judged by itself, then against those before it: it lands, or goes back with reasons."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from services.listings.manifests import cells
from services.listings.manifests import mapping as mappings
from services.listings.manifests.cells import CellIsWrong
from services.listings.manifests.files import ManifestFile, opened
from services.listings.manifests.mapping import Mapping, Target
from services.listings.manifests.raw import RawRow, RowProblem


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One thing: a unit with a serial number and quantity 1, or a bulk row. `number` is its 1-based data row.

    `mass_g` is the mass of the whole row, None where it is weighed later. `composition` is (material, ppm of the mass),
    summing to 1,000,000; None is silence, ("unknown", 1000000) an answer. `data_bearing` None is not known."""

    number: int
    external_id: str
    item_key: str
    description: str
    quantity: int
    serial: str | None
    return_reason: str
    fault: str | None
    condition_grade: str
    waste_code: str | None
    un_number: str | None
    mass_g: int | None
    composition: tuple[tuple[str, int], ...] | None
    data_bearing: bool | None
    brand: str | None
    model: str | None
    year: int | None
    gtin: str | None = None
    mpn: str | None = None
    batch: str | None = None

    def says(self) -> tuple[Any, ...]:
        """All but where it stands in its file."""
        said: tuple[Any, ...] = _SAID(self)
        return said


_SAID = attrgetter(*(name for name in ManifestRow.__slots__ if name != "number"))


@dataclass(frozen=True, slots=True)
class Refused:
    row_number: int
    line: int
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True)
class Reading:
    """Every data row stands once, in `rows` or in `refused`, in the file's order; `mapping` is fitted to the file. `kept` are
    the first refused rows as they stood, so that few need not be looked for once more."""

    rows: list[ManifestRow]
    refused: list[Refused]
    file: ManifestFile
    mapping: Mapping
    kept: dict[int, RawRow]

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.refused)


class Tally:
    """How far a reading is, for whoever watches it from another thread."""

    rows = 0


def read_all(content: bytes, mapping: Mapping) -> Reading:
    """Errors: `raw.ManifestIsUnreadable`, `mapping.MappingDoesNotFit`."""
    return read(opened(content, mapping.decimal), mapping, Tally())


def read(file: ManifestFile, mapping: Mapping, tally: Tally) -> Reading:
    """The file was opened with the mapping's decimal mark. Errors as of `read_all`."""
    fitted = mappings.fit(mapping, file.header)
    judge = _Judge(fitted)
    for row in file.rows():
        judge.take(row)
        tally.rows = row.number
    return Reading(judge.landed, judge.refused, file, fitted, judge.kept)


MOST_KEPT = 2_000


class _Judge:
    """Remembers what landed: the first row of an external id lands, the first of an item sets its return reason."""

    def __init__(self, fitted: Mapping) -> None:
        self.reader = Reader(fitted)
        self.landed: list[ManifestRow] = []
        self.refused: list[Refused] = []
        self.kept: dict[int, RawRow] = {}
        self.by_external_id: dict[str, int] = {}
        self.by_item: dict[str, ManifestRow] = {}

    def take(self, row: RawRow) -> None:
        found = self.reader.read(row)
        problems = found if isinstance(found, list) else list(self._conflicts(found))
        if isinstance(found, list) or problems:
            self.refused.append(Refused(row.number, row.line, tuple(problems)))
            if len(self.kept) < MOST_KEPT:
                self.kept[row.number] = row
            return
        self.landed.append(found)
        self.by_external_id[found.external_id] = found.number
        self.by_item.setdefault(found.item_key, found)

    def _conflicts(self, row: ManifestRow) -> Iterator[RowProblem]:
        twin = self.by_external_id.get(row.external_id)
        if twin:
            detail = f"{row.external_id!r} already stands in row {twin}"
            yield RowProblem(row.number, "/external_id", "duplicate_external_id", detail)
        first = self.by_item.get(row.item_key, row)
        if first.return_reason != row.return_reason:
            yield disagreement(row, first)


def disagreement(row: ManifestRow, first: ManifestRow) -> RowProblem:
    detail = (
        f"item {row.item_key!r} goes back as {first.return_reason} since row {first.number}, not as {row.return_reason}"
    )
    return RowProblem(row.number, "/return_reason", "item_disagrees", detail)


MEMORY = 4_096
"""Different cells of a column whose meaning is remembered: most columns repeat a few, and equal meanings are one object."""


class Reader:
    """Reads rows by themselves. The mapping is fitted to the file (`mapping.fit`)."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.columns = {target: mappings.columns_of(source) for target, source in mapping.fields.items()}
        composition = partial(cells.composition, decimal=mapping.decimal)
        self.readers: dict[str, Callable[[str], Any]] = {**_READERS, "composition": lru_cache(MEMORY)(composition)}
        self.texts = {target: mappings.reader(source) for target, source in mapping.fields.items()}
        self.mass = lru_cache(MEMORY)(partial(cells.mass_g, decimal=mapping.decimal))

    def read(self, row: RawRow) -> ManifestRow | list[RowProblem]:
        """The row, or every problem it has."""
        if row.problems:
            return list(row.problems)
        problems: list[RowProblem] = []
        found: dict[str, Any] = {
            target: self._value(row, target, reader, problems) for target, reader in self.readers.items()
        }
        found["mass_g"] = self._value(row, "mass", partial(self._mass_g, row), problems)
        return problems or _row(row.number, found)

    def _mass_g(self, row: RawRow, text: str) -> int | None:
        return self.mass(text, self._text(row, "mass_unit"))

    def _value(self, row: RawRow, target: Any, reader: Callable[[str], Any], problems: list[RowProblem]) -> Any:
        try:
            return reader(self._text(row, target))
        except CellIsWrong as wrong:
            problems.append(RowProblem(row.number, f"/{target}", wrong.code, wrong.detail))
        except KeyError as unknown:
            detail = f"{str(unknown.args[0])[:60]!r} is not in the mapping's table"
            problems.append(RowProblem(row.number, f"/{target}", "unknown_value", detail))
        return None

    def _text(self, row: RawRow, target: Target) -> str:
        read = self.texts.get(target)
        if read is None:
            return ""
        if row.nested and not row.nested.isdisjoint(self.columns[target]):
            raise CellIsWrong("value_nested", "must be text, a number, true, false or null")
        return read(row.cells)


_READERS: dict[str, Callable[[str], Any]] = {
    "external_id": cells.required_name,
    "unit_serial": cells.name,
} | {
    target: lru_cache(MEMORY)(reader)
    for target, reader in {
        "item_key": cells.required_name,
        "description": cells.free_text,
        "fault": cells.free_text,
        "quantity": cells.quantity,
        "return_reason": cells.return_reason,
        "condition_grade": cells.condition_grade,
        "waste_code": cells.waste_code,
        "un_number": cells.un_number,
        "material": cells.material,
        "data_bearing": cells.data_bearing,
        "brand": cells.name,
        "model": cells.name,
        "year": cells.year,
        "gtin": cells.gtin,
        "mpn": cells.name,
        "batch": cells.name,
    }.items()
}


def _row(number: int, found: dict[str, Any]) -> ManifestRow | list[RowProblem]:
    problems = list(_contradictions(number, found))
    if problems:
        return problems
    found["serial"] = found.pop("unit_serial")
    material = found.pop("material")
    if material and not found["composition"]:
        found["composition"] = ((material, cells.WHOLE_PPM),)
    found["description"] = found["description"] or found["item_key"]
    found["quantity"] = found["quantity"] or 1
    return ManifestRow(number=number, **found)


def _contradictions(number: int, found: dict[str, Any]) -> Iterator[RowProblem]:
    if found["unit_serial"] and (found["quantity"] or 1) > 1:
        yield RowProblem(number, "/quantity", "serial_is_one", "a row with a serial number is one piece")
    if found["material"] and found["composition"] and found["material"] not in dict(found["composition"]):
        yield RowProblem(number, "/material", "material_disagrees", "the composition does not name the material")
