"""When a place is open, and what of it may change."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from services.kernel.database import Sessions
from services.parties import sites
from services.parties.models import WEEKDAYS, Site
from tests.factories import parties
from tests.factories import pickups as make
from tests.factories.parties import yard

MONDAY = date(2027, 3, 22)
HOURS = [
    {"day": "monday", "opens": "06:00", "closes": "12:00"},
    {"day": "monday", "opens": "13:00", "closes": "18:00"},
    {"day": "saturday", "opens": "08:00", "closes": "10:00"},
]


def at(hour: int, day: int = 0) -> datetime:
    """Hours of Kassel in winter, on the Monday and days after."""
    return datetime(2027, 3, 22, hour - 1, tzinfo=UTC) + timedelta(days=day)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_open"),
    [
        (at(6), at(12), True),
        (at(13), at(18), True),
        (at(11), at(14), False),
        (at(8, day=1), at(9, day=1), False),
        (at(8, day=5), at(10, day=5), True),
        (at(9, day=5), at(11, day=5), False),
    ],
    ids=["morning", "afternoon", "over-lunch", "a-day-without-hours", "saturday", "saturday-noon"],
)
def test_a_site_with_hours_is_open_only_when_they_say_so(starts_at: datetime, ends_at: datetime, is_open: bool) -> None:
    site = Site(**yard().model_dump(), hours=HOURS)

    assert sites.is_open(site, starts_at, ends_at) is is_open


@pytest.mark.parametrize(("day", "is_black"), [(-1, False), (0, True), (2, True), (3, False)])
def test_a_blackout_covers_its_first_and_its_last_day(day: int, is_black: bool) -> None:
    blackout = {"starts_on": "2027-03-22", "ends_on": "2027-03-24", "reason": "Stocktaking"}
    site = Site(**yard().model_dump(), blackouts=[blackout])

    reasons = sites.against_visit(site, at(8, day=day), at(10, day=day))

    assert [reason.code for reason in reasons] == ["site_blackout"] * is_black


def test_a_blackout_is_one_of_the_sites_calendar() -> None:
    """At 23:30 in London it is tomorrow in Kassel."""
    blackout = {"starts_on": "2027-03-23", "ends_on": "2027-03-23", "reason": "Holiday"}
    site = Site(**yard(opens="00:00", closes="23:59").model_dump(), blackouts=[blackout])
    night = datetime(2027, 3, 22, 23, 30, tzinfo=UTC)

    reasons = sites.against_visit(site, night, night + timedelta(minutes=10))

    assert [reason.code for reason in reasons] == ["site_blackout"]


async def test_no_slot_is_booked_on_a_day_nobody_is_there(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.accepted(client, sessions)
    day = make.monday().date().isoformat()
    blackout = {"starts_on": day, "ends_on": day, "reason": "Stocktaking"}
    url = f"/v1/sites/{haul.seller.site.id}"

    changed = await client.patch(url, json={"blackouts": [blackout]}, headers=haul.seller.headers)
    booked = await client.post(f"{haul.url}/book_slot", json=make.a_slot(haul), headers=haul.carrier.headers)

    assert changed.json()["blackouts"] == [blackout]
    assert (booked.status_code, booked.json()["code"]) == (409, "site_blackout")


async def test_a_slot_that_is_booked_stays_booked(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)
    closed = [{"day": "tuesday", "opens": "08:00", "closes": "09:00"}]

    await client.patch(f"/v1/sites/{haul.seller.site.id}", json={"hours": closed}, headers=haul.seller.headers)
    read = await client.get(haul.url, headers=haul.carrier.headers)

    assert read.json()["status"] == "scheduled"


async def test_what_is_not_sent_stays(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    url = f"/v1/sites/{party.site.id}"
    before = (await client.get(url, headers=party.headers)).json()

    after = (await client.patch(url, json={"docks": 7}, headers=party.headers)).json()

    assert after == before | {"docks": 7, "version": 2}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"closes": "05:00"}, "/closes"),
        ({"hours": [{"day": "monday", "opens": "10:00", "closes": "09:00"}]}, "/hours/0/closes"),
        ({"hours": [*HOURS, {"day": "monday", "opens": "11:00", "closes": "14:00"}]}, "/hours"),
        ({"hours": [{"day": "someday", "opens": "10:00", "closes": "11:00"}]}, "/hours/0/day"),
        ({"blackouts": [{"starts_on": "2027-01-02", "ends_on": "2027-01-01", "reason": "x"}]}, "/blackouts/0"),
        ({"docks": None}, ""),
        ({"country": "AT"}, "/country"),
        ({"timezone": "UTC"}, "/timezone"),
        ({"longitude": 181}, "/longitude"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, given: dict[str, object], pointer: str
) -> None:
    party = await parties.organization(sessions)

    answer = await client.patch(f"/v1/sites/{party.site.id}", json=given, headers=party.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_foreign_site_is_not_changed(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")

    answer = await client.patch(f"/v1/sites/{other.site.id}", json={"docks": 1}, headers=party.headers)

    assert answer.status_code == 404


async def test_a_stale_change_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    url, first = f"/v1/sites/{party.site.id}", party.headers | {"If-Match": '"1"'}

    answers = [await client.patch(url, json={"docks": docks}, headers=first) for docks in (3, 4)]

    assert [answer.status_code for answer in answers] == [200, 412]


def test_weekdays_stand_in_the_order_of_the_calendar() -> None:
    assert WEEKDAYS[MONDAY.weekday()] == "monday"
