"""Batches and custody events."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field

from services.certification.custody import MadeOutput, Report, Taken
from services.certification.models import BatchClaim, BatchCode, CustodyEvent, CustodyLine, MaterialBatch
from services.certification.schemas.shared import BATCH, TICKET, Evidence, MassMethod, example, grams
from services.kernel.http.schemas import LongText, Request, Response, Text, UtcDatetime
from services.kernel.ids import BatchId, CustodyEventId, LineId, OrderId, OrgId, PickupId, SiteId
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.reference import waste_codes


class ShareAnswer(Response):
    material: str
    ppm: int


class BatchCodeAnswer(Response):
    """As the code held for the place on that day."""

    scheme: str = Field(description="LoW: the European List of Waste")
    jurisdiction: str
    code: str = Field(description='As printed: "16 06 07*"')
    valid_on: str
    is_hazardous: bool | None = Field(description="null: our lists could not confirm the code")

    @classmethod
    def of(cls, row: BatchCode) -> Self:
        return cls(
            scheme=row.scheme,
            jurisdiction=row.jurisdiction,
            code=waste_codes.render(row.code, is_hazardous=bool(row.is_hazardous)),
            valid_on=row.valid_on.isoformat(),
            is_hazardous=row.is_hazardous,
        )


class ClaimAnswer(Response):
    """How much of the batch is spoken for."""

    pool: str = Field(description="fate: an end of life or a next one; content: what is in a product")
    reserved: Mass
    certified: Mass


class BatchAnswer(Response):
    """An amount of one material in one place, in one custody."""

    id: BatchId
    livemode: bool
    owner_id: OrgId
    custodian_id: OrgId
    site_id: SiteId | None = Field(description="null while it is on the road")
    status: str = Field(
        description="awaiting_processing, processed, awaiting_grouping, downstream, traceability_broken"
    )
    born_in: CustodyEventId
    title: str
    material: str
    composition: list[ShareAnswer]
    mass: Mass
    remaining: Mass = Field(description="What no event has taken yet")
    mass_method: str
    custody_model: str
    origin: str
    hp_codes: list[str]
    un_number: str | None
    waste_codes: list[BatchCodeAnswer]
    claims: list[ClaimAnswer]
    order_id: OrderId | None
    line_id: LineId | None
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: MaterialBatch, codes: Sequence[BatchCode], claims: Sequence[BatchClaim]) -> Self:
        plain = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        told = {
            "composition": [ShareAnswer(**share) for share in row.composition],
            "mass": Mass(row.mass_g),
            "remaining": Mass(row.remaining_g),
            "waste_codes": [BatchCodeAnswer.of(code) for code in codes],
            "claims": [
                ClaimAnswer(pool=claim.pool, reserved=Mass(claim.reserved_g), certified=Mass(claim.certified_g))
                for claim in claims
            ],
        }
        return cls(**{**plain, **told})


class BatchPage(Page[BatchAnswer]):
    """Material batches, newest first."""


class TakenBatch(Request):
    """A batch the event happens to."""

    batch_id: BatchId
    mass: Mass | None = Field(
        default=None,
        description="make: what goes in, all that is left if not given; modify: what was touched; adjust: what is left, as"
        " weighed now",
    )

    def taken(self) -> Taken:
        return Taken(self.batch_id, None if self.mass is None else self.mass.grams)


class NewOutput(Request):
    """A batch that a make bears."""

    material: Text = Field(description="A material's code, such as steel", examples=["steel"])
    mass: Mass
    disposition: Literal["product", "downstream", "residue"] = Field(
        description="product: ready for use; downstream: for another plant; residue: its final operation is still to come"
    )
    title: Text | None = None
    waste_code: Annotated[str, Field(max_length=12)] | None = Field(
        default=None, description="Where it is still waste", examples=["19 12 02"]
    )


class Loss(Request):
    """What neither came out nor is left."""

    mass: Mass
    reason: Literal["moisture", "dust", "evaporation", "process", "unexplained"]


class NewCustodyEvent(Request):
    """What happened to batches at your site."""

    model_config = example(
        {
            "type": "make",
            "operation": "R4",
            "occurred_at": "2027-02-12T14:00:00Z",
            "inputs": [{"batch_id": BATCH, "mass": {"value": "17.34", "unit": "t"}}],
            "outputs": [
                {"material": "steel", "mass": {"value": "15.9", "unit": "t"}, "disposition": "product"},
                {"material": "residue", "mass": {"value": "1.29", "unit": "t"}, "disposition": "residue"},
            ],
            "loss": {"mass": {"value": "0.15", "unit": "t"}, "reason": "dust"},
            "evidence": [TICKET],
        }
    )

    type: Literal["make", "modify", "adjust"] = Field(
        description="make: inputs become other batches; modify: tested, repaired, data erased; adjust: weighed again"
    )
    inputs: Annotated[list[TakenBatch], Field(min_length=1, max_length=200)]
    occurred_at: AwareDatetime | None = Field(default=None, description="Now, if not given")
    operation: Annotated[str, Field(max_length=4)] | None = Field(default=None, description="R1–R13 or D1–D15")
    outputs: Annotated[list[NewOutput], Field(max_length=200)] = Field(default_factory=list)
    loss: Loss | None = None
    mass_method: MassMethod = Field(default="weighbridge", description="declared and estimated support no certificate")
    activity: Text | None = Field(default=None, description="What a modify was", examples=["data_erasure"])
    reason: LongText | None = Field(default=None, description="Why something was weighed again")
    evidence: Annotated[list[Evidence], Field(max_length=50)] = Field(default_factory=list)

    def report(self) -> Report:
        return Report(
            type=self.type,
            inputs=tuple(taken.taken() for taken in self.inputs),
            occurred_at=self.occurred_at,
            operation=self.operation,
            outputs=tuple(
                MadeOutput(o.material, o.mass.grams, o.disposition, o.title, o.waste_code) for o in self.outputs
            ),
            loss_g=self.loss.mass.grams if self.loss else 0,
            loss_reason=self.loss.reason if self.loss and self.loss.mass.grams else None,
            mass_method=self.mass_method,
            activity=self.activity,
            reason=self.reason,
            evidence=tuple(file.offered() for file in self.evidence),
        )


class LineAnswer(Response):
    batch_id: BatchId
    direction: str = Field(description="in: the event took it; out: the event bore it")
    material: str
    mass: Mass
    disposition: str | None = Field(description="loaded, accepted, refused, product, downstream, residue")


class CustodyEventAnswer(Response):
    """One entry of a site's chain. `hash` covers everything it says and `prev_hash`, the event before it."""

    id: CustodyEventId
    livemode: bool
    type: str = Field(description="make, move, modify, adjust")
    occurred_at: UtcDatetime
    recorded_at: UtcDatetime
    timezone: str
    site_id: SiteId
    from_site_id: SiteId | None
    to_site_id: SiteId | None
    reported_by: OrgId
    sender_id: OrgId | None
    receiver_id: OrgId | None
    operation: str | None
    activity: str | None
    announced: Mass | None
    received: Mass | None
    accepted: Mass | None
    refused: Mass | None
    packaging: Mass | None
    loss: Mass
    loss_reason: str | None
    adjusted_g: int | None = Field(description="Signed grams")
    reason: str | None
    mass_method: str
    order_id: OrderId | None
    pickup_id: PickupId | None
    position: int
    prev_hash: str
    hash: str
    lines: list[LineAnswer]

    @classmethod
    def of(cls, row: CustodyEvent, lines: Sequence[CustodyLine], batches: Mapping[str, MaterialBatch]) -> Self:
        plain = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        masses = {
            name: grams(getattr(row, f"{name}_g"))
            for name in ("announced", "received", "accepted", "refused", "packaging", "loss")
        }
        told: dict[str, Any] = {
            "recorded_at": row.created_at,
            "prev_hash": row.prev_hash.hex(),
            "hash": row.hash.hex(),
            "lines": [_line(line, batches) for line in lines],
        }
        return cls(**{**plain, **masses, **told})


def _line(line: CustodyLine, batches: Mapping[str, MaterialBatch]) -> LineAnswer:
    return LineAnswer(
        batch_id=line.batch_id,
        direction=line.direction,
        material=batches[line.batch_id].material,
        mass=Mass(line.mass_g),
        disposition=line.disposition,
    )


class CustodyEventPage(Page[CustodyEventAnswer]):
    """Custody events, newest first."""
