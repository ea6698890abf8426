"""Each raw row of a manifest judged by itself, then against those before it: it lands, or goes back with reasons."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.listings.manifests import cells
from services.listings.manifests import mapping as mappings
from services.listings.manifests.cells import CellIsWrong
from services.listings.manifests.mapping import Mapping, Target
from services.listings.manifests.reading import FORMULA_STARTS, RawRow, RowProblem, decode, table


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Refused:
    row_number: int
    line: int
    raw: list[str]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True)
class Reading:
    """Every data row stands once, in `rows` or in `refused`, in the file's order. `notes` tell how it was decoded."""

    rows: list[ManifestRow]
    refused: list[Refused]
    header: tuple[str, ...]
    delimiter: str
    encoding: str
    mapping: Mapping
    notes: tuple[str, ...] = ()

    @property
    def has_bom(self) -> bool:
        return self.encoding in ("utf-8-sig", "utf-16-le", "utf-16-be")


def read_all(content: bytes, mapping: Mapping) -> Reading:
    """Errors: `reading.ManifestIsUnreadable`, `mapping.MappingDoesNotFit`."""
    decoded = decode(content)
    found = table(decoded.text)
    fitted = mappings.fit(mapping, found.header)
    judge = _Judge(fitted)
    for row in found.rows:
        judge.take(row)
    return Reading(
        judge.landed, judge.refused, found.header, found.delimiter, decoded.encoding, fitted, decoded.problems
    )


class _Judge:
    """Remembers what landed: the first row of an external id lands, the first of an item sets its return reason."""

    def __init__(self, fitted: Mapping) -> None:
        self.mapping = fitted
        self.landed: list[ManifestRow] = []
        self.refused: list[Refused] = []
        self.by_external_id: dict[str, ManifestRow] = {}
        self.by_item: dict[str, ManifestRow] = {}

    def take(self, row: RawRow) -> None:
        found = read(row, self.mapping)
        problems = found if isinstance(found, list) else list(self._conflicts(found))
        if isinstance(found, list) or problems:
            self.refused.append(Refused(row.number, row.line, row.raw, tuple(problems)))
            return
        self.landed.append(found)
        self.by_external_id[found.external_id] = found
        self.by_item.setdefault(found.item_key, found)

    def _conflicts(self, row: ManifestRow) -> Iterator[RowProblem]:
        twin = self.by_external_id.get(row.external_id)
        if twin:
            detail = f"{row.external_id!r} already stands in row {twin.number}"
            yield RowProblem(row.number, "/external_id", "duplicate_external_id", detail)
        first = self.by_item.get(row.item_key, row)
        if first.return_reason != row.return_reason:
            yield disagreement(row, first)


def disagreement(row: ManifestRow, first: ManifestRow) -> RowProblem:
    detail = (
        f"item {row.item_key!r} goes back as {first.return_reason} since row {first.number}, not as {row.return_reason}"
    )
    return RowProblem(row.number, "/return_reason", "item_disagrees", detail)


def read(row: RawRow, mapping: Mapping) -> ManifestRow | list[RowProblem]:
    """One row by itself: the row, or every problem it has. The mapping is fitted to the file (`mapping.fit`)."""
    if row.problems:
        return list(row.problems)
    problems: list[RowProblem] = []
    found: dict[str, Any] = {
        target: _value(row, mapping, target, reader, problems) for target, reader in _READERS.items()
    }
    found["mass_g"] = _value(row, mapping, "mass", partial(_mass_g, row, mapping), problems)
    composition = partial(cells.composition, decimal=mapping.decimal)
    found["composition"] = _value(row, mapping, "composition", composition, problems)
    if problems:
        return problems
    return _row(row.number, found)


_READERS: dict[Target, Callable[[str], Any]] = {
    "external_id": cells.required_name,
    "item_key": cells.required_name,
    "description": cells.free_text,
    "quantity": cells.quantity,
    "unit_serial": cells.name,
    "return_reason": cells.return_reason,
    "fault": cells.free_text,
    "condition_grade": cells.condition_grade,
    "waste_code": cells.waste_code,
    "un_number": cells.un_number,
    "material": cells.material,
    "data_bearing": cells.data_bearing,
    "brand": cells.name,
    "model": cells.name,
    "year": cells.year,
}


def _value(
    row: RawRow, mapping: Mapping, target: Target, reader: Callable[[str], Any], problems: list[RowProblem]
) -> Any:
    try:
        return reader(mappings.text(mapping, target, row.cells))
    except CellIsWrong as wrong:
        problems.append(RowProblem(row.number, f"/{target}", wrong.code, wrong.detail))
    except KeyError as unknown:
        detail = f"{str(unknown.args[0])[:60]!r} is not in the mapping's table"
        problems.append(RowProblem(row.number, f"/{target}", "unknown_value", detail))
    return None


def _mass_g(row: RawRow, mapping: Mapping, text: str) -> int | None:
    return cells.mass_g(text, mappings.text(mapping, "mass_unit", row.cells), mapping.decimal)


def _row(number: int, found: dict[str, Any]) -> ManifestRow | list[RowProblem]:
    problems = list(_contradictions(number, found))
    if problems:
        return problems
    serial, material = found.pop("unit_serial"), found.pop("material")
    pure = ((material, cells.WHOLE_PPM),) if material else None
    filled = {
        "composition": found["composition"] or pure,
        "description": found["description"] or found["item_key"],
        "quantity": found["quantity"] or 1,
    }
    return ManifestRow(number=number, serial=serial, **(found | filled))


def _contradictions(number: int, found: dict[str, Any]) -> Iterator[RowProblem]:
    if found["unit_serial"] and (found["quantity"] or 1) > 1:
        yield RowProblem(number, "/quantity", "serial_is_one", "a row with a serial number is one piece")
    if found["material"] and found["composition"] and found["material"] not in dict(found["composition"]):
        yield RowProblem(number, "/material", "material_disagrees", "the composition does not name the material")


REASON = "reason"
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def refused_csv(reading: Reading) -> bytes:
    """The refused rows as they came, in a file that can be mended and sent again: a first column `reason`, the same
    delimiter, UTF-8 with a byte order mark if there was one.

    A cell a spreadsheet would run as a formula gets an apostrophe in front, which reading takes back; broken bytes and
    control characters become U+FFFD, which reading refuses. The reason column of an earlier round is replaced."""
    stale = reading.header[:1] == (REASON,) and REASON not in mappings.columns(reading.mapping)
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=reading.delimiter)
    writer.writerow([REASON, *map(_guarded, reading.header[stale:])])
    for row in reading.refused:
        writer.writerow([_guarded(_reason(row)), *map(_guarded, row.raw[stale:])])
    return written.getvalue().encode("utf-8-sig" if reading.has_bom else "utf-8")


def _reason(row: Refused) -> str:
    return "; ".join(
        f"{problem.pointer.lstrip('/')} {problem.code}: {problem.detail}".strip() for problem in row.problems
    )


def _guarded(cell: str) -> str:
    printable = _UNPRINTABLE.sub("\ufffd", cell)
    return f"'{printable}" if printable[:1] and printable[0] in FORMULA_STARTS else printable
