"""What pickups tell. Haulage prices are for the owner and the carrier; nobody else in the matter sees them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.kernel.events import Event
from services.kernel.ids import LineId, OfferId, OrderId, OrgId, PickupId, SiteId, SlotId
from services.kernel.money import Money

_PRICE_IS_NOT_FOR: dict[str, set[str]] = {role: {"price"} for role in ("seller", "receiver", "custodian")}


class Line(BaseModel):
    """What changed hands of one line of the order."""

    model_config = ConfigDict(frozen=True)

    line_id: LineId
    quantity: int
    mass_g: int


class MeasuredBy(BaseModel):
    """How the masses were found; grams."""

    model_config = ConfigDict(frozen=True)

    method: str
    instrument: str | None = None
    ticket: str | None = None
    gross_g: int | None = None
    tare_g: int | None = None
    packaging_g: int | None = None


class Flag(BaseModel):
    """What a rule has against a fact that happened all the same."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str


class _OfJob(BaseModel):
    pickup_id: PickupId
    order_id: OrderId
    from_site_id: SiteId
    to_site_id: SiteId


class _Carried(_OfJob):
    carrier_id: OrgId


class _Fact(_Carried):
    occurred_at: datetime
    latitude: float | None
    longitude: float | None
    reason: str | None
    flags: list[Flag]


class _Handed(_Carried):
    lines: list[Line]
    measurement: MeasuredBy
    occurred_at: datetime
    price: Money | None
    flags: list[Flag]


class PickupCreated(_OfJob, Event, type="pickup.created"):
    """A movement is needed; its owner plans it."""

    owner_id: OrgId


class PickupPlanned(_OfJob, Event, type="pickup.planned"):
    """When the goods may be collected is known."""

    window_from: datetime
    window_until: datetime
    timezone: str


class PickupTendered(_OfJob, Event, type="pickup.tendered"):
    """Carriers are asked, one after the other or all at once."""

    strategy: str
    carrier_ids: list[OrgId]


class PickupTenderExhausted(_OfJob, Event, type="pickup.tender_exhausted"):
    """No carrier is left who could accept; the owner may tender again."""


class PickupAccepted(_Carried, Event, type="pickup.accepted", hidden=_PRICE_IS_NOT_FOR):
    """A carrier will move the goods, or the owner itself; then there is no price."""

    price: Money | None
    is_self_hauled: bool


class PickupScheduled(_Carried, Event, type="pickup.scheduled"):
    """A dock is booked."""

    slot_id: SlotId
    site_id: SiteId
    dock: int
    starts_at: datetime
    ends_at: datetime
    timezone: str


class PickupUnscheduled(_Carried, Event, type="pickup.unscheduled"):
    """The dock is free again."""

    slot_id: SlotId
    reason: str


class PickupDispatched(_Carried, Event, type="pickup.dispatched"):
    """Lorry and driver are named, the money is held, the permits cover."""

    vehicle: str
    driver_name: str


class PickupDeparted(_Fact, Event, type="pickup.departed"):
    """The lorry is on its way to the goods."""


class PickupArrived(_Fact, Event, type="pickup.arrived"):
    """The lorry is at the goods or at their destination: `at` is pickup or delivery."""

    at: str


class PickupLoaded(_Handed, Event, type="pickup.loaded", hidden=_PRICE_IS_NOT_FOR):
    """Custodian and carrier have signed for the same content; custody is the carrier's."""

    seals: list[str]


class PickupInTransit(_Fact, Event, type="pickup.in_transit"):
    """The goods are on the road."""


class PickupDelivered(_Handed, Event, type="pickup.delivered", hidden=_PRICE_IS_NOT_FOR):
    """Receiver and carrier have signed for what arrived; custody is the receiver's."""

    reservations: str | None


class PickupClosed(_Carried, Event, type="pickup.closed"):
    """Nothing is missing any more."""


class PickupCancelled(_OfJob, Event, type="pickup.cancelled"):
    """The movement will not take place."""

    carrier_id: OrgId | None
    reason: str


class _OfOffer(BaseModel):
    offer_id: OfferId
    pickup_id: PickupId
    carrier_id: OrgId
    price: Money


class OfferMade(_OfOffer, Event, type="offer.made"):
    """The carrier may accept before `expires_at`."""

    expires_at: datetime


class OfferAccepted(_OfOffer, Event, type="offer.accepted"):
    """The carrier has the job."""


class OfferDeclined(_OfOffer, Event, type="offer.declined"):
    """The carrier does not want it."""

    reason: str
    note: str | None


class OfferExpired(_OfOffer, Event, type="offer.expired"):
    """The carrier did not answer in time."""


class OfferSuperseded(_OfOffer, Event, type="offer.superseded"):
    """Another carrier was faster."""


class OfferWithdrawn(_OfOffer, Event, type="offer.withdrawn"):
    """The job is not offered any more."""
