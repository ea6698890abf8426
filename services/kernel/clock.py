"""Market time: the database's clock plus an offset, which is zero in live mode and movable forward in the sandbox."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import CheckConstraint, ColumnElement, literal_column, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from services.kernel.tables import Instant


class MarketClock(SQLModel, table=True):
    """One row: how far the sandbox's market time is ahead of the database's clock."""

    __tablename__ = "test_clock"
    __table_args__ = (CheckConstraint("id = 1", name="single"), CheckConstraint("offset_seconds >= 0", name="forward"))

    id: int = Field(primary_key=True, default=1)
    offset_seconds: float = 0.0


NOW = (
    "clock_timestamp() + CASE WHEN :mode THEN interval '0' ELSE"
    " COALESCE((SELECT offset_seconds FROM test_clock), 0) * interval '1 second' END"
)
"""Market time as an SQL expression; `:mode` is whether it is that of live mode."""
_NOW = text(f"SELECT {NOW}")


def now_column(*, livemode: bool) -> ColumnElement[datetime]:
    """The same as a column of a larger query."""
    return literal_column(NOW.replace(":mode", "true" if livemode else "false"), Instant())


async def market_now(session: AsyncSession, *, livemode: bool) -> datetime:
    """The instant by which everything is judged, to the microsecond."""
    now: datetime = (await session.execute(_NOW, {"mode": livemode})).scalar_one()
    return now


async def advance(session: AsyncSession, by: timedelta) -> None:
    """Moves the sandbox's market time forward; two callers queue on the row."""
    await session.execute(
        text("UPDATE test_clock SET offset_seconds = offset_seconds + :seconds"), {"seconds": by.total_seconds()}
    )


def ticks() -> float:
    """Seconds that only ever rise: for how long something has waited in this process."""
    return time.perf_counter()


def age_of(arrived: float | None) -> timedelta:
    """How long ago a request arrived here; nothing for what no request asked for."""
    return timedelta() if arrived is None else timedelta(seconds=max(0.0, ticks() - arrived))


def wall_now() -> datetime:
    """This machine's clock: for signatures of outgoing HTTP and logs, never for a decision of the market."""
    return datetime.now(UTC)
