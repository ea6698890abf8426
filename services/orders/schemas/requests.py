"""What is asked of awards, orders and receipts."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from services.bidding.models import HaulageBasis, NewBid
from services.kernel.errors import invalid
from services.kernel.http.schemas import LongText, Request, Text
from services.kernel.ids import LineId, OrgId, PickupId, SiteId
from services.kernel.money import Money
from services.kernel.quantities import Mass
from services.listings.models import Listing
from services.listings.models.drafts import Disposition, HazardCode, Packaging, PriceUnit, UnNumber, WasteCode
from services.orders.pricing import Measured
from services.orders.receiving import Arrived, Outcome, Verdict
from services.orders.reoffering import Offering
from services.orders.rerouting import Route

Pieces = Annotated[int, Field(ge=0, le=1_000_000_000)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$"), Field(examples=["9f86d081884c7d65" * 4])]
RefusalReason = Literal[
    "condition_below_declared",
    "wrong_goods",
    "damaged_in_transit",
    "contaminated",
    "hazard_not_declared",
    "documents_missing",
    "not_permitted",
    "other",
]
_SITE = "site_01kaq4m8q3e8xvw2t5n6r7s8d9"
_LINE = "lin_01kaq4m8q3e8xvw2t5n6r7s8d9"


class Confirmation(Request):
    """Proof that the buyer has read the terms it is bound by."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"terms_hash": "9f86d081884c7d65" * 4}]})

    terms_hash: Annotated[Sha256, Field(description="`terms_hash` of the order")]


class Acceptance(Request):
    """That the counter-offer on the table is accepted; the ETag of the bid says which one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"terms_hash": None}]})

    terms_hash: Annotated[
        Sha256 | None, Field(description="`terms_hash` of the order that a dry run has answered; null: as they follow")
    ] = None


class Purchase(Request):
    """How you will take an instant listing at its price; for the fields see a bid."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"site_id": _SITE, "haulage_basis": "FCA", "disposition": "recycle", "operation": "R4"}]
        }
    )

    site_id: Annotated[SiteId, Field(description="Your site to which the goods will go")]
    price: Annotated[Money | None, Field(description="If sent, it must be the listing's")] = None
    haulage_basis: HaulageBasis
    haulage_ceiling: Annotated[Money | None, Field(description="FCA: the most you will pay a carrier, net")] = None
    haulage_quote: Annotated[Money | None, Field(description="DAP: what delivering costs the seller, net")] = None
    disposition: Disposition
    operation: Annotated[str | None, Field(pattern="^[RD][0-9]{1,2}$", examples=["R4"])] = None
    co2e: Annotated[Mass | None, Field(description="CO2e of haulage and treatment, as you state it")] = None
    terms_hash: Annotated[
        Sha256 | None, Field(description="`terms_hash` of the order that a dry run has answered; null: as they follow")
    ] = None

    def bid(self, listing: Listing) -> NewBid:
        said = self.model_dump(exclude={"terms_hash", "price"})
        price = self.price if self.price is not None else listing.price or Money.zero(listing.currency)
        return NewBid.model_validate(said | {"listing_id": listing.id, "price": price})


class Cancellation(Request):
    """Why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The plant is down until March."}]})

    reason: Text


class MeasurementStated(Request):
    """How the masses were found. `gross` is the lorry with the goods, `tare` without."""

    method: Literal["floor_scale", "weighbridge", "counted", "declared"]
    instrument: Text | None = None
    ticket: Text | None = None
    gross: Mass | None = None
    tare: Mass | None = None
    packaging: Mass | None = None

    def stored(self) -> dict[str, Any]:
        masses = {f"{name}_g": mass.grams if mass else None for name, mass in self._masses().items()}
        return {"method": self.method, "instrument": self.instrument, "ticket": self.ticket, **masses}

    def _masses(self) -> dict[str, Mass | None]:
        return {"gross": self.gross, "tare": self.tare, "packaging": self.packaging}


class ArrivedLine(Request):
    """What is absent stays as it was signed at delivery."""

    line_id: LineId
    mass: Mass | None = None
    quantity: Pieces | None = None

    def arrived(self) -> Arrived:
        return Arrived(self.line_id, self.quantity, self.mass.grams if self.mass else None)


class NewReceipt(Request):
    """What arrived. With nothing in it: the oldest delivery without a receipt, exactly as it was signed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"lines": [{"line_id": _LINE, "mass": {"value": "11.760", "unit": "t"}, "quantity": 40}]}]
        }
    )

    pickup_id: PickupId | None = None
    lines: Annotated[list[ArrivedLine], Field(max_length=1_000)] = Field(default_factory=list)
    measurement: MeasurementStated | None = None


class RefusalEvidence(Request):
    """A document the receiver keeps; its hash proves which."""

    sha256: Sha256
    name: Text


class AcceptedPart(Request):
    mass: Mass = Field(default_factory=lambda: Mass(0))
    quantity: Pieces = 0

    def measured(self) -> Measured:
        return Measured(self.quantity, self.mass.grams)


class RefusedPart(AcceptedPart):
    """Reason and evidence are required for whatever is refused."""

    reason: RefusalReason | None = None
    note: LongText | None = None
    evidence: Annotated[list[RefusalEvidence], Field(max_length=50)] = Field(default_factory=list)


class InspectedLineStated(Request):
    """Accepted and refused sum to what was received, in mass and in pieces."""

    line_id: LineId
    accepted: AcceptedPart
    refused: RefusedPart | None = None

    def verdict(self) -> Verdict:
        refused = self.refused or RefusedPart()
        outcome = Outcome(
            accepted=self.accepted.measured(),
            refused=refused.measured(),
            reason=refused.reason,
            note=refused.note,
            evidence=tuple(one.model_dump() for one in refused.evidence),
        )
        return Verdict(self.line_id, outcome)


class Inspection(Request):
    """Every line of the receipt, once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lines": [
                        {
                            "line_id": _LINE,
                            "accepted": {"mass": {"value": "1.44", "unit": "t"}, "quantity": 48},
                            "refused": {
                                "mass": {"value": "0.36", "unit": "t"},
                                "quantity": 12,
                                "reason": "condition_below_declared",
                                "evidence": [{"sha256": "9f86d081884c7d65" * 4, "name": "isolation-test.pdf"}],
                            },
                        }
                    ]
                }
            ]
        }
    )

    lines: Annotated[list[InspectedLineStated], Field(min_length=1, max_length=1_000)]


class _Reoffered(Request):
    """The item is offered as it was, graded damaged; what is given here replaces what was said before."""

    title: Text | None = None
    price_unit: PriceUnit | None = None
    disposition_floor: Disposition | None = None
    closes_at: AwareDatetime | None = None
    waste_code: WasteCode | None = None
    is_hazardous: bool | None = None
    hp_codes: Annotated[list[HazardCode] | None, Field(max_length=15)] = None
    un_number: UnNumber | None = None
    packaging: Packaging | None = None
    reason_detail: LongText | None = None

    def item(self) -> dict[str, Any]:
        names = {"waste_code", "is_hazardous", "hp_codes", "un_number", "packaging", "reason_detail"}
        return self.model_dump(include=names & self.model_fields_set, exclude_none=True)


class Redirect(_Reoffered):
    """To one processor, by negotiation."""

    processor_id: OrgId

    def offering(self, route: str) -> Offering:
        floor = "dispose" if route == "dispose" else self.disposition_floor
        return Offering(
            pointer="/redirect",
            processor_id=self.processor_id,
            mode="negotiated",
            price_unit=self.price_unit,
            title=self.title,
            disposition_floor=floor,
            closes_at=self.closes_at,
            item=self.item(),
        )


class Relist(_Reoffered):
    """To everybody. `closes_at` is needed by sealed and timed listings."""

    mode: Literal["sealed", "timed", "negotiated"] = "sealed"

    def offering(self) -> Offering:
        return Offering(
            pointer="/relist",
            processor_id=None,
            mode=self.mode,
            price_unit=self.price_unit,
            title=self.title,
            disposition_floor=self.disposition_floor,
            closes_at=self.closes_at,
            item=self.item(),
        )


class RemainderRoute(Request):
    """`redirect` is needed by the routes redirect and dispose, `relist` by relist."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "line_id": _LINE,
                    "route": "redirect",
                    "redirect": {"processor_id": "org_01kaq4m8q3e8xvw2t5n6r7s8d9", "price_unit": "tonne"},
                }
            ]
        }
    )

    line_id: LineId
    route: Literal["return", "redirect", "relist", "dispose"]
    redirect: Redirect | None = None
    relist: Relist | None = None

    def wish(self) -> Route:
        return Route(self.line_id, self.route, self._offering())

    def _offering(self) -> Offering | None:
        if self.route in ("redirect", "dispose"):
            if self.redirect is None:
                raise invalid("/redirect", "redirect_required", f"The route {self.route} names the next processor.")
            return self.redirect.offering(self.route)
        if self.route == "relist":
            if self.relist is None:
                raise invalid("/relist", "relist_required", "The route relist says how it is offered.")
            return self.relist.offering()
        return None
