"""Items made of units: what the rows state is theirs, what they are silent about is the seller's."""

from datetime import date

from services.kernel.ids import ItemId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import reviewing
from services.listings.importing.judging import Place
from services.listings.manifests.items import Count
from services.listings.manifests.rows import ManifestRow
from services.listings.models import Item


def new(work: UnitOfWork, place: Place, first: ManifestRow, position: int) -> Item:
    """The first row describes it; what its rows come to is counted once they are stored."""
    return Item(
        id=ItemId.new(),
        listing_id=place.listing_id,
        position=position,
        key=place.key,
        title=first.description[:200],
        quantity=first.quantity,
        livemode=work.livemode,
        created_at=work.now,
    )


def take(item: Item, count: Count, *, country: str, on: date) -> None:
    """Sets what the rows say of the item: number, grade and reason always, the rest where they state it."""
    item.quantity, item.condition_grade, item.return_reason = count.quantity, count.grade, count.return_reason
    shares = count.composition
    stated = {
        "mass_g": count.mass_g,
        "waste_code": min(count.said.get("waste_code", ()), default=None),
        "un_number": min(count.said.get("un_number", ()), default=None),
        "is_data_bearing": count.data_bearing,
        "composition": None if shares is None else [{"material": name, "ppm": ppm} for name, ppm in shares],
        "gtin": count.agreed("gtin"),
        "mpn": count.agreed("mpn"),
        "batch": count.agreed("batch"),
    }
    for name, value in stated.items():
        if value is not None:
            setattr(item, name, value)
    item.is_hazardous = item.is_hazardous or reviewing.follows_hazard(item.waste_code, item.un_number, country, on)
