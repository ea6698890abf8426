"""What several tables say alike."""

from collections.abc import Iterable

from sqlalchemy import ForeignKeyConstraint

from services.kernel.quantities import MOST_GRAMS

MASS_METHODS = ("weighbridge", "floor_scale", "counted", "declared", "estimated")
"""From the surest to the weakest; the last two were not weighed and support no certificate."""
UNWEIGHED = frozenset({"declared", "estimated"})
CUSTODY_MODELS = ("identity_preserved", "segregated", "controlled_blending", "mass_balance", "book_and_claim")
"""From the strictest to the weakest: a mix takes the weakest of its inputs."""
ORIGINS = ("pre_consumer", "post_consumer", "mixed", "unknown")
LOSS_REASONS = ("moisture", "dust", "evaporation", "process", "unexplained")


def listed(values: Iterable[str]) -> str:
    """For a CHECK: `'open', 'closed'`."""
    return ", ".join(f"'{value}'" for value in values)


def grams(column: str) -> str:
    return f"{column} BETWEEN 0 AND {MOST_GRAMS}"


def in_its_mode(column: str, table: str) -> ForeignKeyConstraint:
    """A reference that keeps sandbox and live apart."""
    return ForeignKeyConstraint([column, "livemode"], [f"{table}.id", f"{table}.livemode"])


def weakest(known: tuple[str, ...], given: Iterable[str]) -> str:
    """The last of `known` that occurs; the first where nothing is given."""
    return max(given, key=known.index, default=known[0])
