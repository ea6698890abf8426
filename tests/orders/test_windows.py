"""Business days end where somebody has to act."""

from datetime import UTC, datetime

import pytest

from services.orders.windows import end_of_business_day

BERLIN = "Europe/Berlin"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_a_dispute_window_of_five_days_from_a_monday_ends_with_the_monday_after() -> None:
    delivered = utc(2027, 1, 25, 12, 5)  # Monday
    assert end_of_business_day(delivered, 5, BERLIN) == utc(2027, 2, 1, 23)


@pytest.mark.parametrize("day", [22, 23, 24])
def test_a_weekend_counts_nothing(day: int) -> None:
    from_friday_saturday_sunday = utc(2027, 1, day, 12)
    assert end_of_business_day(from_friday_saturday_sunday, 1, BERLIN) == utc(2027, 1, 25, 23)


def test_the_day_is_that_of_the_place() -> None:
    late_on_sunday_in_utc = utc(2027, 1, 24, 23, 30)
    assert end_of_business_day(late_on_sunday_in_utc, 1, BERLIN) == utc(2027, 1, 26, 23)


def test_the_day_the_clocks_change_ends_at_midnight_of_the_place() -> None:
    friday_before = utc(2027, 3, 26, 9)
    assert end_of_business_day(friday_before, 1, BERLIN) == utc(2027, 3, 29, 22)
