"""Answers of pickups and offers."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field

from services.kernel.http.expanding import Expandable
from services.kernel.http.schemas import Response, Transitions, UtcDatetime, told
from services.kernel.ids import HandoverId, LineId, OfferId, OrderId, OrgId, PickupId, SiteId, SlotId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import Choices
from services.parties.models import Site
from services.pickups import policy
from services.pickups.models import Goods, Handover, Measurement, Offer, PickupJob, Slot


class PickupGoodsAnswer(Response):
    line_id: LineId
    title: str
    quantity: int
    mass: Mass = Field(description="As declared")
    waste_code: str | None
    un_number: str | None
    is_hazardous: bool

    @classmethod
    def of(cls, goods: Goods) -> Self:
        return cls(**goods.model_dump(exclude={"mass_g"}), mass=Mass(goods.mass_g))


class PickupContactAnswer(Response):
    name: str
    phone: str
    email: str | None = None


class AccessWindowAnswer(Response):
    """Two instants and the zone they are meant in."""

    starts_at: UtcDatetime
    ends_at: UtcDatetime
    timezone: str


class SlotAnswer(Response):
    id: SlotId
    site_id: SiteId
    dock: int
    starts_at: UtcDatetime
    ends_at: UtcDatetime


class PickupPlaceAnswer(Response):
    """Where the lorry goes: an address, its coordinates, and the opening hours in the site's own time."""

    id: SiteId
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    docks: int
    opens: str
    closes: str


class PickupAnswer(Expandable, Transitions):
    """One movement. `price` and `ceiling` are for those who pay or are paid; contacts and crew for those who meet."""

    expandable = ("order",)

    id: PickupId
    livemode: bool
    created_at: UtcDatetime
    version: int
    status: str = Field(
        description="draft, planned, tendering, exhausted, accepted, scheduled, dispatched, en_route, at_pickup, loaded,"
        " in_transit, at_delivery, delivered, closed or cancelled"
    )
    order_id: OrderId
    owner_id: OrgId
    seller_id: OrgId
    receiver_id: OrgId
    custodian_id: OrgId
    carrier_id: OrgId | None
    from_site_id: SiteId
    to_site_id: SiteId
    from_site: PickupPlaceAnswer | None = Field(description="For the parties of the job and whom it is offered to")
    to_site: PickupPlaceAnswer | None = Field(description="Likewise")
    goods: list[PickupGoodsAnswer]
    window: AccessWindowAnswer | None
    contacts: list[PickupContactAnswer]
    equipment: str | None
    tender_strategy: str | None
    is_self_hauled: bool
    price: Money | None = Field(description="Net haulage, for the owner and the carrier")
    ceiling: Money | None = Field(description="The most the owner pays, for the owner")
    is_money_held: bool
    slot: SlotAnswer | None
    vehicle: str | None
    driver_name: str | None
    dispatched_at: UtcDatetime | None
    cancel_reason: str | None

    @classmethod
    def of(
        cls, job: PickupJob, slot: Slot | None, sites: Mapping[str, Site], choices: Choices, roles: frozenset[str]
    ) -> Self:
        is_party = bool(roles)
        return cls(
            **job.model_dump(include=_PLAIN),
            goods=[PickupGoodsAnswer.of(goods) for goods in job.lines],
            from_site=_place(sites.get(job.from_site_id)),
            to_site=_place(sites.get(job.to_site_id)),
            window=_window(job),
            contacts=[PickupContactAnswer.model_validate(contact) for contact in job.contacts] if is_party else [],
            carrier_id=job.carrier_id if is_party else None,
            price=job.price if policy.may_see_price(roles) else None,
            ceiling=job.ceiling if roles & {"owner", "operator"} else None,
            is_money_held=job.is_cleared,
            slot=SlotAnswer.model_validate(slot) if slot is not None else None,
            **told(choices),
        )


_PLAIN = {
    "id",
    "livemode",
    "created_at",
    "version",
    "status",
    "order_id",
    "owner_id",
    "seller_id",
    "receiver_id",
    "custodian_id",
    "from_site_id",
    "to_site_id",
    "equipment",
    "tender_strategy",
    "is_self_hauled",
    "vehicle",
    "driver_name",
    "dispatched_at",
    "cancel_reason",
}


def _place(site: Site | None) -> PickupPlaceAnswer | None:
    return None if site is None else PickupPlaceAnswer.model_validate(site)


def _window(job: PickupJob) -> AccessWindowAnswer | None:
    if job.window_from is None or job.window_until is None or job.window_timezone is None:
        return None
    return AccessWindowAnswer(starts_at=job.window_from, ends_at=job.window_until, timezone=job.window_timezone)


class PickupPage(Page[PickupAnswer]):
    """Pickup jobs, newest first."""


class OfferAnswer(Transitions):
    """A job offered to one carrier; open before `expires_at`."""

    id: OfferId
    livemode: bool
    created_at: UtcDatetime
    version: int
    pickup_id: PickupId
    carrier_id: OrgId
    position: int
    price: Money = Field(description="Net of VAT")
    status: str = Field(description="queued, offered, accepted, declined, expired, superseded or withdrawn")
    offered_at: UtcDatetime | None
    expires_at: UtcDatetime | None
    answered_at: UtcDatetime | None
    decline_reason: str | None

    @classmethod
    def of(cls, offer: Offer, choices: Choices) -> Self:
        fields = offer.model_dump(exclude={"price_minor", "currency", "decline_note"})
        return cls(**fields, price=offer.price, **told(choices))


class OfferPage(Page[OfferAnswer]):
    """Offers, newest first."""


class HandoverLineAnswer(Response):
    line_id: LineId
    quantity: int
    mass: Mass
    reason: str | None


class HandoverMeasurementAnswer(Response):
    """`net` is gross less tare less packaging, where a lorry was weighed."""

    method: str
    instrument: str | None
    ticket: str | None
    gross: Mass | None
    tare: Mass | None
    packaging: Mass | None
    net: Mass | None

    @classmethod
    def of(cls, measured: Measurement) -> Self:
        return cls(
            method=measured.method,
            instrument=measured.instrument,
            ticket=measured.ticket,
            gross=_mass(measured.gross_g),
            tare=_mass(measured.tare_g),
            packaging=_mass(measured.packaging_g),
            net=_mass(measured.net_g),
        )


class HandoverPhotoAnswer(Response):
    sha256: str
    name: str


class HandoverSignatureAnswer(Response):
    org_id: OrgId
    role: str = Field(description="custodian, carrier or receiver")
    signed_by: str
    occurred_at: UtcDatetime
    recorded_at: UtcDatetime


class HandoverAnswer(Response):
    """What was signed for at the pickup or the delivery. Who countersigns sends `content_hash`."""

    id: HandoverId
    pickup_id: PickupId
    place: str = Field(description="pickup or delivery")
    lines: list[HandoverLineAnswer]
    measurement: HandoverMeasurementAnswer
    seals: list[str]
    photos: list[HandoverPhotoAnswer]
    reservations: str | None
    content_hash: str = Field(description="SHA-256 over the canonical JSON (RFC 8785) of the content, in hexadecimal")
    signatures: list[HandoverSignatureAnswer]
    occurred_at: UtcDatetime
    signed_at: UtcDatetime | None = Field(description="When everyone who must sign had signed")
    superseded_at: UtcDatetime | None = Field(description="When its signer replaced it, before the other side signed")

    @classmethod
    def of(cls, handover: Handover) -> Self:
        lines = [
            HandoverLineAnswer(line_id=line.line_id, quantity=line.quantity, mass=Mass(line.mass_g), reason=line.reason)
            for line in handover.content_lines()
        ]
        return cls(
            **handover.model_dump(include={"id", "pickup_id", "place", "seals", "reservations", "content_hash"}),
            lines=lines,
            measurement=HandoverMeasurementAnswer.of(handover.measured()),
            photos=[HandoverPhotoAnswer.model_validate(photo) for photo in handover.pictures()],
            signatures=[HandoverSignatureAnswer.model_validate(signature) for signature in handover.signatures],
            occurred_at=handover.occurred_at,
            signed_at=handover.signed_at,
            superseded_at=handover.superseded_at,
        )


class HandoverPage(Page[HandoverAnswer]):
    """The handovers of one job in the order they were written; a job has few, so there is one page."""


def _mass(grams: int | None) -> Mass | None:
    return None if grams is None else Mass(grams)
