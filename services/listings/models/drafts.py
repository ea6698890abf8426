"""What a seller says about a listing and its items, validated; what only publishing demands may still be missing."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.kernel.ids import CampaignId, ListingId, OrgId, RemainderId, SiteId
from services.kernel.money import CURRENCIES, Money
from services.kernel.quantities import Mass
from services.kernel.reference import hazard_properties, materials, waste_codes
from services.kernel.reference.errors import ReferenceDataMissing
from services.listings.manifests.cells import MOST_PIECES, WHOLE_PPM, CellIsWrong
from services.listings.manifests.cells import gtin as written_gtin
from services.listings.manifests.cells import un_number as written_un_number
from services.listings.models.capabilities import InvitedCapability

Mode = Literal["sealed", "timed", "negotiated", "instant"]
AwardRule = Literal["by_hand", "best_landed"]
PriceUnit = Literal["tonne", "piece", "lot"]
Visibility = Literal["public", "invited"]
PriceDirection = Literal["buyer_pays", "seller_pays"]
LotRule = Literal["whole", "by_item", "by_fraction"]
Disposition = Literal["reuse", "repair", "remanufacture", "harvest", "recycle", "recover", "dispose"]
DISPOSITIONS: tuple[Disposition, ...] = get_args(Disposition)
"""From the highest rung to the lowest."""

ReturnReason = Literal["damaged", "defective", "end_of_life", "unsold_inventory", "product_recall"]
ConditionGrade = Literal["new", "like_new", "refurbished", "used_good", "used_fair", "damaged", "salvage"]
MassMethod = Literal["declared", "weighed", "estimated", "data_sheet"]
MOST_ITEMS_AT_ONCE = 200


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"{code} does not trade here; one of {', '.join(CURRENCIES)} does")
    return code


def _waste_code(written: str) -> str:
    return waste_codes.normalise(written)


def _un_number(written: str) -> str:
    try:
        return written_un_number(written) or ""
    except CellIsWrong as wrong:
        raise ValueError(wrong.detail) from None


def _gtin(written: str) -> str:
    try:
        return written_gtin(written) or ""
    except CellIsWrong as wrong:
        raise ValueError(wrong.detail) from None


def _hazard_property(written: str) -> str:
    try:
        return hazard_properties.find(written).code
    except ReferenceDataMissing as missing:
        raise ValueError(str(missing)) from None


def _material(written: str) -> str:
    if written.casefold() == "unknown":
        return "unknown"
    try:
        return materials.find(written).code
    except ReferenceDataMissing as missing:
        raise ValueError(str(missing)) from None


def _some(mass: Mass) -> Mass:
    if not mass.grams:
        raise ValueError("a mass is at least a gram; leave it out where it is weighed later")
    return mass


PositiveMass = Annotated[Mass, AfterValidator(_some)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]
Currency = Annotated[str, AfterValidator(_currency), Field(description="ISO 4217", examples=["EUR"])]
WasteCode = Annotated[
    str,
    StringConstraints(min_length=6, max_length=12),
    AfterValidator(_waste_code),
    Field(description='List of Waste, as "16 06 07*" or "160607"; answered as six digits', examples=["16 02 14"]),
]
UnNumber = Annotated[
    str,
    StringConstraints(min_length=4, max_length=8),
    AfterValidator(_un_number),
    Field(description='As "UN 3480" or "3480"; answered as "UN3480"', examples=["UN3480"]),
]
HazardCode = Annotated[str, StringConstraints(max_length=6), AfterValidator(_hazard_property), Field(examples=["HP14"])]
Material = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_material),
    Field(description="A material's code, or unknown", examples=["steel"]),
]
Gtin = Annotated[
    str,
    StringConstraints(min_length=8, max_length=20),
    AfterValidator(_gtin),
    Field(description="GS1's number of the product with its check digit", examples=["4006381333931"]),
]
PartNumber = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    Field(description="The maker's part number", examples=["WPL-1000-A"]),
]
Batch = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    Field(description="The maker's batch or lot", examples=["L2026-117"]),
]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]


class Share(BaseModel):
    """A material's part of the mass, in ppm."""

    model_config = ConfigDict(extra="forbid")

    material: Material
    ppm: Annotated[int, Field(ge=1, le=WHOLE_PPM)]


def _whole(shares: list[Share]) -> list[Share]:
    if len({share.material for share in shares}) < len(shares):
        raise ValueError("each material stands once")
    if sum(share.ppm for share in shares) != WHOLE_PPM:
        raise ValueError('the shares sum to 1,000,000 ppm; what you do not know is the material "unknown"')
    return shares


Composition = Annotated[
    list[Share],
    Field(min_length=1, max_length=40, description="Shares that sum to 1,000,000 ppm"),
    AfterValidator(_whole),
]


class Photo(BaseModel):
    """A picture the seller keeps; its hash proves later that it is still the same."""

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    name: Title
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2_000)] | None = None


class Packaging(BaseModel):
    """How the goods will stand ready. `tare` is the packaging's own mass; `un_packing` such as P908."""

    model_config = ConfigDict(extra="forbid")

    kind: Title
    packages: Annotated[int, Field(ge=1, le=1_000_000)]
    tare: Mass | None = None
    un_packing: Annotated[str, StringConstraints(pattern="^[A-Z0-9()]{2,12}$")] | None = None
    special_provisions: Annotated[
        list[Annotated[str, StringConstraints(pattern="^[0-9]{1,4}$")]], Field(max_length=20)
    ] = Field(default_factory=list)
    labels: Annotated[list[Title], Field(max_length=20)] = Field(default_factory=list)


class DraftItem(BaseModel):
    """One kind of thing in one condition. `mass` is that of all pieces together; None is weighed later.

    `is_hazardous` None follows the waste code and the UN number. `key` names the item within the listing."""

    model_config = ConfigDict(extra="forbid")

    key: Title | None = None
    title: Title
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)]
    mass: PositiveMass | None = None
    mass_method: MassMethod = "declared"
    mass_uncertainty: Mass | None = Field(default=None, description="The half-width around the mass, of all pieces")
    condition_grade: ConditionGrade | None = None
    return_reason: ReturnReason | None = None
    reason_detail: Prose | None = Field(
        default=None,
        description="damaged: cause and moment; defective: fault or test result; unsold_inventory: batches, brand rules,"
        " and why if it may be destroyed; product_recall: the campaign and where the goods are kept",
    )
    waste_code: WasteCode | None = None
    is_hazardous: bool | None = None
    hp_codes: Annotated[list[HazardCode], Field(max_length=15)] = Field(default_factory=list)
    un_number: UnNumber | None = None
    packaging: Packaging | None = None
    composition: Composition | None = None
    is_data_bearing: bool | None = None
    photos: Annotated[list[Photo], Field(max_length=50)] = Field(default_factory=list)
    recall_campaign_id: CampaignId | None = Field(
        default=None, description="product_recall: the campaign under which recalled goods may be offered"
    )
    gtin: Gtin | None = None
    mpn: PartNumber | None = None
    batch: Batch | None = None


class ListingTerms(BaseModel):
    """What a seller asks for. `closes_at` is needed by sealed and timed listings; without `opens_at` publishing opens.

    Rates are basis points: `goods_vat_bps` 0 is the reverse charge for scrap between businesses. Prices are signed and per
    `price_unit`."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    description: Prose | None = None
    site_id: SiteId
    mode: Mode
    price_unit: PriceUnit
    currency: Currency
    disposition_floor: Disposition = Field(
        default="recycle", description="The lowest rung the holder accepts; processors may promise a higher one"
    )
    price_direction: PriceDirection | None = Field(
        default=None, description="Who the holder expects to pay; null leaves it to the bids, which are signed"
    )
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    hard_cap_at: AwareDatetime | None = Field(
        default=None, description="Timed listings only: extensions end here; an hour after closes_at if not given"
    )
    visibility: Visibility = "public"
    invited: Annotated[list[OrgId], Field(max_length=100)] = Field(default_factory=list)
    invited_capability: InvitedCapability | None = Field(
        default=None, description="Invited listings only: lets in whoever can do this, now or while bidding is on"
    )
    lot_rule: LotRule = Field(
        default="whole",
        description="What a bid may be for: the whole lot, items of it, or a quantity of an item",
    )
    min_quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)] | None = Field(
        default=None, description="by_fraction only: the fewest pieces of an item that are sold; one if not given"
    )
    tolerance_bps: Annotated[int, Field(ge=0, le=2_000)] = 500
    inspection_days: Annotated[int, Field(ge=1, le=30)] = 3
    dispute_days: Annotated[int, Field(ge=1, le=30)] = 5
    goods_vat_bps: BasisPoints = 0
    gate_fee_vat_bps: BasisPoints = 1900
    haulage_vat_bps: BasisPoints = 1900
    price: Money | None = Field(
        default=None, description="Instant listings only: whoever takes it at this price has it"
    )
    award_rule: AwardRule = Field(
        default="by_hand",
        description="best_landed: at the close the best bid that meets the reserve and may be awarded wins by itself",
    )
    reserve_price: Money | None = Field(
        default=None, description="The least landed net value at which a rule awards; never told to bidders"
    )
    recovers_vat: bool = Field(default=True, description="If you do not, the VAT you pay counts in the ranking")
    increment: Money | None = Field(
        default=None,
        description="Timed listings only: what a better bid is better by; by a published table if not given",
    )
    deposit: Money | None = Field(
        default=None,
        description="What a processor leaves with us before its bid is taken, while no order that it bought has been settled;"
        " the seller's if it wins and does not confirm",
    )


class DraftListing(ListingTerms):
    """A listing to be, with the items it starts with. The origins are set where a refused remainder is offered again."""

    items: list[DraftItem] = Field(default_factory=list)
    origin_listing_id: ListingId | None = None
    origin_remainder_id: RemainderId | None = None


class _Changes(BaseModel):
    """What was sent changes, what was not stays; null empties what may be empty."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _refuse_nulls(self) -> "_Changes":
        required = {name for name in self.model_fields_set if name not in self.nullable()}
        emptied = sorted(name for name in required if getattr(self, name) is None)
        if emptied:
            raise ValueError(f"{', '.join(emptied)} cannot be null")
        return self

    @classmethod
    def nullable(cls) -> frozenset[str]:
        return frozenset()


class ListingChanges(_Changes):
    title: Title | None = None
    description: Prose | None = None
    site_id: SiteId | None = None
    mode: Mode | None = None
    price_unit: PriceUnit | None = None
    currency: Currency | None = None
    disposition_floor: Disposition | None = None
    price_direction: PriceDirection | None = None
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    hard_cap_at: AwareDatetime | None = None
    visibility: Visibility | None = None
    invited: Annotated[list[OrgId], Field(max_length=100)] | None = None
    invited_capability: InvitedCapability | None = None
    lot_rule: LotRule | None = None
    min_quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)] | None = None
    tolerance_bps: Annotated[int, Field(ge=0, le=2_000)] | None = None
    inspection_days: Annotated[int, Field(ge=1, le=30)] | None = None
    dispute_days: Annotated[int, Field(ge=1, le=30)] | None = None
    goods_vat_bps: BasisPoints | None = None
    gate_fee_vat_bps: BasisPoints | None = None
    haulage_vat_bps: BasisPoints | None = None
    increment: Money | None = None
    price: Money | None = None
    award_rule: AwardRule | None = None
    reserve_price: Money | None = None
    recovers_vat: bool | None = None
    deposit: Money | None = None

    @classmethod
    def nullable(cls) -> frozenset[str]:
        return frozenset(
            {
                "description",
                "price_direction",
                "opens_at",
                "closes_at",
                "hard_cap_at",
                "invited_capability",
                "min_quantity",
                "price",
                "increment",
                "reserve_price",
                "deposit",
            }
        )


class ItemChanges(_Changes):
    title: Title | None = None
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)] | None = None
    mass: PositiveMass | None = None
    mass_method: MassMethod | None = None
    mass_uncertainty: Mass | None = None
    condition_grade: ConditionGrade | None = None
    return_reason: ReturnReason | None = None
    reason_detail: Prose | None = None
    waste_code: WasteCode | None = None
    is_hazardous: bool | None = None
    hp_codes: Annotated[list[HazardCode], Field(max_length=15)] | None = None
    un_number: UnNumber | None = None
    packaging: Packaging | None = None
    composition: Composition | None = None
    is_data_bearing: bool | None = None
    photos: Annotated[list[Photo], Field(max_length=50)] | None = None
    recall_campaign_id: CampaignId | None = None
    gtin: Gtin | None = None
    mpn: PartNumber | None = None
    batch: Batch | None = None

    @classmethod
    def nullable(cls) -> frozenset[str]:
        return frozenset(
            {
                "mass",
                "mass_uncertainty",
                "gtin",
                "mpn",
                "batch",
                "condition_grade",
                "return_reason",
                "reason_detail",
                "waste_code",
                "un_number",
                "packaging",
                "composition",
                "is_data_bearing",
                "recall_campaign_id",
            }
        )
