"""What a listing's content lacks for publishing, and what bidders will miss. Pure: every shortcoming, not only the first."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from services.kernel.errors import Detail
from services.kernel.reference import materials, un_numbers, waste_codes
from services.kernel.reference.errors import CodeIsNotValid, ReferenceDataMissing
from services.listings.admitting import asking
from services.listings.manifests.mapping import CONDITION_GRADES
from services.listings.models import AWARDED_WHILE_OPEN, Item, Listing

PHOTOGENIC = frozenset(CONDITION_GRADES[CONDITION_GRADES.index("like_new") + 1 :])
"""Grades below like_new: the buyer should see what it gets."""

MOST_IN_ONE_PAYMENT = 99_999_999
"""Minor units: what the provider collects at a time."""
DESTROYING = frozenset({"recover", "dispose"})
EXTENSIONS = timedelta(hours=1)
"""How long a timed listing may be extended beyond closes_at where the seller names no hard cap."""


def shortcomings(listing: Listing, items: Sequence[Item], now: datetime) -> tuple[Detail, ...]:
    """By JSON pointer into the listing. Waste codes are judged where the goods are, today and on the day of opening."""
    days = sorted({now.date(), _opening(listing, now).date()})
    found = [*_clock(listing, now), *_price(listing)]
    if not items:
        found.append(Detail("/items", "listing_without_items", "A listing needs at least one item."))
    if listing.lot_rule != "whole" and listing.mode == "timed":
        found.append(Detail("/lot_rule", "timed_sold_whole", "An ascending auction is for the whole lot."))
    found += asking.shortcomings(listing, items)
    for position, item in enumerate(items):
        told = [*_description(item), *_mass(listing, item), *_codes(listing, item, days), *_hazards(item)]
        found += [Detail(f"/items/{position}{one.pointer}", one.code, one.detail) for one in told]
        found += [Detail(f"/items/{position}{one.pointer}", one.code, one.detail) for one in _reason(listing, item)]
    return tuple(found)


def notices(items: Sequence[Item]) -> tuple[Detail, ...]:
    """What does not forbid publishing, but makes bids fewer or lower."""
    return tuple(
        Detail(f"/items/{position}{one.pointer}", one.code, one.detail)
        for position, item in enumerate(items)
        for one in _missed(item)
    )


def hard_cap(listing: Listing) -> datetime | None:
    """Sealed and negotiated listings are never extended."""
    if listing.mode != "timed" or listing.closes_at is None:
        return listing.closes_at
    return listing.hard_cap_at or listing.closes_at + EXTENSIONS


def follows_hazard(waste_code: str | None, un_number: str | None, country: str, on: date) -> bool:
    """Whether code or UN number make it hazardous; an unknown code is judged at publishing."""
    if un_number:
        return True
    try:
        return bool(waste_code) and _entry(waste_code or "", country, on).is_hazardous
    except (CodeIsNotValid, ReferenceDataMissing):
        return False


def _opening(listing: Listing, now: datetime) -> datetime:
    return max(listing.opens_at, now) if listing.opens_at is not None else now


def _clock(listing: Listing, now: datetime) -> Iterator[Detail]:
    if listing.closes_at is None:
        if listing.mode not in AWARDED_WHILE_OPEN:
            yield Detail("/closes_at", "closes_at_required", f"A {listing.mode} listing says when bidding ends.")
        return
    if listing.closes_at <= now:
        yield Detail("/closes_at", "in_the_past", "Bidding would have ended already.")
    elif listing.closes_at <= _opening(listing, now):
        yield Detail("/closes_at", "closes_before_opening", "Bidding ends after it has opened.")
    if listing.increment is not None and listing.mode != "timed":
        yield Detail("/increment", "increment_needs_timed", "Only bids for a timed listing outbid each other.")
    elif listing.increment is not None and listing.increment.minor <= 0:
        yield Detail("/increment", "increment_not_positive", "A better bid is better by something.")
    if listing.hard_cap_at is not None and listing.mode != "timed":
        yield Detail("/hard_cap_at", "hard_cap_needs_timed", "Only timed listings are extended.")
    elif listing.hard_cap_at is not None and listing.hard_cap_at < listing.closes_at:
        yield Detail("/hard_cap_at", "hard_cap_before_close", "The hard cap is not before closes_at.")


def _price(listing: Listing) -> Iterator[Detail]:
    if listing.mode == "instant" and listing.price_minor is None:
        yield Detail("/price", "price_required", "An instant listing names its price.")
    if listing.mode != "instant" and listing.price_minor is not None:
        yield Detail("/price", "price_needs_instant", "Only instant listings name a price; the others ask for bids.")
    if listing.deposit_minor is not None and not 0 < listing.deposit_minor <= MOST_IN_ONE_PAYMENT:
        yield Detail("/deposit", "deposit_out_of_range", "A deposit is more than nothing, and one payment.")
    if listing.award_rule == "best_landed" and listing.closes_at is None:
        yield Detail("/award_rule", "rule_needs_close", "A rule awards at the close; say when bidding ends.")


def _description(item: Item) -> Iterator[Detail]:
    if item.return_reason is None:
        yield Detail("/return_reason", "return_reason_required", "Say why the goods go back.")
    if item.condition_grade is None:
        yield Detail("/condition_grade", "condition_grade_required", "Say in which condition the worst piece is.")
    if item.composition is None:
        yield Detail("/composition", "composition_required", 'Say what it is made of; "unknown" is an answer.')
    for share in item.composition or []:
        if not _is_material(share["material"]):
            yield Detail("/composition", "material_unknown", f"{share['material']!r} is not a known material.")


def _is_material(code: str) -> bool:
    try:
        return code == "unknown" or bool(materials.find(code))
    except ReferenceDataMissing:
        return False


def _mass(listing: Listing, item: Item) -> Iterator[Detail]:
    if listing.price_unit == "tonne" and item.mass_g is None:
        yield Detail("/mass", "mass_required", "What is priced by the tonne has a declared mass.")


def _codes(listing: Listing, item: Item, days: Iterable[date]) -> Iterator[Detail]:
    if item.un_number and not _is_un_number(item.un_number):
        yield Detail("/un_number", "un_number_unknown", f"{item.un_number} is not in the list of dangerous goods.")
    if item.waste_code is None:
        return
    for day in days:
        try:
            entry = _entry(item.waste_code, listing.country, day)
        except (CodeIsNotValid, ReferenceDataMissing) as refused:
            yield Detail("/waste_code", "code_not_valid", f"{refused}.")
            return
        if entry.is_hazardous and not item.is_hazardous:
            yield Detail("/is_hazardous", "hazard_not_declared", f"{entry.printed} is hazardous waste.")
            return


def _entry(code: str, country: str, on: date) -> waste_codes.WasteCode:
    return waste_codes.find(code, jurisdiction=waste_codes.jurisdiction_of(country), on=on)


def _is_un_number(number: str) -> bool:
    try:
        return bool(un_numbers.find(number))
    except ReferenceDataMissing:
        return False


def _hazards(item: Item) -> Iterator[Detail]:
    if not item.is_hazardous:
        return
    if item.waste_code is None:
        yield Detail("/waste_code", "waste_code_required", "Hazardous goods carry a waste code.")
    if not item.hp_codes:
        yield Detail("/hp_codes", "hp_codes_required", "Hazardous goods name their hazardous properties.")
    if not item.un_number:
        yield Detail("/un_number", "un_number_required", "Hazardous goods carry a UN number.")
    if not item.packaging:
        yield Detail("/packaging", "packaging_required", "Hazardous goods say how they will be packed.")
    if item.condition_grade in PHOTOGENIC and not item.photos:
        yield Detail("/photos", "photo_required", "Hazardous goods below like_new are shown.")


def _reason(listing: Listing, item: Item) -> Iterator[Detail]:
    if item.recall_campaign_id and item.return_reason != "product_recall":
        yield Detail("/recall_campaign_id", "campaign_needs_recall", "A campaign is named for a product_recall.")
    if item.reason_detail:
        return
    if item.return_reason == "product_recall" and not item.recall_campaign_id:
        yield Detail("/reason_detail", "campaign_required", "Name the recall campaign and where the goods are kept.")
    if item.return_reason == "unsold_inventory" and listing.disposition_floor in DESTROYING:
        yield Detail(
            "/reason_detail", "destruction_not_justified", "Unsold goods are destroyed only with a recorded reason."
        )


def _missed(item: Item) -> Iterator[Detail]:
    if item.condition_grade in PHOTOGENIC and not item.photos:
        yield Detail("/photos", "photo_missing", "Processors bid higher on goods they can see.")
    if item.return_reason in ("damaged", "defective") and not item.reason_detail:
        yield Detail("/reason_detail", "reason_detail_missing", "Say what is wrong, and since when.")
    if item.return_reason == "end_of_life" and item.is_data_bearing is None:
        yield Detail("/is_data_bearing", "data_bearing_unknown", "Say whether data may be stored on it.")
    if item.return_reason == "end_of_life" and item.waste_code is None:
        yield Detail("/waste_code", "waste_code_missing", "What is discarded usually carries a waste code.")
