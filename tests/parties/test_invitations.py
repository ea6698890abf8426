"""Invitations: a token shown once, and who comes by it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from tests.conftest import Advance, Race
from tests.factories import parties
from tests.factories.parties import Party

INVITATIONS = "/v1/invitations"
ACCEPT = f"{INVITATIONS}/accept"
PASSWORD = "seven green lorries at noon"


def person(**given: object) -> dict[str, object]:
    return {"email": "ali@example.com", "name": "Ali", "role": "manager"} | given


async def invited(client: httpx.AsyncClient, party: Party, **given: object) -> dict[str, Any]:
    answer = await client.post(INVITATIONS, json=person(**given), headers=party.headers)
    made: dict[str, Any] = answer.json()
    return made


async def test_who_accepts_is_a_member_and_signed_in(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)

    accepted = await client.post(ACCEPT, json={"token": invitation["token"], "password": PASSWORD})
    token = accepted.json()["session"]["token"]
    seen = await client.get("/v1/members", headers={"Authorization": f"Bearer {token}"})

    assert accepted.status_code == 201
    assert accepted.json()["member"]["role"] == "manager"
    assert accepted.json()["member"]["org_id"] == party.org.id
    assert [row["name"] for row in seen.json()["data"]] == ["Ali", "Erika Muster"]


async def test_who_sets_no_password_is_not_signed_in(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)

    accepted = await client.post(ACCEPT, json={"token": invitation["token"]})

    assert accepted.json()["session"] is None
    assert not accepted.json()["member"]["has_password"]


async def test_an_invitation_is_accepted_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)
    await client.post(ACCEPT, json={"token": invitation["token"]})

    again = await client.post(ACCEPT, json={"token": invitation["token"]})

    assert again.status_code == 409
    assert again.json()["code"] == "transition_not_possible"


async def test_a_revoked_invitation_brings_nobody_in(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)
    revoked = await client.post(f"{INVITATIONS}/{invitation['id']}/revoke", headers=party.headers)

    answer = await client.post(ACCEPT, json={"token": invitation["token"]})

    assert revoked.json()["status"] == "revoked"
    assert answer.status_code == 409


async def test_an_invitation_runs_out_after_fourteen_days(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)

    await advance(timedelta(days=14, minutes=1))
    answer = await client.post(ACCEPT, json={"token": invitation["token"]})
    listed = await client.get(INVITATIONS, headers=party.headers)

    assert answer.status_code == 409
    assert [row["status"] for row in listed.json()["data"]] == ["expired"]


async def test_an_invitation_that_nobody_has_expired_yet_is_judged_by_the_clock(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)
    async with sessions() as session:
        await session.execute(text("UPDATE invitation SET expires_at = created_at"))
        await session.commit()

    answer = await client.post(ACCEPT, json={"token": invitation["token"]})

    assert answer.json()["code"] == "invitation_expired"


async def test_a_token_of_nobody_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(ACCEPT, json={"token": "bhi_" + "0" * 64})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invitation_unknown"


async def test_who_is_a_member_or_invited_already_is_not_invited(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    await invited(client, party)

    twice = await client.post(INVITATIONS, json=person(email="ALI@example.com"), headers=party.headers)
    member = await client.post(INVITATIONS, json=person(email="erika@example.com"), headers=party.headers)

    assert twice.json()["code"] == "invitation_pending"
    assert member.json()["code"] == "member_exists"


async def test_a_nameless_person_says_a_name(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party, name=None)

    silent = await client.post(ACCEPT, json={"token": invitation["token"]})
    named = await client.post(ACCEPT, json={"token": invitation["token"], "name": "Ali"})

    assert silent.json()["errors"][0]["pointer"] == "/name"
    assert named.json()["member"]["name"] == "Ali"


async def test_the_token_is_shown_once_and_stored_nowhere(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    invitation = await invited(client, party)

    listed = await client.get(INVITATIONS, headers=party.headers)
    async with sessions() as session:
        stored = (await session.execute(text("SELECT i::text FROM invitation i"))).scalar_one()

    assert invitation["token"] not in listed.text + stored


async def test_a_foreign_invitation_is_not_found(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    invitation = await invited(client, other)

    answer = await client.post(f"{INVITATIONS}/{invitation['id']}/revoke", headers=party.headers)

    assert answer.status_code == 404
    assert (await client.get(INVITATIONS, headers=party.headers)).json()["data"] == []


@pytest.mark.race
async def test_of_twenty_who_accept_at_once_one_comes_in(race: Race) -> None:
    party = await parties.organization(race.sessions)
    invitation = await invited(race.client, party)

    accepted = (race.client.post(ACCEPT, json={"token": invitation["token"]}) for _ in range(20))
    answers = await asyncio.gather(*accepted)

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert await race.value("SELECT count(*) FROM member WHERE email = 'ali@example.com'") == 1
