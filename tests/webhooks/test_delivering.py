"""From an event to a partner's server and back, on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel import events
from services.kernel.actors import system
from services.kernel.ids import EventId
from services.kernel.jobs import Tools
from services.kernel.unit_of_work import UnitOfWork
from services.webhooks import fanout
from services.webhooks.delivering import PAUSES, build_sender, pause_after
from services.webhooks.events import SecretRotated
from tests.conftest import Settle
from tests.factories.parties import Party, organization
from tests.fakes.receiver import Receiver, receiving


@pytest.fixture
async def sender(tools: Tools) -> AsyncIterator[None]:
    async with build_sender(allow_loopback=True) as session:
        tools.resources["sender"] = session
        yield


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def party(tools: Tools, settle: Settle) -> Party:
    """With its registration already told, so that a test's endpoint hears of the test's matters only."""
    made = await organization(tools.sessions, roles=["recycler"])
    await settle()
    return made


async def _register(client: httpx.AsyncClient, party: Party, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = await client.post(
        "/v1/webhook-endpoints",
        json={"url": receiver.url, **more},
        headers={"Authorization": f"Bearer {party.key}"},
    )
    assert answer.status_code == 201, answer.text
    receiver.secret = answer.json()["secret"]
    return dict(answer.json())


async def _happen(tools: Tools, party: Party, endpoint_id: str) -> EventId:
    async with UnitOfWork(tools.sessions, system(livemode=False)) as work:
        told = SecretRotated(endpoint_id=endpoint_id)
        return work.emit(told, subject=endpoint_id, audience={party.org.id: "owner"}).id


async def _again_now(tools: Tools) -> None:
    async with tools.sessions() as session:
        await session.execute(text("UPDATE webhook_delivery SET next_attempt_at = clock_timestamp()"))
        await session.execute(text("UPDATE pgqueuer SET execute_after = clock_timestamp()"))
        await session.commit()


async def test_a_partner_hears_and_can_verify(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    endpoint = await _register(client, party, receiver)
    event_id = await _happen(tools, party, endpoint["id"])
    await settle()
    assert receiver.ids == [event_id]
    assert receiver.verified[0]["data"] == {"endpoint_id": endpoint["id"]}


async def test_a_failure_is_tried_again_under_the_same_id(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    receiver.answers = [500]
    endpoint = await _register(client, party, receiver)
    event_id = await _happen(tools, party, endpoint["id"])
    await settle()
    await _again_now(tools)
    await settle()
    assert receiver.ids == [event_id, event_id]
    listed = await client.get("/v1/deliveries", headers={"Authorization": f"Bearer {party.key}"})
    (delivery,) = listed.json()["data"]
    assert delivery["status"] == "delivered"
    assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 204]


async def test_gone_disables_the_endpoint_and_says_so(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    receiver.answers = [410]
    endpoint = await _register(client, party, receiver)
    await _happen(tools, party, endpoint["id"])
    await settle()
    headers = {"Authorization": f"Bearer {party.key}"}
    now = (await client.get(f"/v1/webhook-endpoints/{endpoint['id']}", headers=headers)).json()
    assert (now["is_enabled"], now["disabled_reason"]) == (False, "it answered 410 Gone")
    feed = (await client.get("/v1/events?types=webhook_endpoint.disabled", headers=headers)).json()
    assert [event["data"]["endpoint_id"] for event in feed["data"]] == [endpoint["id"]]


async def test_an_endpoint_enabled_again_gets_what_waited(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    receiver.answers = [500]
    endpoint = await _register(client, party, receiver)
    event_id = await _happen(tools, party, endpoint["id"])
    await settle()
    path = f"/v1/webhook-endpoints/{endpoint['id']}/update"
    await client.post(path, json={"is_enabled": False}, headers=party.headers)
    await _again_now(tools)
    await settle()
    assert len(receiver.ids) == 1
    await client.post(path, json={"is_enabled": True}, headers=party.headers)
    await settle()
    assert receiver.ids == [event_id, event_id]


async def test_a_redirect_is_not_followed(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    receiver.answers = [302]
    endpoint = await _register(client, party, receiver)
    await _happen(tools, party, endpoint["id"])
    await settle()
    assert len(receiver.bodies) == 1


async def test_two_fan_outs_make_one_delivery(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    endpoint = await _register(client, party, receiver)
    event_id = await _happen(tools, party, endpoint["id"])
    await settle()
    async with UnitOfWork(tools.sessions, system(livemode=False)) as work:
        await fanout.fan_out(work, await work.session.get_one(events.EventRow, event_id))
    await settle()
    assert receiver.ids == [event_id]


async def test_nobody_hears_of_others_matters(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    endpoint = await _register(client, party, receiver)
    other = await organization(tools.sessions, roles=["repairer"])
    event_id = await _happen(tools, other, endpoint["id"])
    await settle()
    assert receiver.bodies == []
    asked = await client.get(f"/v1/events/{event_id}", headers={"Authorization": f"Bearer {party.key}"})
    assert asked.status_code == 404


async def test_feed_and_webhook_tell_the_same(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    endpoint = await _register(client, party, receiver)
    await _happen(tools, party, endpoint["id"])
    await settle()
    headers = {"Authorization": f"Bearer {party.key}"}
    feed = (await client.get("/v1/events?types=webhook_endpoint.secret_rotated", headers=headers)).json()
    assert feed["data"] == receiver.verified


async def test_both_secrets_sign_while_they_overlap(
    client: httpx.AsyncClient, tools: Tools, party: Party, receiver: Receiver, settle: Settle, sender: None
) -> None:
    endpoint = await _register(client, party, receiver)
    headers = {"Authorization": f"Bearer {party.key}"}
    rotated = await client.post(f"/v1/webhook-endpoints/{endpoint['id']}/rotate_secret", headers=headers)
    await settle()
    old_secret, receiver.secret = receiver.secret, rotated.json()["secret"]
    await _happen(tools, party, endpoint["id"])
    await settle()
    assert old_secret != receiver.secret
    assert [len(headers["webhook-signature"].split()) for headers in receiver.headers] == [2, 2]
    assert len(receiver.verified) == 2


@pytest.mark.parametrize("attempts", range(1, len(PAUSES) + 1))
def test_pauses_grow_with_a_fifth_of_jitter(attempts: int) -> None:
    pause = pause_after(attempts, None)
    assert pause is not None
    assert 0.8 * PAUSES[attempts - 1] <= pause <= 1.2 * PAUSES[attempts - 1]


def test_after_the_last_pause_it_is_given_up() -> None:
    assert pause_after(len(PAUSES) + 1, None) is None
