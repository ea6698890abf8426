"""Requests and answers of listings."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from services.kernel.actors import Actor
from services.kernel.errors import Detail
from services.kernel.http.schemas import LongText, Request, Response, Transitions, UtcDatetime, told
from services.kernel.ids import CampaignId, ItemId, ListingId, OrgId, RemainderId, SiteId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import choices
from services.listings import facts, policy, reviewing
from services.listings.events import MaterialMass
from services.listings.models import (
    LISTING,
    DraftItem,
    DraftListing,
    InvitedCapability,
    Item,
    ItemChanges,
    Listing,
    ListingChanges,
    ListingFacts,
    ListingTerms,
    Packaging,
    Photo,
    Share,
)
from services.listings.models.drafts import MOST_ITEMS_AT_ONCE

Status = Literal[
    "draft",
    "in_review",
    "scheduled",
    "open",
    "closed",
    "partially_awarded",
    "awarded",
    "fulfilled",
    "expired",
    "withdrawn",
    "cancelled",
]
PublishedStatus = Literal[
    "scheduled",
    "open",
    "closed",
    "partially_awarded",
    "awarded",
    "fulfilled",
    "expired",
    "withdrawn",
    "cancelled",
]

MOTORS: JsonDict = {
    "key": "motors",
    "title": "Electric motors, 7.5 to 30 kW",
    "quantity": 40,
    "mass": {"value": "12", "unit": "t"},
    "mass_method": "weighed",
    "condition_grade": "salvage",
    "return_reason": "end_of_life",
    "waste_code": "16 02 14",
    "composition": [
        {"material": "steel", "ppm": 620_000},
        {"material": "copper", "ppm": 180_000},
        {"material": "unknown", "ppm": 200_000},
    ],
    "is_data_bearing": False,
}
TERMS: JsonDict = {
    "title": "End-of-life equipment, Kassel",
    "site_id": "site_01kaq4m8q3e8xvw2t5n6r7s8d9",
    "mode": "sealed",
    "price_unit": "tonne",
    "currency": "EUR",
    "disposition_floor": "recycle",
    "opens_at": "2027-01-12T08:00:00Z",
    "closes_at": "2027-01-15T14:00:00Z",
}


class NewItem(Request, DraftItem):
    """One kind of thing in one condition. What is unknown may be left out of a draft; publishing names what is missing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [MOTORS]})


class NewDraft(Request, ListingTerms):
    """A listing without items: what the form field `listing` of an import holds, as JSON."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [TERMS]})

    def draft(self) -> DraftListing:
        return DraftListing.model_construct(_fields_set=None, **dict(self))


class NewListing(NewDraft):
    """A draft, with the items it starts with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**TERMS, "items": [MOTORS]}]})

    items: Annotated[list[NewItem], Field(max_length=MOST_ITEMS_AT_ONCE)] = Field(default_factory=list)


class ChangedListing(Request, ListingChanges):
    """What is sent changes, what is not stays; null empties description and times."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"closes_at": "2027-01-15T14:00:00Z"}]})


class ChangedItem(Request, ItemChanges):
    """What is sent changes, what is not stays; null empties what may be unknown."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "hp_codes": ["HP14"],
                    "packaging": {"kind": "Steel drum", "packages": 12, "un_packing": "P908"},
                    "composition": [{"material": "lithium_batteries", "ppm": 1_000_000}],
                }
            ]
        },
    )


class Withdrawal(Request):
    """Why the goods are no longer offered; bidders read it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Sold otherwise"}]})

    reason: LongText | None = None


class Notice(Response):
    """What does not forbid publishing but makes bids fewer: `pointer` is a JSON pointer into the listing."""

    pointer: str
    code: str
    detail: str

    @classmethod
    def of(cls, detail: Detail) -> Self:
        return cls(pointer=detail.pointer, code=detail.code, detail=detail.detail)


class ItemAnswer(Response):
    """`mass` is that of all pieces; null is weighed later. `waste_code` is six digits, null for what is no waste."""

    id: ItemId
    key: str
    title: str
    quantity: int
    free_quantity: int = Field(description="What of it is neither awarded nor relisted, where it is sold in parts")
    mass: Mass | None
    mass_method: str = Field(description="declared, weighed, estimated or data_sheet")
    mass_uncertainty: Mass | None = Field(description="The half-width around the mass; null where nobody stated it")
    condition_grade: str | None = Field(
        description="new, like_new, refurbished, used_good, used_fair, damaged, salvage"
    )
    return_reason: str | None = Field(description="damaged, defective, end_of_life, unsold_inventory or product_recall")
    reason_detail: str | None
    waste_code: str | None
    is_hazardous: bool
    hp_codes: list[str]
    un_number: str | None
    packaging: Packaging | None
    composition: list[Share] | None
    is_data_bearing: bool | None
    photos: list[Photo]
    recall_campaign_id: CampaignId | None
    gtin: str | None = Field(description="GS1's number of the product, 8, 12, 13 or 14 digits")
    mpn: str | None = Field(description="The maker's part number")
    batch: str | None = Field(description="The maker's batch or lot")

    @classmethod
    def of(cls, item: Item) -> Self:
        """Shares were validated when they were written."""
        columns: dict[str, Any] = dict(item)
        shares, grams = columns["composition"], columns["mass_g"]
        structures = {
            "mass": None if grams is None else Mass(grams),
            "composition": None if shares is None else [Share.model_construct(**share) for share in shares],
            "free_quantity": columns["quantity"] - columns["awarded_quantity"] - columns["relisted_quantity"],
            "mass_uncertainty": None if columns["mass_uncertainty_g"] is None else Mass(columns["mass_uncertainty_g"]),
        }
        return cls.model_validate(columns | structures)


class ListingSummary(Response):
    """A listing in a list. `total_mass` is null as soon as one item has no mass; materials stand heaviest first."""

    id: ListingId
    livemode: bool
    created_at: UtcDatetime
    version: int
    seller_id: OrgId
    title: str
    mode: str = Field(description="sealed, timed, negotiated or instant")
    price_unit: str = Field(description="tonne, piece or lot")
    currency: str
    price: Money | None = Field(description="Of an instant listing: signed, per `price_unit`")
    disposition_floor: str = Field(description="The lowest rung the holder accepts")
    price_direction: str | None = Field(description="buyer_pays or seller_pays; null leaves it to the bids")
    status: str = Field(
        description="draft, in_review, scheduled, open, closed, partially_awarded, awarded, fulfilled, expired, withdrawn"
        " or cancelled"
    )
    visibility: str = Field(description="public or invited")
    published_at: UtcDatetime | None
    opens_at: UtcDatetime | None
    closes_at: UtcDatetime | None
    effective_end_at: UtcDatetime | None = Field(description="closes_at, or later where a timed listing was extended")
    country: str
    latitude: float
    longitude: float
    item_count: int
    total_mass: Mass | None
    materials: list[MaterialMass]

    @classmethod
    def of(cls, listing: Listing) -> Self:
        return cls(**_summary(listing))


class FoundListing(ListingSummary):
    """`distance_km` is as the crow flies, where `near` was asked."""

    distance_km: float | None = None


class ListingAnswer(ListingSummary, Transitions):
    """A listing with its items. Whom it is for, `reserve_price` and the origins are told to the seller alone, notices on
    its drafts."""

    site_id: SiteId
    description: str | None
    hard_cap_at: UtcDatetime | None
    invited: list[OrgId]
    invited_capability: InvitedCapability | None
    admitted_count: int = Field(description="How many organizations `invited_capability` has let in so far")
    lot_rule: str = Field(description="What a bid may be for: whole, by_item or by_fraction")
    min_quantity: int | None = Field(description="by_fraction: the fewest pieces of an item that are sold")
    tolerance_bps: int
    inspection_days: int
    dispute_days: int
    goods_vat_bps: int
    gate_fee_vat_bps: int
    haulage_vat_bps: int
    award_rule: str = Field(description="by_hand or best_landed")
    reserve_price: Money | None
    recovers_vat: bool = Field(description="If the seller does not, the VAT it pays counts in its ranking")
    increment: Money | None = Field(description="What a better bid is better by; null: by the published table")
    deposit: Money | None = Field(description="What a bidder new to the market secures before its bid is taken")
    origin_listing_id: ListingId | None
    origin_remainder_id: RemainderId | None
    items: list[ItemAnswer]
    notices: list[Notice]

    @classmethod
    def told_to(cls, actor: Actor, listing: Listing, items: Sequence[Item], known: ListingFacts) -> Self:
        """What the actor may see of it, and do with it."""
        possible = choices(LISTING, listing, by=policy.parties_of(actor, listing), facts=known)
        is_own = policy.sees_all_of(actor, listing)
        names = cls.model_fields.keys() - ListingSummary.model_fields.keys() - Transitions.model_fields.keys()
        plain = {name: getattr(listing, name) for name in names - {"items", "notices", "invited", "admitted_count"}}
        if not is_own:
            plain |= dict.fromkeys(("origin_listing_id", "origin_remainder_id", "reserve_price", "invited_capability"))
        return cls(
            **_summary(listing),
            **plain,
            invited=[OrgId(org_id) for org_id in listing.invited] if is_own else [],
            admitted_count=len(listing.admitted) if is_own else 0,
            items=[ItemAnswer.of(item) for item in items],
            notices=[Notice.of(notice) for notice in reviewing.notices(items)] if is_own else [],
            **told(possible),
        )


def _summary(listing: Listing) -> dict[str, Any]:
    names = ListingSummary.model_fields.keys() - {"total_mass", "materials"}
    return {name: getattr(listing, name) for name in names} | {
        "total_mass": facts.total_mass(listing),
        "materials": facts.materials(listing),
    }


class ListingPage(Page[ListingSummary]):
    """Listings, newest first."""


class FoundPage(Page[FoundListing]):
    """Listings that match, in the order that was asked for."""
