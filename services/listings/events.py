"""What listings tell. Bids are never part of it."""

from datetime import datetime

from pydantic import BaseModel

from services.kernel.events import Event
from services.kernel.ids import CampaignId, ImportId, ItemId, ListingId, OrgId, RemainderId
from services.kernel.money import Money
from services.kernel.quantities import Mass


class MaterialMass(BaseModel):
    """`mass` is None where the goods were not weighed yet."""

    material: str
    mass: Mass | None


class ListingFact(BaseModel):
    """What every event of a listing carries. `total_mass` is None as soon as one item has no mass, `price` unless it is sold at
    one."""

    listing_id: ListingId
    seller_id: OrgId
    title: str
    mode: str
    price_unit: str
    currency: str
    disposition_floor: str
    visibility: str
    country: str
    opens_at: datetime | None
    closes_at: datetime | None
    item_count: int
    total_mass: Mass | None
    materials: list[MaterialMass]
    price: Money | None = None


class ListingCreated(ListingFact, Event, type="listing.created"):
    """A draft was made; `origin_…` names the refused remainder it offers again."""

    origin_listing_id: ListingId | None
    origin_remainder_id: RemainderId | None


class ListingSubmitted(ListingFact, Event, type="listing.submitted"):
    """The seller asked for the draft to be published."""


class ListingPublished(ListingFact, Event, type="listing.published"):
    """The listing passed its review: others may read it, and bids are taken from `opens_at` on."""


class ListingOpened(ListingFact, Event, type="listing.opened"):
    """`closes_at` is when bidding ends; None only for a negotiated listing without an end."""


class ListingAdmitted(ListingFact, Event, type="listing.admitted"):
    """The organization has become able to do what an invited listing asks for: it may read the listing and bid."""

    organization_id: OrgId


class ListingExtended(ListingFact, Event, type="listing.extended"):
    """A new leader in the last minutes has moved the end of a timed listing: `closes_at` is the new one."""

    ended_at: datetime


class ListingClosed(ListingFact, Event, type="listing.closed"):
    """Bidding has ended. Sealed bids become readable to the seller."""


class ListingAwarded(ListingFact, Event, type="listing.awarded"):
    """A bid on the whole lot was chosen; its bidder has yet to confirm."""


class ListingAwardReopened(ListingFact, Event, type="listing.award_reopened"):
    """The chosen bidder did not confirm, or the order was cancelled before loading: another bid may win."""


class ListingPartiallyAwarded(ListingFact, Event, type="listing.partially_awarded"):
    """A bid on part of the lot was chosen; something is left, or was not confirmed and is free again."""


_NEW_DRAFT_IS_THE_SELLERS: dict[str, set[str]] = {"processor": {"into_listing_id", "moved"}}


class MovedGoods(BaseModel):
    """What went from one item into another; the ids are the same where a whole item moved. `mass` None: never weighed."""

    from_item_id: ItemId
    to_item_id: ItemId
    quantity: int
    mass: Mass | None


class _Divided(ListingFact):
    into_listing_id: ListingId
    moved: list[MovedGoods]


class ListingSplit(_Divided, Event, type="listing.split", hidden=_NEW_DRAFT_IS_THE_SELLERS):
    """Goods have left the listing for a new draft; the sums are of what remains."""


class ListingMerged(_Divided, Event, type="listing.merged", hidden=_NEW_DRAFT_IS_THE_SELLERS):
    """All goods of the draft are in another draft now."""


class ListingRemainderRelisted(_Divided, Event, type="listing.remainder_relisted", hidden=_NEW_DRAFT_IS_THE_SELLERS):
    """What nobody has won is offered anew, in a draft of its own."""


class ListingFulfilled(ListingFact, Event, type="listing.fulfilled"):
    """Every order made from the listing has ended."""


class ListingExpired(ListingFact, Event, type="listing.expired"):
    """Nobody bid, or nobody was awarded in the award window."""


class ListingWithdrawn(ListingFact, Event, type="listing.withdrawn"):
    """The seller took it off the market before an award."""

    reason: str | None


class ListingCancelled(ListingFact, Event, type="listing.cancelled"):
    """Backhaul took it off the market."""

    reason: str


class _OfRecall(BaseModel):
    campaign_id: CampaignId
    manufacturer_id: OrgId


class RecallOpened(_OfRecall, Event, type="recall.opened"):
    """Matching goods are stopped from now on; those that were there already are."""

    title: str
    dispositions: list[str]


class RecallClosed(_OfRecall, Event, type="recall.closed"):
    """`status` closed: nothing more is looked for, what is stopped stays so. lifted: every stop is gone."""

    status: str
    reason: str


class _OfStop(_OfRecall):
    reason: str
    seller_id: OrgId
    listing_id: ListingId | None
    item_id: ItemId
    external_ids: list[str]
    quantity: int


class StopPlaced(_OfStop, Event, type="stop.placed"):
    """Goods are in quarantine: nothing is decided about them but under the campaign. Without external ids it is the whole item."""


class StopLifted(_OfStop, Event, type="stop.lifted"):
    """Goods are free again, or have gone as the campaign asks: `lift_reason` is lifted or remedied."""

    lift_reason: str


class ImportCompleted(Event, type="import.completed"):
    """A manifest has been read, or could not be: `status` is completed or failed, `failure_code` says why. Of a trial
    nothing has landed, and it may have no listing.

    rows = imported + refused; imported = added + updated + unchanged."""

    import_id: ImportId
    listing_id: ListingId | None
    is_trial: bool
    status: str
    failure_code: str | None
    failure: str | None
    rows: int
    imported: int
    added: int
    updated: int
    unchanged: int
    refused: int
