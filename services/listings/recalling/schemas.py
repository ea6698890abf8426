"""Requests and answers of recalls."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import LongText, Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import CampaignId, CertificateId, ItemId, OrgId, StopId
from services.kernel.pagination import Page
from services.kernel.states import choices
from services.listings.models import RECALL, RecallCampaign, Stop
from services.listings.models.drafts import Disposition
from services.listings.recalling.predicates import Predicate

Proof = Literal["reuse", "repair", "remanufacture", "recycling", "destruction"]


class NewRecall(Request):
    """Which goods are wanted back, what may become of them, and which certificates prove that it has."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Cell packs that may overheat",
                    "predicate": {
                        "mpns": ["NW-480"],
                        "serial_ranges": [{"first": "NW480-00100", "last": "NW480-00250"}],
                    },
                    "dispositions": ["recycle", "dispose"],
                    "proofs": ["recycling", "destruction"],
                    "units_sold": 151,
                }
            ]
        },
    )

    title: Text
    description: LongText | None = None
    predicate: Predicate
    dispositions: Annotated[list[Disposition], Field(min_length=1, max_length=7)]
    proofs: Annotated[list[Proof], Field(min_length=1, max_length=5)]
    units_sold: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        default=None, description="How many of them were put on the market"
    )


class RecallEnd(Request):
    """Why; it is told with the event."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "All units that were sold are accounted for"}]}
    )

    reason: Text


class Effectiveness(Response):
    """In pieces and per cent, as decimal strings; null where there is nothing to divide by."""

    units_sold: int | None
    matched: int = Field(description="Pieces that were found and stopped")
    remedied: int = Field(description="Of these, proven by a certificate to have gone as the campaign asks")
    open: int
    found_percent: str | None = Field(description="Matched of those sold")
    remedied_percent: str | None = Field(description="Remedied of those matched")

    @classmethod
    def of(cls, units_sold: int | None, matched: int, remedied: int) -> Self:
        return cls(
            units_sold=units_sold,
            matched=matched,
            remedied=remedied,
            open=matched - remedied,
            found_percent=_percent(matched, units_sold),
            remedied_percent=_percent(remedied, matched),
        )


def _percent(part: int, whole: int | None) -> str | None:
    if not whole:
        return None
    return str((Decimal(100 * part) / whole).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


class RecallAnswer(Transitions):
    """A recall campaign. `effectiveness` is told to its manufacturer alone."""

    id: CampaignId
    livemode: bool
    created_at: UtcDatetime
    version: int
    manufacturer_id: OrgId
    title: str
    description: str | None
    predicate: Predicate
    dispositions: list[str]
    proofs: list[str]
    status: str = Field(description="open, closed or lifted")
    ended_at: UtcDatetime | None
    end_reason: str | None
    effectiveness: Effectiveness | None

    @classmethod
    def told_to(cls, part: str, row: RecallCampaign, effectiveness: Effectiveness | None) -> Self:
        skipped = {"predicate", "effectiveness", *Transitions.model_fields}
        plain = {name: getattr(row, name) for name in cls.model_fields if name not in skipped}
        return cls(
            **plain,
            predicate=Predicate.model_validate(row.predicate),
            effectiveness=effectiveness,
            **told(choices(RECALL, row, by=[part])),
        )


class RecallPage(Page[RecallAnswer]):
    """Recall campaigns, newest first."""


class StopAnswer(Response):
    """A stop on a unit, or on all of an item. `item_id` is where the goods stood when they were stopped."""

    id: StopId
    created_at: UtcDatetime
    reason: str
    campaign_id: CampaignId
    seller_id: OrgId
    item_id: ItemId
    external_id: str | None
    quantity: int
    matched_on: list[str] = Field(description="The fields of the predicate that were met")
    remedied_quantity: int
    certificate_id: CertificateId | None
    lifted_at: UtcDatetime | None
    lift_reason: str | None = Field(description="lifted, remedied, or moved or joined into another item")

    @classmethod
    def of(cls, row: Stop) -> Self:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class StopPage(Page[StopAnswer]):
    """Stops, newest first."""
