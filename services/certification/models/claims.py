"""Which grams are spoken for, so that none is certified twice."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field

from services.certification.models.shared import in_its_mode, listed
from services.kernel.ids import BatchId, CertificateId
from services.kernel.tables import Row

POOLS = ("fate", "content")
KINDS = ("end_of_life", "next_life", "content")
STATES = ("reserved", "certified", "released", "parked")

_KIND_OF = {
    "recycling": "end_of_life",
    "destruction": "end_of_life",
    "reuse": "next_life",
    "repair": "next_life",
    "remanufacture": "next_life",
    "recycled_content": "content",
}


def kind_of_claim(certificate_type: str) -> str:
    return _KIND_OF[certificate_type]


def pool_of(kind: str) -> str:
    """A gram has one fate: its life ends or it begins a next one, so both draw on one pool. Content is another matter."""
    return "content" if kind == "content" else "fate"


class BatchClaim(Row, table=True):
    """What of a batch is claimed. The foreign key pins `mass_g` to the batch's own."""

    __tablename__ = "batch_claim"
    __table_args__ = (
        CheckConstraint(f"pool IN ({listed(POOLS)})", name="pool"),
        CheckConstraint("reserved_g >= 0 AND certified_g >= 0", name="not_negative"),
        CheckConstraint("reserved_g + certified_g <= mass_g", name="no_gram_twice"),
        ForeignKeyConstraint(
            ["batch_id", "mass_g"],
            ["material_batch.id", "material_batch.mass_g"],
            name="fk_batch_claim_mass",
            onupdate="CASCADE",
        ),
        in_its_mode("batch_id", "material_batch"),
    )

    batch_id: BatchId = Field(primary_key=True)
    pool: str = Field(primary_key=True)
    mass_g: int = Field(sa_type=BigInteger)
    reserved_g: int = Field(default=0, sa_type=BigInteger)
    certified_g: int = Field(default=0, sa_type=BigInteger)


class ClaimAllocation(Row, table=True):
    """A certificate's part of a claim. `released` and `parked` ones count no more: the certificate was given back, or the batch was
    found lighter than what stood on it."""

    __tablename__ = "claim_allocation"
    __table_args__ = (
        CheckConstraint(f"kind IN ({listed(KINDS)})", name="kind"),
        CheckConstraint(f"state IN ({listed(STATES)})", name="state"),
        CheckConstraint("mass_g > 0", name="mass"),
        ForeignKeyConstraint(["batch_id", "pool"], ["batch_claim.batch_id", "batch_claim.pool"]),
        in_its_mode("certificate_id", "certificate"),
        in_its_mode("batch_id", "material_batch"),
    )

    certificate_id: CertificateId = Field(primary_key=True)
    batch_id: BatchId = Field(primary_key=True)
    pool: str
    kind: str
    mass_g: int = Field(sa_type=BigInteger)
    state: str = "reserved"
