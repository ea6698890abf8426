"""Docks: one lorry at a time, inside the hours on the site's wall."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from services.kernel.database import Sessions
from services.parties import sites
from services.parties.models import Site
from services.pickups.models import Slot
from tests.conftest import Advance
from tests.factories import pickups as make
from tests.factories.parties import yard
from tests.pickups.conftest import Heard


async def test_the_carrier_books_a_dock_and_everybody_is_told(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.accepted(client, sessions)

    answer = await client.post(f"{haul.url}/book_slot", json=make.a_slot(haul, dock=2), headers=haul.carrier.headers)

    scheduled = (await heard(haul.seller.org.id))[-1]
    assert answer.json()["status"] == "scheduled"
    assert answer.json()["slot"]["dock"] == 2
    assert scheduled["type"] == "pickup.scheduled"
    assert scheduled["data"]["timezone"] == "Europe/Berlin"


async def test_the_seller_may_book_for_the_carrier(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.accepted(client, sessions)

    answer = await client.post(f"{haul.url}/book_slot", json=make.a_slot(haul), headers=haul.seller.headers)

    assert answer.json()["status"] == "scheduled"


async def test_a_dock_that_is_booked_is_not_booked_again(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)
    other = await make.accepted(
        client, sessions, seller=haul.seller, receiver=haul.receiver, hauler=await make.carrier(sessions, "Habicht")
    )

    overlapping = await client.post(
        f"{other.url}/book_slot", json=make.a_slot(other, hour=9), headers=other.carrier.headers
    )
    following = await client.post(
        f"{other.url}/book_slot", json=make.a_slot(other, hour=10), headers=other.carrier.headers
    )

    assert overlapping.status_code == 409
    assert overlapping.json()["code"] == "slot_taken"
    assert following.status_code == 200


async def test_the_database_itself_refuses_a_second_lorry_at_the_dock(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.scheduled(client, sessions)
    other = await make.requested(sessions, seller=haul.seller, receiver=haul.receiver, hauler=haul.carrier)
    starts_at = make.monday() + timedelta(hours=9)
    slot = Slot(
        site_id=haul.job.from_site_id,
        dock=2,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        pickup_id=other.job.id,
        livemode=False,
        created_at=starts_at,
    )

    async with sessions() as session:
        session.add(slot)
        with pytest.raises(IntegrityError, match="ex_dock_slot_window"):
            await session.flush()


async def test_every_reason_against_a_slot_is_given(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    haul = await make.accepted(client, sessions)
    await advance(make.monday() + timedelta(hours=12))

    answer = await client.post(f"{haul.url}/book_slot", json=make.a_slot(haul, hour=2), headers=haul.carrier.headers)

    assert answer.status_code == 409
    assert [error["code"] for error in answer.json()["errors"]] == ["slot_in_the_past", "site_closed"]


async def test_what_cannot_be_a_slot_is_pointed_at(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.accepted(client, sessions)
    body = make.a_slot(haul, dock=3, hours=0) | {"site_id": haul.receiver.site.id}

    answer = await client.post(f"{haul.url}/book_slot", json=body, headers=haul.carrier.headers)

    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/site_id", "not_the_pickup_site"),
        ("/dock", "dock_unknown"),
        ("/ends_at", "ends_before_start"),
    ]


async def test_a_slot_given_back_frees_the_dock_and_tells_why(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.scheduled(client, sessions)

    answer = await client.post(
        f"{haul.url}/cancel_slot", json={"reason": "The lorry broke down."}, headers=haul.carrier.headers
    )
    again = await client.post(f"{haul.url}/book_slot", json=make.a_slot(haul), headers=haul.carrier.headers)

    told = await heard(haul.seller.org.id)
    assert (answer.json()["status"], answer.json()["slot"]) == ("accepted", None)
    assert again.json()["status"] == "scheduled"
    assert [event["type"] for event in told][-2:] == ["pickup.unscheduled", "pickup.scheduled"]


async def test_a_slot_that_has_begun_is_not_given_back(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    haul = await make.scheduled(client, sessions)
    await advance(make.monday() + timedelta(hours=8))

    answer = await client.post(f"{haul.url}/cancel_slot", json={"reason": "late"}, headers=haul.carrier.headers)

    assert answer.json()["code"] == "slot_has_begun"


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_open"),
    [
        (datetime(2027, 3, 26, 5, tzinfo=UTC), datetime(2027, 3, 26, 17, tzinfo=UTC), True),
        (datetime(2027, 3, 26, 4, tzinfo=UTC), datetime(2027, 3, 26, 5, tzinfo=UTC), False),
        (datetime(2027, 3, 29, 4, tzinfo=UTC), datetime(2027, 3, 29, 16, tzinfo=UTC), True),
        (datetime(2027, 3, 29, 16, tzinfo=UTC), datetime(2027, 3, 29, 16, 0, 1, tzinfo=UTC), False),
        (datetime(2027, 3, 26, 10, tzinfo=UTC), datetime(2027, 3, 27, 10, tzinfo=UTC), False),
    ],
    ids=["winter", "before-winter-opening", "summer", "after-summer-closing", "overnight"],
)
def test_opening_hours_are_those_on_the_wall_in_winter_and_in_summer(
    starts_at: datetime, ends_at: datetime, is_open: bool
) -> None:
    site = Site(**yard(opens="06:00", closes="18:00").model_dump())

    assert sites.is_open(site, starts_at, ends_at) is is_open
