"""Manifests of any length in each format: one row in a hundred cannot be read."""

import io
import json
from collections.abc import Callable, Iterator

from openpyxl import Workbook

HEADER = [
    "external_id", "item_key", "description", "return_reason", "condition_grade", "quantity", "mass", "mass_unit",
    "waste_code", "composition", "unit_serial", "fault", "brand", "gtin",
]  # fmt: skip
KINDS = 2_000


def rows(count: int) -> Iterator[list[str]]:
    for number in range(count):
        kind = number % KINDS
        yield [
            f"SN-{number:08}",
            f"kettle-{kind}",
            f"Kettle, type {kind}",
            "end_of_life",
            "salvage",
            "1",
            "heavy" if number % 100 == 7 else f"{number % 97 + 1}.25",
            "kg",
            "160214",
            "steel 60%; copper 38.5%",
            f"S{number}",
            f"does not boil since day {number % 1_000}, Gehäuse beschädigt",
            "Acme",
            "4006381333931",
        ]


def bad(count: int) -> int:
    return sum(number % 100 == 7 for number in range(count))


def csv_file(count: int) -> bytes:
    lines = (";".join(f'"{cell}"' if ";" in cell else cell for cell in row) for row in rows(count))
    return "\n".join([";".join(HEADER), *lines, ""]).encode()


def jsonl_file(count: int) -> bytes:
    return "\n".join(
        json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in rows(count)
    ).encode()


def xlsx_file(count: int) -> bytes:
    """Masses and quantities as numbers, as a spreadsheet has them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("returns")
    sheet.append(HEADER)
    for row in rows(count):
        sheet.append([_number(cell) if place in (5, 6) else cell for place, cell in enumerate(row)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _number(cell: str) -> str | float:
    try:
        return float(cell)
    except ValueError:
        return cell


MAKERS: dict[str, Callable[[int], bytes]] = {"csv": csv_file, "xlsx": xlsx_file, "jsonl": jsonl_file}
