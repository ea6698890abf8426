"""When a party says something happened, beside when it reached us."""

from datetime import datetime, timedelta

from services.kernel.errors import invalid

SKEW = timedelta(minutes=5)
"""How far a driver's clock may run ahead of ours."""


def refuse_the_future(occurred_at: datetime | None, now: datetime) -> datetime:
    """The claimed instant, or now where none was claimed; Invalid when it lies further ahead than a clock may be wrong."""
    if occurred_at is None:
        return now
    if occurred_at > now + SKEW:
        raise invalid("/occurred_at", "in_the_future", "This has not happened yet.")
    return occurred_at
