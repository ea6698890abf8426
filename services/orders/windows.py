"""Deadlines in business days: Monday to Friday in the zone of the place where somebody has to act. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


def end_of_business_day(start: datetime, days: int, timezone: str) -> datetime:
    """The instant at which the `days`-th business day after `start` is over at the place, in UTC. The day of `start`
    is not counted: five days from a Monday end with the Monday after."""
    zone = ZoneInfo(timezone)
    last = _business_days_after(start.astimezone(zone).date(), days)
    return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)


def _business_days_after(day: date, days: int) -> date:
    left = days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day
