"""Items made of units: what the rows state is theirs, what they are silent about is the seller's."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from services.kernel.ids import ItemId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import reviewing
from services.listings.importing.judging import Place
from services.listings.manifests import items as manifest_items
from services.listings.manifests.cells import WHOLE_PPM
from services.listings.manifests.rows import ManifestRow
from services.listings.models import Item


def new(work: UnitOfWork, place: Place, rows: Sequence[ManifestRow], position: int) -> Item:
    return Item(
        id=ItemId.new(),
        listing_id=place.listing_id,
        position=position,
        key=place.key,
        title=rows[0].description[:200],
        quantity=1,
        livemode=work.livemode,
        created_at=work.now,
    )


def count(item: Item, rows: Sequence[ManifestRow], *, country: str, on: date) -> None:
    """Sets what the rows say of the item: number, grade and reason always, the rest where they state it."""
    (draft,) = manifest_items.group(rows)
    item.quantity, item.condition_grade, item.return_reason = draft.quantity, draft.grade, draft.return_reason
    stated = {
        "mass_g": draft.mass_g,
        "waste_code": next(iter(draft.waste_codes), None),
        "un_number": next(iter(draft.un_numbers), None),
        "is_data_bearing": draft.data_bearing,
        "composition": composition(rows),
    }
    for name, value in stated.items():
        if value is not None:
            setattr(item, name, value)
    item.is_hazardous = item.is_hazardous or reviewing.follows_hazard(item.waste_code, item.un_number, country, on)


def composition(rows: Sequence[ManifestRow]) -> list[dict[str, Any]] | None:
    """The mean of the rows that state one, by mass where all of these are weighed, else by pieces; sums to the whole."""
    stating = [row for row in rows if row.composition]
    if not stating:
        return None
    is_weighed = all(row.mass_g for row in stating)
    parts: defaultdict[str, int] = defaultdict(int)
    for row in stating:
        for material, ppm in row.composition or ():
            parts[material] += ppm * ((row.mass_g or 0) if is_weighed else row.quantity)
    return [{"material": material, "ppm": ppm} for material, ppm in _shares(parts).items() if ppm]


def _shares(parts: dict[str, int]) -> dict[str, int]:
    """Parts per million by largest remainder, ties by name; the largest share first."""
    total = sum(parts.values())
    shares = {material: part * WHOLE_PPM // total for material, part in parts.items()}
    by_remainder = sorted(parts, key=lambda material: (-(parts[material] * WHOLE_PPM % total), material))
    for material in by_remainder[: WHOLE_PPM - sum(shares.values())]:
        shares[material] += 1
    return dict(sorted(shares.items(), key=lambda share: (-share[1], share[0])))
