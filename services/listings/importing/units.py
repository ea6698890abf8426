"""A manifest's row as a unit's columns, and back: the item of a later import is counted from all of them."""

import json
from typing import Any

from services.listings.manifests.items import SHARED, Count
from services.listings.manifests.rows import ManifestRow

DETAILS = (
    "description",
    "return_reason",
    "condition_grade",
    "waste_code",
    "un_number",
    "data_bearing",
    "brand",
    "model",
    "year",
    "gtin",
    "mpn",
    "batch",
)


def columns(row: ManifestRow) -> dict[str, Any]:
    """What a unit stores of a row, without whose it is and where it stands; `details` as JSON."""
    composition = [list(share) for share in row.composition] if row.composition else None
    details = {name: getattr(row, name) for name in DETAILS} | {"composition": composition}
    return {
        "external_id": row.external_id,
        "quantity": row.quantity,
        "serial": row.serial,
        "mass_g": row.mass_g,
        "fault": row.fault,
        "details": json.dumps(details),
    }


def row(unit: Any, item_key: str) -> ManifestRow:
    """Says the same as the row it was read from; `unit` has a unit's columns. Details that came later than the unit are None."""
    return ManifestRow(
        number=0,
        external_id=unit.external_id,
        item_key=item_key,
        quantity=unit.quantity,
        serial=unit.serial,
        mass_g=unit.mass_g,
        fault=unit.fault,
        composition=_composition(unit),
        **{name: unit.details.get(name) for name in DETAILS},
    )


def add(count: Count, unit: Any) -> None:
    """`unit` has a unit's columns."""
    details = unit.details
    count.add(
        quantity=unit.quantity,
        mass_g=unit.mass_g,
        condition_grade=details["condition_grade"],
        return_reason=details["return_reason"],
        data_bearing=details["data_bearing"],
        composition=_composition(unit),
        said=((name, details.get(name)) for name in SHARED),
    )


def _composition(unit: Any) -> tuple[tuple[str, int], ...] | None:
    composition = unit.details["composition"]
    return tuple((material, ppm) for material, ppm in composition) if composition else None
