"""What happened to material: append-only, and chained per site so that nothing is changed or slipped in unnoticed."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field

from services.certification.models.shared import LOSS_REASONS, MASS_METHODS, grams, in_its_mode, listed
from services.kernel.ids import BatchId, CustodyEventId, OrderId, OrgId, PickupId, SiteId
from services.kernel.tables import Instant, Row

TYPES = ("make", "move", "modify", "adjust")
DISPOSITIONS = ("loaded", "accepted", "refused", "product", "downstream", "residue")


class CustodyEvent(Row, table=True):
    """`site_id` is the site in whose chain it stands, at `position`; a move goes from one site to another.

    A move's `announced_g` is what was loaded, `accepted_g` what the receiving scale and inspection let in: that propagates.
    `received_g` differs from announced by the weighing difference, which is no loss. `adjusted_g` is signed. `source` names the
    fact of another context that this event records, so that it is recorded once. `chain.append` gives position and hashes."""

    __tablename__ = "custody_event"
    __table_args__ = (
        CheckConstraint(f"type IN ({listed(TYPES)})", name="type"),
        CheckConstraint("occurred_at <= created_at + interval '5 minutes'", name="not_in_the_future"),
        CheckConstraint(
            "(type = 'move') = (from_site_id IS NOT NULL AND to_site_id IS NOT NULL)", name="move_has_two_sites"
        ),
        CheckConstraint("accepted_g + refused_g = received_g", name="received_has_an_outcome"),
        CheckConstraint("num_nulls(received_g, accepted_g, refused_g) IN (0, 3)", name="received_whole"),
        CheckConstraint(
            "type = 'move' OR num_nonnulls(announced_g, received_g, packaging_g) = 0", name="figures_of_a_move"
        ),
        CheckConstraint(
            "announced_g >= 0 AND accepted_g >= 0 AND refused_g >= 0 AND packaging_g >= 0", name="not_negative"
        ),
        CheckConstraint(f"{grams('loss_g')} AND (type = 'make' OR loss_g = 0)", name="loss"),
        CheckConstraint("(loss_g > 0) = (loss_reason IS NOT NULL)", name="loss_has_a_reason"),
        CheckConstraint(f"loss_reason IN ({listed(LOSS_REASONS)})", name="loss_reason"),
        CheckConstraint("(type = 'adjust') = (adjusted_g IS NOT NULL)", name="adjusted"),
        CheckConstraint("type <> 'adjust' OR reason IS NOT NULL", name="adjusted_for_a_reason"),
        CheckConstraint("type <> 'make' OR operation IS NOT NULL", name="made_by_an_operation"),
        CheckConstraint("operation ~ '^(R([1-9]|1[0-3])|D([1-9]|1[0-5]))$'", name="operation"),
        CheckConstraint(f"mass_method IN ({listed(MASS_METHODS)})", name="mass_method"),
        CheckConstraint("octet_length(hash) = 32 AND octet_length(prev_hash) = 32", name="hashes"),
        CheckConstraint(
            "(position = 1) = (prev_hash = decode(repeat('00', 32), 'hex')) AND position >= 1", name="chain_begins_once"
        ),
        UniqueConstraint("id", "livemode"),
        UniqueConstraint("site_id", "position"),
        UniqueConstraint("site_id", "prev_hash"),
        UniqueConstraint("source"),
    )

    id: CustodyEventId = Field(default_factory=CustodyEventId.new, primary_key=True)
    type: str
    occurred_at: datetime = Field(sa_type=Instant)
    timezone: str
    site_id: SiteId = Field(foreign_key="site.id")
    from_site_id: SiteId | None = Field(default=None, foreign_key="site.id")
    to_site_id: SiteId | None = Field(default=None, foreign_key="site.id")
    reported_by: OrgId = Field(foreign_key="organization.id", index=True)
    sender_id: OrgId | None = Field(default=None, foreign_key="organization.id", index=True)
    receiver_id: OrgId | None = Field(default=None, foreign_key="organization.id", index=True)
    operation: str | None = None
    activity: str | None = None
    announced_g: int | None = Field(default=None, sa_type=BigInteger)
    received_g: int | None = Field(default=None, sa_type=BigInteger)
    accepted_g: int | None = Field(default=None, sa_type=BigInteger)
    refused_g: int | None = Field(default=None, sa_type=BigInteger)
    packaging_g: int | None = Field(default=None, sa_type=BigInteger)
    loss_g: int = Field(default=0, sa_type=BigInteger)
    loss_reason: str | None = None
    adjusted_g: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None = None
    mass_method: str
    source: str | None = None
    order_id: OrderId | None = Field(default=None, index=True)
    pickup_id: PickupId | None = Field(default=None, index=True)
    position: int = 0
    prev_hash: bytes = b""
    hash: bytes = b""


class CustodyLine(Row, table=True):
    """What an event takes (`in`) or bears (`out`). A batch is borne once, and no event takes what it bears: no cycles."""

    __tablename__ = "custody_line"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint(f"mass_g > 0 AND {grams('mass_g')}", name="mass"),
        CheckConstraint(f"disposition IN ({listed(DISPOSITIONS)})", name="disposition"),
        CheckConstraint("(direction = 'out') = (disposition IS NOT NULL)", name="disposition_of_what_is_borne"),
        UniqueConstraint("event_id", "batch_id"),
        Index("ix_custody_line_batch_id", "batch_id"),
        Index("uq_custody_line_birth", "batch_id", unique=True, postgresql_where=text("direction = 'out'")),
        in_its_mode("event_id", "custody_event"),
        in_its_mode("batch_id", "material_batch"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    event_id: CustodyEventId
    batch_id: BatchId
    direction: str
    mass_g: int = Field(sa_type=BigInteger)
    disposition: str | None = None
