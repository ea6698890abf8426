"""A manifest's row as a unit's columns, and back: the item of a later import is counted from all of them."""

from typing import Any

from services.listings.manifests.rows import ManifestRow
from services.listings.models import Unit

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
)


def columns(row: ManifestRow) -> dict[str, Any]:
    """What a unit stores of a row, without whose it is and where it stands."""
    details = {name: getattr(row, name) for name in DETAILS}
    return {
        "external_id": row.external_id,
        "quantity": row.quantity,
        "serial": row.serial,
        "mass_g": row.mass_g,
        "fault": row.fault,
        "details": details | {"composition": [list(share) for share in row.composition] if row.composition else None},
    }


def row(unit: Unit, item_key: str, *, number: int = 0) -> ManifestRow:
    """Equal to the row it was read from, when that has the same number."""
    composition = unit.details["composition"]
    return ManifestRow(
        number=number,
        external_id=unit.external_id,
        item_key=item_key,
        quantity=unit.quantity,
        serial=unit.serial,
        mass_g=unit.mass_g,
        fault=unit.fault,
        composition=tuple((material, ppm) for material, ppm in composition) if composition else None,
        **{name: unit.details[name] for name in DETAILS},
    )
