"""What can go wrong with a listing or with the reading of a manifest."""

from services.kernel.errors import Conflict, Forbidden, NotFound
from services.kernel.problem_codes import explain


class MayNotList(Forbidden):
    """Only a verified manufacturer or holder lists goods: whoever must part with them."""

    code = "may_not_list"

    def __init__(self) -> None:
        super().__init__("Only a verified manufacturer or holder lists goods.")


class NotTheSeller(Forbidden):
    """Only the seller may do this with the listing."""

    code = "not_the_seller"

    def __init__(self) -> None:
        super().__init__("Only the seller may do this with the listing.")


class ListingIsNotADraft(Conflict):
    """What is published is what bidders read; it is not edited any more."""

    code = "listing_not_draft"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only a draft can be edited; this listing is {status}.")


class KeyTaken(Conflict):
    """Another item of the listing has this key."""

    code = "item_key_taken"

    def __init__(self, key: str) -> None:
        super().__init__(f"Another item of the listing has the key {key!r}.")


class StatedByManifest(Conflict):
    """An item made of a manifest's rows is counted and graded by them."""

    code = "stated_by_manifest"

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{', '.join(names)} follow from the manifest's rows; import the mended rows instead.")


class MayNotRecall(Forbidden):
    """Only a manufacturer recalls goods."""

    code = "may_not_recall"

    def __init__(self) -> None:
        super().__init__("Only a manufacturer recalls goods.")


class GoodsNotDivisible(Conflict):
    """The goods cannot be divided so: more is asked for than there is, nothing would be left, or a part would weigh nothing."""

    code = "goods_not_divisible"


class UnitsMoveWhole(Conflict):
    """Units of a manifest are not cut up: name whole ones, whose pieces sum to the quantity."""

    code = "units_move_whole"

    def __init__(self) -> None:
        super().__init__("Units move whole: name the external ids of those whose pieces sum to the quantity.")


class TooManyPhotos(Conflict):
    """The item has as many pictures as one may have."""

    code = "too_many_photos"

    def __init__(self, most: int) -> None:
        super().__init__(f"An item has at most {most} photos.")


class NoRefusedRows(NotFound):
    """The file exists once the manifest has been read."""

    def __init__(self, import_id: str) -> None:
        super().__init__("file of refused rows for import", import_id)


class ProfileNotFound(NotFound):
    """The mapping is not among those that the organization has kept."""

    def __init__(self, profile_id: str) -> None:
        super().__init__("import profile", profile_id)


class ProfileNameTaken(Conflict):
    """A shipped mapping, or another of the organization's own, has the name."""

    code = "profile_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"Another mapping is called {name!r}.")


explain(
    409,
    may_not_list="Only a verified manufacturer or holder lists goods.",
    bids_are_sealed="The listing is sealed and open; whether there are bids is a secret until the close.",
    has_live_bids="Bidders rely on what they have bid for.",
    remainder_stays_whole="What was refused at a receipt has one route, as a whole.",
)
explain(
    422,
    item_key_taken="Another item of the listing has this key.",
    listing_without_items="A listing needs at least one item.",
    timed_sold_whole="An ascending auction is for the whole lot.",
    min_quantity_needs_fraction="Only what is sold by fraction has a smallest quantity.",
    campaign_needs_recall="A campaign is named for goods whose return reason is product_recall.",
    campaign_not_found="There is no such recall campaign.",
    item_not_found="The listing has no such item, or it is named twice.",
    unit_not_found="The item has no unit of this external id.",
    sites_differ="Goods are merged where they lie: both drafts are at one site.",
    same_listing="A draft is merged into another one.",
    nobody_invited="An invited listing names the processors it is for, or what they can do.",
    capability_empty="A capability asks for a role, a country or a permit.",
    capability_needs_invited="A capability lets processors into an invited listing; a public one is open to all.",
    capability_too_wide="More organizations have the capability than an invited listing may let in.",
    operation_needs_permit="An operation is asked of permits.",
    permit_needs_waste_code="No item has a waste code, so nobody needs a permit.",
    closes_at_required="A sealed or timed listing says when bidding ends.",
    closes_before_opening="Bidding ends after it has opened.",
    hard_cap_needs_timed="Only timed listings are extended, so only they have a hard cap.",
    hard_cap_before_close="The hard cap is not before `closes_at`.",
    price_required="An instant listing names its price.",
    price_needs_instant="Only instant listings name a price; the others ask for bids.",
    rule_needs_close="A rule awards at the close, so there must be one.",
    increment_needs_timed="Only bids for a timed listing outbid each other, so only they have an increment.",
    increment_not_positive="An increment is more than nothing.",
    deposit_out_of_range="A deposit is more than nothing, and no more than one payment may be.",
    return_reason_required="Say why the goods go back.",
    condition_grade_required="Say in which condition the worst piece is.",
    composition_required='Say what it is made of; "unknown" is an answer.',
    mass_required="What is priced by the tonne has a declared mass.",
    un_number_unknown="The UN number is not in the list of dangerous goods.",
    hazard_not_declared="The waste code is one of hazardous waste; say that the goods are hazardous.",
    waste_code_required="Hazardous goods carry a waste code.",
    hp_codes_required="Hazardous goods name their hazardous properties.",
    un_number_required="Hazardous goods carry a UN number.",
    packaging_required="Hazardous goods say how they will be packed.",
    photo_required="Hazardous goods in a condition below like_new are shown.",
    campaign_required="A recall names its campaign and where the goods may go.",
    destruction_not_justified="Unsold goods are destroyed only with a recorded reason.",
    source_malformed="A source is a column, several columns or a constant.",
    target_required="The mapping says nothing about a field that every row needs.",
    decimal_unknown="The decimal mark is a point or a comma.",
    manifest_unreadable="Nothing can be read of the file; the detail says why.",
    profile_unknown="No mapping of this name ships, and you have kept none.",
    object_required="A mapping is an object with fields.",
    unknown="The key means nothing here.",
    place_malformed="A place is latitude,longitude in degrees.",
    place_required="Who sorts by distance says from where.",
)
