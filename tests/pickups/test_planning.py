"""From the need of a movement to a plan, to hauling oneself, to giving up."""

from datetime import date, timedelta

import httpx
import pytest

from services.kernel.database import Sessions
from tests.conftest import Advance
from tests.factories import pickups as make
from tests.factories.parties import organization, permit
from tests.pickups.conftest import Heard


async def test_a_requested_job_is_a_draft_everybody_in_it_hears_of(sessions: Sessions, heard: Heard) -> None:
    haul = await make.requested(sessions)

    (to_seller,) = await heard(haul.seller.org.id)
    (to_receiver,) = await heard(haul.receiver.org.id)

    assert haul.job.status == "draft"
    assert to_seller["type"] == "pickup.created"
    assert to_seller["id"] == to_receiver["id"]


async def test_the_owner_plans_and_the_window_keeps_its_zone(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    answer = await client.post(f"{haul.url}/plan", json=make.a_plan(), headers=haul.owner.headers)

    assert answer.status_code == 200
    assert answer.json()["status"] == "planned"
    assert answer.json()["window"]["timezone"] == "Europe/Berlin"
    assert answer.json()["window"]["starts_at"].endswith("Z")
    assert answer.headers["ETag"] == '"2"'


async def test_the_seller_sees_the_job_but_may_not_plan_it(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    answer = await client.post(f"{haul.url}/plan", json=make.a_plan(), headers=haul.seller.headers)

    assert answer.status_code == 403


async def test_a_plan_in_an_unknown_zone_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    answer = await client.post(
        f"{haul.url}/plan", json=make.a_plan(timezone="Europe/Kassel"), headers=haul.owner.headers
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/timezone"


async def test_a_plan_without_a_zone_in_its_times_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    answer = await client.post(
        f"{haul.url}/plan", json=make.a_plan(window_from="2027-01-25T06:00:00"), headers=haul.owner.headers
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "time_without_zone"


@pytest.mark.parametrize("beyond", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_a_plan_beyond_the_calendar_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, beyond: str
) -> None:
    haul = await make.requested(sessions)

    answer = await client.post(f"{haul.url}/plan", json=make.a_plan(window_until=beyond), headers=haul.owner.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/window_until"


async def test_a_window_that_is_over_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    haul = await make.requested(sessions)
    await advance(make.monday() + timedelta(days=5))

    answer = await client.post(f"{haul.url}/plan", json=make.a_plan(), headers=haul.owner.headers)

    assert answer.status_code == 409
    assert answer.json()["code"] == "window_is_past"


async def test_a_dry_run_of_a_plan_changes_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    tried = await client.post(f"{haul.url}/plan?dry_run=true", json=make.a_plan(), headers=haul.owner.headers)
    after = await client.get(haul.url, headers=haul.owner.headers)

    assert tried.json()["status"] == "planned"
    assert after.json()["status"] == "draft"
    assert after.json()["window"] is None


async def test_a_version_read_before_somebody_else_moved_is_refused(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.planned(client, sessions)

    answer = await client.post(
        f"{haul.url}/cancel", json={"reason": "no longer"}, headers={**haul.owner.headers, "If-Match": '"1"'}
    )

    assert answer.status_code == 412


async def test_an_owner_with_a_transport_permit_hauls_itself_for_nil(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.planned(client, sessions)
    await permit(sessions, haul.owner, kind="transport", number="T-1")

    answer = await client.post(f"{haul.url}/self_haul", headers=haul.owner.headers)

    assert answer.json()["status"] == "accepted"
    assert answer.json()["carrier_id"] == haul.owner.org.id
    assert answer.json()["price"] is None
    assert (await heard(haul.seller.org.id))[-1]["data"]["is_self_hauled"] is True


async def test_an_owner_without_a_transport_permit_is_told_why_not(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.planned(client, sessions)

    answer = await client.post(f"{haul.url}/self_haul", headers=haul.owner.headers)
    shown = await client.get(haul.url, headers=haul.owner.headers)

    assert answer.status_code == 409
    assert answer.json()["code"] == "permit_scope"
    assert [blocked["name"] for blocked in shown.json()["blocked_transitions"]] == ["self_haul"]


async def test_a_permit_that_ends_before_the_window_begins_does_not_count(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.planned(client, sessions)
    last_day = make.monday().date() - timedelta(days=1)
    await permit(
        sessions, haul.owner, kind="transport", number="T-1", valid_until=last_day, valid_from=date(2020, 1, 1)
    )

    answer = await client.post(f"{haul.url}/self_haul", headers=haul.owner.headers)

    assert answer.json()["code"] == "permit_expired"


async def test_cancelling_frees_the_dock_for_others(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)
    other = await make.accepted(
        client, sessions, seller=haul.seller, receiver=haul.receiver, hauler=await make.carrier(sessions, "Habicht")
    )
    await make.did(client, haul.owner, f"{haul.url}/cancel", {"reason": "The line goes on for a month."})

    answer = await client.post(f"{other.url}/book_slot", json=make.a_slot(other), headers=other.carrier.headers)

    assert answer.status_code == 200
    assert answer.json()["status"] == "scheduled"


async def test_cancelling_a_tender_withdraws_what_was_offered(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    carrier = await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [carrier])

    await make.did(client, haul.owner, f"{haul.url}/cancel", {"reason": "no longer"})

    assert [event["type"] for event in await heard(carrier.org.id)][-2:] == ["offer.made", "offer.withdrawn"]


async def test_a_loaded_job_cannot_be_cancelled(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    await make.signed_by_both(client, haul, "handover", haul.seller, make.a_signature(haul))

    answer = await client.post(f"{haul.url}/cancel", json={"reason": "late"}, headers=haul.owner.headers)

    assert answer.status_code == 409
    assert answer.json()["code"] == "transition_not_possible"


async def test_a_stranger_finds_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.planned(client, sessions)
    stranger = await organization(sessions, roles=["recycler"], name="Zweitlauf")

    got = await client.get(haul.url, headers=stranger.headers)
    tried = await client.post(f"{haul.url}/cancel", json={"reason": "x"}, headers=stranger.headers)
    listed = await client.get("/v1/pickups", headers=stranger.headers)

    assert got.status_code == 404
    assert tried.status_code == 404
    assert listed.json()["data"] == []


async def test_pickups_are_listed_by_order(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.requested(sessions)
    await make.requested(sessions, seller=haul.seller, receiver=haul.receiver, hauler=haul.carrier)

    answer = await client.get(f"/v1/pickups?order_id={haul.job.order_id}", headers=haul.owner.headers)

    assert [job["id"] for job in answer.json()["data"]] == [haul.job.id]


async def test_nobody_unknown_lists_pickups(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/pickups")).status_code == 401
