"""What every table shares: constraint names by convention, market-time columns, a version for If-Match."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata: MetaData = SQLModel.metadata


class Instant(DateTime):
    """`timestamptz`."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)


class Row(SQLModel):
    """The columns of everything that belongs to the market. `created_at` is market time, set by the verb from `work.now`."""

    livemode: bool
    created_at: datetime = Field(sa_type=Instant)


class Versioned(Row):
    """`version` rises with every move and is the ETag."""

    version: int = 1


CheckVersion = Callable[[int], None]
"""Raises where the version that a caller has read is not the one that stands."""


def any_version(version: int) -> None:
    """For callers inside the house, who have read nothing before."""


def json_field(**options: Any) -> Any:
    """A JSONB column."""
    return Field(sa_type=JSONB, **options)
