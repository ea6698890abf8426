"""Nothing leaves before the money is held."""

from datetime import date

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Permit, PermitCheck
from services.pickups import dispatching, queries
from services.pickups.models import PickupJob
from tests.factories import pickups as make
from tests.factories.parties import permit
from tests.pickups.conftest import Heard


async def test_without_the_money_a_dry_run_says_money_not_held(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)

    answer = await client.post(f"{haul.url}/dispatch?dry_run=true", json=make.CREW, headers=haul.carrier.headers)
    shown = await client.get(haul.url, headers=haul.carrier.headers)

    assert answer.status_code == 409
    assert answer.json()["code"] == "money_not_held"
    assert [reason["code"] for reason in shown.json()["blocked_transitions"][0]["reasons"]] == ["money_not_held"]


async def test_with_the_money_held_the_lorry_may_leave(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)

    answer = await client.post(f"{haul.url}/dispatch", json=make.CREW, headers=haul.carrier.headers)

    assert answer.json()["status"] == "dispatched"
    assert answer.json()["vehicle"] == "FD-HB 1234"
    assert (await heard(haul.receiver.org.id))[-1]["data"]["driver_name"] == "Jonas Weber"


async def test_the_permit_check_of_the_dispatch_is_kept(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)

    await make.did(client, haul.carrier, f"{haul.url}/dispatch", make.CREW)

    async with sessions() as session:
        query = select(PermitCheck).where(col(PermitCheck.subject_id) == haul.job.id)
        (check,) = (await session.execute(query)).scalars()
    assert (check.step, check.kind, check.waste_code) == ("dispatch", "transport", make.MOTORS)


async def test_the_money_taken_back_stops_a_lorry_that_has_not_left(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        await dispatching.withdraw_clearance(work, order_id=haul.job.order_id)

    answer = await client.post(f"{haul.url}/dispatch", json=make.CREW, headers=haul.carrier.headers)

    assert answer.json()["code"] == "money_not_held"


async def test_the_money_taken_back_does_not_strand_a_lorry_on_the_road(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.at_pickup(client, sessions)

    async with UnitOfWork(sessions, system(livemode=False)) as work:
        (job,) = await dispatching.withdraw_clearance(work, order_id=haul.job.order_id)

    assert (job.status, job.clearance_id, job.is_cleared) == ("at_pickup", make.DEAL, False)


async def test_clearing_twice_moves_the_job_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    before = (await client.get(haul.url, headers=haul.owner.headers)).json()["version"]

    await make.cleared(sessions, haul)

    assert (await client.get(haul.url, headers=haul.owner.headers)).json()["version"] == before


async def test_a_later_job_of_the_order_is_cleared_from_the_start(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.requested(sessions)
    await make.cleared(sessions, haul)

    later = await make.requested(
        sessions, seller=haul.seller, receiver=haul.receiver, hauler=haul.carrier, order_id=haul.job.order_id
    )

    assert later.job.clearance_id == make.DEAL


async def test_without_a_slot_a_hired_lorry_is_not_sent(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.accepted(client, sessions)
    await make.cleared(sessions, haul)

    answer = await client.post(f"{haul.url}/dispatch", json=make.CREW, headers=haul.carrier.headers)

    assert answer.json()["code"] == "slot_not_booked"


async def test_whoever_hauls_itself_needs_no_slot(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.planned(client, sessions)
    await permit(sessions, haul.owner, kind="transport", number="T-1")
    await make.did(client, haul.owner, f"{haul.url}/self_haul")
    await make.cleared(sessions, haul)

    answer = await client.post(f"{haul.url}/dispatch", json=make.CREW, headers=haul.owner.headers)

    assert answer.json()["status"] == "dispatched"


async def test_lapsed_permits_of_carrier_and_receiver_are_both_told(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.scheduled(client, sessions)
    async with sessions() as session:
        await session.execute(update(Permit).values(valid_until=date(2021, 1, 1)))
        await session.commit()

    answer = await client.post(f"{haul.url}/dispatch", json=make.CREW, headers=haul.carrier.headers)

    assert answer.json()["code"] == "blocked"
    assert [error["code"] for error in answer.json()["errors"]] == [
        "money_not_held",
        "permit_expired",
        "permit_expired",
    ]


async def test_a_driver_is_a_member_of_the_carrier_if_it_is_one_at_all(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    foreign = {"vehicle": "FD-HB 1234", "driver": {"name": "Erika", "member_id": haul.owner.actor.member_id}}
    own = {"vehicle": "FD-HB 1234", "driver": {"name": "Erika", "member_id": haul.carrier.actor.member_id}}

    refused = await client.post(f"{haul.url}/dispatch", json=foreign, headers=haul.carrier.headers)
    sent = await client.post(f"{haul.url}/dispatch", json=own, headers=haul.carrier.headers)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/driver/member_id"
    assert sent.status_code == 200


async def test_the_owner_cannot_send_the_carriers_lorry(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)

    answer = await client.post(f"{haul.url}/dispatch", json=make.CREW, headers=haul.owner.headers)

    assert answer.status_code == 403


async def test_the_database_itself_refuses_a_dispatch_without_clearance(sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    async with sessions() as session:
        with pytest.raises(IntegrityError, match="ck_pickup_job_dispatched_when_cleared"):
            await session.execute(
                update(PickupJob).where(col(PickupJob.id) == haul.job.id).values(dispatched_at=make.monday())
            )


async def test_live_and_sandbox_never_meet(sessions: Sessions) -> None:
    haul = await make.requested(sessions)

    async with UnitOfWork(sessions, system(livemode=True)) as work:
        assert await queries.pickups_of(work, haul.job.order_id) == []
