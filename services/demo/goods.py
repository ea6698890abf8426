"""What Nordwerk parts with: 220 serial-numbered pieces and one bulk row, as its asset register would export them.

Three rows are broken on purpose; `mended` are the same three, put right.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

HEADER = [
    "external_id",
    "item_key",
    "description",
    "quantity",
    "serial",
    "return_reason",
    "condition_grade",
    "waste_code",
    "un_number",
    "mass",
    "mass_unit",
    "composition",
    "data_bearing",
]


@dataclass(frozen=True)
class Kind:
    key: str
    title: str
    pieces: int
    kilograms: int
    waste_code: str
    composition: str
    un_number: str = ""
    is_data_bearing: bool = False
    is_bulk: bool = False


KINDS = (
    Kind("motors", "Electric motors", 40, 300, "160214", "steel 72%; aluminium 10%; copper 18%"),
    Kind(
        "servers",
        "Rack servers",
        120,
        25,
        "160214",
        "steel 45%; aluminium 20%; plastics 25%; printed_circuit_boards 10%",
        is_data_bearing=True,
    ),
    Kind(
        "modules", "Lithium battery modules", 60, 30, "160607", "black_mass 50%; aluminium 30%; plastics 20%", "UN3480"
    ),
    Kind("copper", "Copper bars and cable", 1, 1_200, "160216", "copper 100%", is_bulk=True),
)
BROKEN = {"motors-007": "mass", "servers-042": "return_reason", "modules-013": "quantity"}


def _row(kind: Kind, number: int) -> dict[str, str]:
    name = kind.key if kind.is_bulk else f"{kind.key}-{number:03}"
    return {
        "external_id": name,
        "item_key": kind.key,
        "description": kind.title,
        "quantity": "1",
        "serial": "" if kind.is_bulk else f"NW-{kind.key[:2].upper()}-{number:05}",
        "return_reason": "end_of_life",
        "condition_grade": "salvage",
        "waste_code": kind.waste_code,
        "un_number": kind.un_number,
        "mass": str(kind.kilograms),
        "mass_unit": "kg",
        "composition": kind.composition,
        "data_bearing": "yes" if kind.is_data_bearing else "no",
    }


def _spoilt(row: dict[str, str]) -> dict[str, str]:
    wrong = {"mass": "about 300", "return_reason": "old", "quantity": "-1"}
    cell = BROKEN.get(row["external_id"])
    return {**row, cell: wrong[cell]} if cell else row


def _file(rows: Iterable[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _rows() -> list[dict[str, str]]:
    return [_row(kind, number) for kind in KINDS for number in range(1, kind.pieces + 1)]


def manifest() -> bytes:
    """221 rows, three of them broken."""
    return _file(_spoilt(row) for row in _rows())


def mended() -> bytes:
    """The three rows that came back, put right."""
    return _file(row for row in _rows() if row["external_id"] in BROKEN)
