"""A listing and its items as everybody reads them, written by PostgreSQL: each member of the schemas as SQL. Of use only where
the reader is neither seller nor operator, for secrets are told as to a stranger."""

from services.kernel.json_sql import EMPTY, NULL, instant, mass, money, plain, thing, things, word, words

_MATERIAL = thing({"material": word("one.material"), "mass": mass("one.mass_g")})
SUMMARY = {
    "id": word("listing.id"),
    "livemode": plain("listing.livemode"),
    "created_at": instant("listing.created_at"),
    "version": plain("listing.version"),
    "seller_id": word("listing.seller_id"),
    "title": words("listing.title"),
    "mode": word("listing.mode"),
    "price_unit": word("listing.price_unit"),
    "currency": word("listing.currency"),
    "price": money("listing.price_minor", "listing.currency"),
    "disposition_floor": word("listing.disposition_floor"),
    "price_direction": word("listing.price_direction"),
    "status": word("listing.status"),
    "visibility": word("listing.visibility"),
    "published_at": instant("listing.published_at"),
    "opens_at": instant("listing.opens_at"),
    "closes_at": instant("listing.closes_at"),
    "effective_end_at": instant("listing.effective_end_at"),
    "country": word("listing.country"),
    "latitude": plain("listing.latitude"),
    "longitude": plain("listing.longitude"),
    "item_count": plain("listing.item_count"),
    "total_mass": mass("listing.total_mass_g"),
    "materials": things(_MATERIAL, "jsonb_to_recordset(listing.materials) AS one(material text, mass_g bigint)"),
}
"""As `ListingSummary`."""

ITEM = {
    "id": word("item.id"),
    "key": words("item.key"),
    "title": words("item.title"),
    "quantity": plain("item.quantity"),
    "free_quantity": plain("(item.quantity - item.awarded_quantity - item.relisted_quantity)"),
    "mass": mass("item.mass_g"),
    "mass_method": word("item.mass_method"),
    "mass_uncertainty": mass("item.mass_uncertainty_g"),
    "condition_grade": word("item.condition_grade"),
    "return_reason": word("item.return_reason"),
    "reason_detail": words("item.reason_detail"),
    "waste_code": word("item.waste_code"),
    "is_hazardous": plain("item.is_hazardous"),
    "hp_codes": plain("item.hp_codes"),
    "un_number": word("item.un_number"),
    "packaging": plain("item.packaging"),
    "composition": plain("item.composition"),
    "is_data_bearing": plain("item.is_data_bearing"),
    "photos": plain("item.photos"),
    "recall_campaign_id": word("item.recall_campaign_id"),
    "gtin": words("item.gtin"),
    "mpn": words("item.mpn"),
    "batch": words("item.batch"),
}
"""As `ItemAnswer`: structures are stored as they are answered."""

DETAIL = {
    **SUMMARY,
    "site_id": word("listing.site_id"),
    "description": words("listing.description"),
    "hard_cap_at": instant("listing.hard_cap_at"),
    "invited": EMPTY,
    "lot_rule": word("listing.lot_rule"),
    "min_quantity": plain("listing.min_quantity"),
    "tolerance_bps": plain("listing.tolerance_bps"),
    "inspection_days": plain("listing.inspection_days"),
    "dispute_days": plain("listing.dispute_days"),
    "goods_vat_bps": plain("listing.goods_vat_bps"),
    "gate_fee_vat_bps": plain("listing.gate_fee_vat_bps"),
    "haulage_vat_bps": plain("listing.haulage_vat_bps"),
    "award_rule": word("listing.award_rule"),
    "reserve_price": NULL,
    "recovers_vat": plain("listing.recovers_vat"),
    "increment": money("listing.increment_minor", "listing.currency"),
    "origin_listing_id": NULL,
    "origin_remainder_id": NULL,
    "items": things(thing(ITEM), "item WHERE item.listing_id = listing.id", "item.position, item.id"),
    "notices": EMPTY,
    "allowed_transitions": EMPTY,
    "blocked_transitions": EMPTY,
}
"""As `ListingAnswer`, of which a stranger may move nothing."""
