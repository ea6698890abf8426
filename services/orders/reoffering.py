"""A refused quantity as a listing of its own: the same item, damaged, where it lies now, weighed already."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid
from services.kernel.ids import ListingId, OrgId
from services.kernel.quantities import Mass
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, publishing
from services.listings import queries as listings
from services.listings.models import DraftItem, DraftListing, Item, Listing
from services.orders import queries
from services.orders.models import Order, OrderLine, ReceiptLine, Remainder

GRADE = "damaged"


@dataclass(frozen=True)
class Offering:
    """What the seller says about it; what is None stays as it was offered before. `processor_id` None offers it to
    everybody. `item` holds hazards and packaging as the refusal found them, by the fields of a listing's item."""

    pointer: str
    processor_id: OrgId | None
    mode: str
    price_unit: str | None = None
    title: str | None = None
    disposition_floor: str | None = None
    closes_at: datetime | None = None
    item: dict[str, Any] = field(default_factory=dict)


async def offer(
    work: UnitOfWork, order: Order, remainder: Remainder, line: OrderLine, offering: Offering, *, by: Actor
) -> ListingId:
    """Drafts and publishes in one go. Raises Invalid, its pointers into what the caller has sent."""
    origin = await listings.listing(work, order.listing_id)
    item = next(one for one in await listings.items(work, origin.id) if one.id == line.item_id)
    refused = await _refused(work, remainder)
    details = _listing(order, remainder, origin, offering, _item(item, refused, offering))
    try:
        draft = await drafting.draft(work, details, by=by)
        await work.session.flush()
        return (await publishing.publish(work, draft.id, by=by)).id
    except Invalid as lacking:
        raise Invalid(*(_pointed(error, offering) for error in lacking.errors)) from lacking


async def _refused(work: UnitOfWork, remainder: Remainder) -> ReceiptLine:
    lines = await queries.receipt_lines(work, remainder.receipt_id)
    return next(line for line in lines if line.line_id == remainder.line_id)


def _item(item: Item, refused: ReceiptLine, offering: Offering) -> DraftItem:
    """The evidence of the refusal shows the goods beside the pictures there were."""
    known: dict[str, Any] = {
        "title": item.title,
        "quantity": max(refused.refused_quantity or 0, 1),
        "mass": Mass(refused.refused_g) if refused.refused_g else None,
        "mass_method": "weighed",
        "condition_grade": GRADE,
        "return_reason": item.return_reason,
        "reason_detail": refused.note or f"Refused at receipt: {refused.reason}.",
        "waste_code": item.waste_code,
        "is_hazardous": item.is_hazardous,
        "hp_codes": item.hp_codes,
        "un_number": item.un_number,
        "packaging": item.packaging,
        "composition": item.composition,
        "is_data_bearing": item.is_data_bearing,
        "recall_campaign_id": item.recall_campaign_id,
        "photos": [*item.photos, *(one for one in refused.evidence if "sha256" in one)][:50],
    }
    return DraftItem.model_validate(known | offering.item)


def _listing(order: Order, remainder: Remainder, origin: Listing, offering: Offering, item: DraftItem) -> DraftListing:
    return DraftListing.model_validate(
        {
            "title": offering.title or item.title,
            "site_id": order.to_site_id,
            "mode": offering.mode,
            "price_unit": offering.price_unit or origin.price_unit,
            "currency": origin.currency,
            "disposition_floor": offering.disposition_floor or origin.disposition_floor,
            "closes_at": offering.closes_at,
            "visibility": "invited" if offering.processor_id else "public",
            "invited": [offering.processor_id] if offering.processor_id else [],
            "tolerance_bps": 0,
            "inspection_days": origin.inspection_days,
            "dispute_days": origin.dispute_days,
            "goods_vat_bps": origin.goods_vat_bps,
            "gate_fee_vat_bps": origin.gate_fee_vat_bps,
            "haulage_vat_bps": origin.haulage_vat_bps,
            "items": [item],
            "origin_listing_id": origin.id,
            "origin_remainder_id": remainder.id,
        }
    )


def _pointed(error: Detail, offering: Offering) -> Detail:
    """A pointer into the new listing as one into the request that asked for it."""
    places = {"/items/0": offering.pointer, "/invited/0": f"{offering.pointer}/processor_id"}
    for place, here in places.items():
        if error.pointer.startswith(place):
            return Detail(here + error.pointer.removeprefix(place), error.code, error.detail)
    return Detail(offering.pointer + error.pointer, error.code, error.detail)
