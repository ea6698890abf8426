"""Request bodies of pickups and offers."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator as After
from pydantic import AllowInfNan, AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from services.kernel.http.schemas import LongText, Request, Text
from services.kernel.ids import LineId, MemberId, OrgId, SiteId
from services.kernel.money import Money
from services.kernel.quantities import Mass
from services.pickups.dispatching import Crew
from services.pickups.handover import Content, Report, Signing
from services.pickups.models import HandoverLine, Measurement, Photo
from services.pickups.scheduling import Plan, SlotWish
from services.pickups.tendering import Asked, Tender

LINE = "lin_01kaq4m8q3e8xvw2t5n6r7s8d9"
ORGANIZATION = "org_01kaq4m8q3e8xvw2t5n6r7s8d9"
SITE = "site_01kaq4m8q3e8xvw2t5n6r7s8d9"
PHOTO = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

Degrees = Annotated[float, AllowInfNan(False)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


def _example(**body: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [body]})


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("this is not the name of an IANA time zone, such as Europe/Berlin")
    return name


def _within_reach(moment: datetime) -> datetime:
    if not 2000 <= moment.year < 2200:
        raise ValueError("a moment lies between the years 2000 and 2199")
    return moment


Moment = Annotated[AwareDatetime, After(_within_reach)]
Timezone = Annotated[str, StringConstraints(max_length=64), After(_known_zone), Field(description="IANA time zone")]


class PickupContact(Request):
    name: Text
    phone: Text
    email: Text | None = None


class PlanPickup(Request):
    """When the goods may be collected, whom to call, what the lorry must bring."""

    model_config = _example(
        window_from="2027-01-25T06:00:00Z",
        window_until="2027-01-29T17:00:00Z",
        timezone="Europe/Berlin",
        contacts=[{"name": "Gate 3", "phone": "+49 561 555 0100"}],
        equipment="Curtain sider with tail lift; ADR equipment for class 9.",
    )

    window_from: Moment
    window_until: Moment
    timezone: Timezone
    contacts: list[PickupContact] = Field(min_length=1, max_length=20)
    equipment: LongText | None = None

    @model_validator(mode="after")
    def _until_is_later(self) -> Self:
        if self.window_until <= self.window_from:
            raise ValueError("window_until lies after window_from")
        return self

    def plan(self) -> Plan:
        contacts = [contact.model_dump(exclude_none=True) for contact in self.contacts]
        return Plan(self.window_from, self.window_until, self.timezone, contacts, self.equipment)


class CarrierOffer(Request):
    carrier_id: OrgId
    price: Money = Field(description="What the carrier gets, net of VAT")


class TenderPickup(Request):
    """Whom to ask, in which order, at which price, and how long each may think."""

    model_config = _example(
        strategy="waterfall",
        offers=[{"carrier_id": ORGANIZATION, "price": {"amount": "620.00", "currency": "EUR"}}],
        respond_within_minutes=120,
    )

    strategy: Literal["waterfall", "broadcast"] = Field(description="One after the other, or all at once")
    offers: list[CarrierOffer] = Field(min_length=1, max_length=100)
    respond_within_minutes: int = Field(ge=1, le=14 * 24 * 60)

    def tender(self) -> Tender:
        asked = [Asked(offer.carrier_id, offer.price) for offer in self.offers]
        return Tender(self.strategy, asked, self.respond_within_minutes)


class BookSlot(Request):
    """A dock at the site where the goods lie, inside its opening hours."""

    model_config = _example(site_id=SITE, dock=2, starts_at="2027-01-25T07:00:00Z", ends_at="2027-01-25T09:00:00Z")

    site_id: SiteId
    dock: int = Field(ge=1, le=500)
    starts_at: Moment
    ends_at: Moment

    def wish(self) -> SlotWish:
        return SlotWish(self.site_id, self.dock, self.starts_at, self.ends_at)


class GivePickupReason(Request):
    model_config = _example(reason="The line stands still until Thursday.")

    reason: LongText


class PickupDriver(Request):
    name: Text
    member_id: MemberId | None = None


class DispatchPickup(Request):
    """The lorry's number plate and who drives it."""

    model_config = _example(vehicle="FD-HB 1234", driver={"name": "Jonas Weber"})

    vehicle: Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
    driver: PickupDriver

    def crew(self) -> Crew:
        return Crew(self.vehicle, self.driver.name, self.driver.member_id)


class Whereabouts(Request):
    latitude: Degrees = Field(ge=-90, le=90)
    longitude: Degrees = Field(ge=-180, le=180)


class ReportMovement(Request):
    """Where the lorry is, or a reason; `occurred_at` is when it happened, now if left out."""

    model_config = _example(place={"latitude": 51.3127, "longitude": 9.4797}, occurred_at="2027-01-25T06:12:00Z")

    place: Whereabouts | None = None
    reason: LongText | None = Field(default=None, description="Why no place can be given, or why it is late")
    occurred_at: Moment | None = None

    @model_validator(mode="after")
    def _has_place_or_reason(self) -> Self:
        if self.place is None and self.reason is None:
            raise ValueError("give a place or a reason")
        return self

    def report(self) -> Report:
        latitude = self.place.latitude if self.place else None
        longitude = self.place.longitude if self.place else None
        return Report(latitude, longitude, self.reason, self.occurred_at)


class SignedLine(Request):
    line_id: LineId
    quantity: int = Field(ge=0, le=10**9)
    mass: Mass
    reason: Text | None = Field(default=None, description="Needed where the quantity is not the announced one")

    def line(self) -> HandoverLine:
        return HandoverLine(line_id=self.line_id, quantity=self.quantity, mass_g=self.mass.grams, reason=self.reason)


class MeasuredHow(Request):
    """A scale has an instrument and a ticket. A weighbridge may give both weighings of the lorry, in and out: then
    the difference less packaging is the net weight, and the lines must sum to it."""

    method: Literal["floor_scale", "weighbridge", "counted", "declared"]
    instrument: Text | None = None
    ticket: Text | None = None
    weigh_in: Mass | None = Field(default=None, description="The lorry as it came")
    weigh_out: Mass | None = Field(default=None, description="The lorry as it left")
    packaging: Mass | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.method in ("floor_scale", "weighbridge") and None in (self.instrument, self.ticket):
            raise ValueError("a scale has an instrument and a ticket")
        if (self.weigh_in is None) != (self.weigh_out is None):
            raise ValueError("a lorry is weighed twice: weigh_in and weigh_out")
        return self

    def measurement(self) -> Measurement:
        weighings = sorted(mass.grams for mass in (self.weigh_in, self.weigh_out) if mass is not None)
        tare, gross = weighings or (None, None)
        return Measurement(
            method=self.method,
            instrument=self.instrument,
            ticket=self.ticket,
            gross_g=gross,
            tare_g=tare,
            packaging_g=self.packaging.grams if self.packaging else None,
        )


class SignedPhoto(Request):
    sha256: Sha256 = Field(description="SHA-256 of the file, which you keep")
    name: Text


class SignHandover(Request):
    """Whoever signs first sends lines and measurement. The other side reads `content_hash` from the handover and sends that."""

    model_config = _example(
        lines=[{"line_id": LINE, "quantity": 40, "mass": {"value": "11.780", "unit": "t"}}],
        measurement={"method": "floor_scale", "instrument": "FS-2", "ticket": "T-4711"},
        seals=["S-0815"],
        photos=[{"sha256": PHOTO, "name": "load.jpg"}],
        signed_by="Jonas Weber",
        occurred_at="2027-01-25T07:31:00Z",
    )

    lines: list[SignedLine] | None = Field(default=None, min_length=1, max_length=500)
    measurement: MeasuredHow | None = None
    seals: list[Text] = Field(default_factory=list, max_length=100)
    photos: list[SignedPhoto] = Field(default_factory=list, max_length=100)
    content_hash: Sha256 | None = Field(
        default=None, description="What the other side signed, as read from the handover"
    )
    signed_by: Text
    occurred_at: Moment | None = None

    @model_validator(mode="after")
    def _is_content_or_hash(self) -> Self:
        if (self.lines is None) != (self.measurement is None):
            raise ValueError("lines and measurement come together")
        if (self.lines is None) == (self.content_hash is None):
            raise ValueError("send lines and measurement, or the content_hash you confirm")
        return self

    def signing(self, reservations: str | None = None) -> Signing:
        return Signing(self.signed_by, self._content(reservations), self.content_hash, self.occurred_at)

    def _content(self, reservations: str | None) -> Content | None:
        if self.lines is None or self.measurement is None:
            return None
        return Content(
            lines=[line.line() for line in self.lines],
            measurement=self.measurement.measurement(),
            seals=list(self.seals),
            photos=[Photo(sha256=photo.sha256, name=photo.name) for photo in self.photos],
            reservations=reservations,
        )


class SignDelivery(SignHandover):
    """As at the pickup, with what the receiver measured and what it remarks on."""

    model_config = _example(
        lines=[{"line_id": LINE, "quantity": 40, "mass": {"value": "11.760", "unit": "t"}}],
        measurement={
            "method": "weighbridge",
            "instrument": "WB-1",
            "ticket": "W-2301",
            "weigh_in": {"value": "27.800", "unit": "t"},
            "weigh_out": {"value": "15.620", "unit": "t"},
            "packaging": {"value": "0.420", "unit": "t"},
        },
        signed_by="Gate 1",
        occurred_at="2027-01-25T12:05:00Z",
    )

    reservations: LongText | None = None

    def signed(self) -> Signing:
        return self.signing(self.reservations)


class DeclineOffer(Request):
    model_config = _example(reason="no_adr_vehicle")

    reason: Literal["no_capacity", "no_adr_vehicle", "price_too_low", "window_unsuitable", "equipment_missing", "other"]
    note: LongText | None = None
