"""An amount of one material in one place, in one custody. Masses are integer grams."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.certification.models.shared import CUSTODY_MODELS, MASS_METHODS, ORIGINS, grams, in_its_mode, listed
from services.kernel.ids import BatchId, CustodyEventId, LineId, OrderId, OrgId, SiteId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Row, Versioned, json_field

STATUSES = ("awaiting_processing", "processed", "awaiting_grouping", "downstream", "traceability_broken")


class MaterialBatch(Versioned, table=True):
    """`mass_g` is what was weighed at its birth, or since by an adjustment; `remaining_g` what no event has taken yet. `born_in`
    never changes. `site_id` is empty on the road. `order_id` and `line_id` name the order under which it travelled.

    `is_settled`: the fate of these grams is known, for a final operation made a product of them or somebody claimed their next
    life: what becomes of them later is not certified as an end or a beginning again.
    `composition` is [{material, ppm}], empty where nobody told it."""

    __tablename__ = "material_batch"
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint(f"{grams('mass_g')} AND remaining_g BETWEEN 0 AND mass_g", name="mass"),
        CheckConstraint(f"mass_method IN ({listed(MASS_METHODS)})", name="mass_method"),
        CheckConstraint(f"custody_model IN ({listed(CUSTODY_MODELS)})", name="custody_model"),
        CheckConstraint(f"origin IN ({listed(ORIGINS)})", name="origin"),
        UniqueConstraint("id", "livemode"),
        UniqueConstraint("id", "mass_g"),
        Index("ix_material_batch_born_in", "born_in"),
        in_its_mode("born_in", "custody_event"),
    )

    id: BatchId = Field(default_factory=BatchId.new, primary_key=True)
    owner_id: OrgId = Field(foreign_key="organization.id", index=True)
    custodian_id: OrgId = Field(foreign_key="organization.id", index=True)
    site_id: SiteId | None = Field(default=None, foreign_key="site.id", index=True)
    status: str
    born_in: CustodyEventId
    title: str
    material: str
    composition: list[dict[str, Any]] = json_field(default_factory=list)
    mass_g: int = Field(sa_type=BigInteger)
    remaining_g: int = Field(sa_type=BigInteger)
    mass_method: str
    custody_model: str = "segregated"
    origin: str = "unknown"
    is_settled: bool = False
    hp_codes: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    un_number: str | None = None
    order_id: OrderId | None = Field(default=None, index=True)
    line_id: LineId | None = None


BATCH = Machine(
    "material batch",
    Transition(
        "process",
        ("awaiting_processing", "awaiting_grouping", "downstream", "processed"),
        "processed",
        ("time",),
        is_fact=True,
        endpoint=False,
    ),
    Transition(
        "pass_on",
        ("awaiting_processing", "awaiting_grouping", "downstream", "processed"),
        "downstream",
        ("time",),
        is_fact=True,
        endpoint=False,
    ),
)


class BatchCode(Row, table=True):
    """A waste code as it held for the place on the day it was written; both may have changed since. `list_version` and
    `is_hazardous` are empty where our lists could not confirm the code: a receipt is a fact and is recorded all the same."""

    __tablename__ = "batch_code"
    __table_args__ = (
        UniqueConstraint("batch_id", "scheme", "jurisdiction"),
        in_its_mode("batch_id", "material_batch"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    batch_id: BatchId
    scheme: str
    jurisdiction: str
    code: str
    valid_on: date
    list_version: str | None = None
    is_hazardous: bool | None = None
