"""Signing in: passwords, sessions, and a pause for who guesses."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from tests.conftest import Advance, Race
from tests.factories import parties
from tests.factories.parties import Party

SESSIONS = "/v1/sessions"
MY_PASSWORD = "/v1/members/me/password"
PASSWORD = "seven green lorries at noon"
OTHER = "eight blue lorries at night"
EMAIL = "erika@example.com"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def owner(client: httpx.AsyncClient, sessions: Sessions, **given: Any) -> Party:
    """Of an organization, with a password."""
    party = await parties.organization(sessions, **given)
    await client.post(MY_PASSWORD, json={"password": PASSWORD}, headers=party.headers)
    return party


async def sign_in(client: httpx.AsyncClient, password: str = PASSWORD, **given: object) -> httpx.Response:
    return await client.post(SESSIONS, json={"email": EMAIL, "password": password} | given)


async def test_a_session_may_what_its_members_role_may(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await owner(client, sessions)

    started = await sign_in(client)
    listed = await client.get("/v1/api-keys", headers=bearer(started.json()["token"]))

    assert started.status_code == 201
    assert started.json()["member_id"] == party.actor.member_id
    assert listed.status_code == 200


async def test_an_unknown_address_and_a_wrong_password_are_answered_alike(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await owner(client, sessions)

    wrong = await sign_in(client, OTHER)
    unknown = await sign_in(client, email="nobody@example.com")

    assert [wrong.status_code, unknown.status_code] == [401, 401]
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert wrong.json()["code"] == "sign_in_refused"


async def test_an_address_of_several_organizations_names_one(client: httpx.AsyncClient, sessions: Sessions) -> None:
    first = await owner(client, sessions)
    await owner(client, sessions, name="Zweitlauf GmbH")

    ambiguous = await sign_in(client)
    named = await sign_in(client, organization_id=first.org.id)

    assert ambiguous.status_code == 401
    assert named.json()["org_id"] == first.org.id


async def test_a_sandbox_password_does_not_open_live(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await owner(client, sessions)

    assert (await sign_in(client, environment="live")).status_code == 401


async def test_who_signs_out_is_out(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await owner(client, sessions)
    token = bearer((await sign_in(client)).json()["token"])

    ended = await client.post(f"{SESSIONS}/end", headers=token)

    assert ended.json()["ended_at"] is not None
    assert (await client.get("/v1/sites", headers=token)).status_code == 401


async def test_a_key_cannot_sign_out(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await client.post(f"{SESSIONS}/end", headers=party.headers)

    assert answer.json()["code"] == "not_signed_in"


async def test_a_session_ends_after_twelve_hours(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    await owner(client, sessions)
    token = bearer((await sign_in(client)).json()["token"])

    await advance(timedelta(hours=12, minutes=1))

    assert (await client.get("/v1/sites", headers=token)).status_code == 401


@pytest.mark.parametrize("token", ["bhs_", "bhs_nonsense", f"bhs_ses_{'0' * 26}_{'0' * 64}"])
async def test_what_is_no_session_of_ours_opens_nothing(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.get("/v1/sites", headers=bearer(token))).status_code == 401


async def test_the_sessions_of_a_removed_member_open_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await owner(client, sessions)
    token = bearer((await sign_in(client)).json()["token"])
    second = {"name": "Ali", "email": "ali@example.com", "role": "owner"}
    await client.post("/v1/members", json=second, headers=party.headers)

    await client.post(f"/v1/members/{party.actor.member_id}/remove", headers=party.headers)

    assert (await client.get("/v1/sites", headers=token)).status_code == 401
    assert (await sign_in(client)).status_code == 401


async def test_a_new_password_ends_the_other_sessions(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await owner(client, sessions)
    elsewhere, here = [bearer((await sign_in(client)).json()["token"]) for _ in range(2)]

    changed = await client.post(MY_PASSWORD, json={"password": OTHER}, headers=here)
    still = [(await client.get("/v1/sites", headers=token)).status_code for token in (elsewhere, here)]

    assert changed.status_code == 200
    assert still == [401, 200]
    assert [(await sign_in(client, word)).status_code for word in (PASSWORD, OTHER)] == [401, 201]


async def test_a_session_that_lay_about_sets_no_password(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    await owner(client, sessions)
    token = bearer((await sign_in(client)).json()["token"])

    await advance(timedelta(minutes=16))
    answer = await client.post(MY_PASSWORD, json={"password": OTHER}, headers=token)

    assert answer.json()["code"] == "sign_in_again"


async def test_a_key_sets_the_first_password_alone(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await owner(client, sessions)

    answer = await client.post(MY_PASSWORD, json={"password": OTHER}, headers=party.headers)

    assert answer.json()["code"] == "sign_in_again"


async def test_a_narrow_key_sets_no_password(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    wanted = {"name": "narrow", "scopes": ["organizations:read"]}
    made = await client.post("/v1/api-keys", json=wanted, headers=party.headers)

    answer = await client.post(MY_PASSWORD, json={"password": PASSWORD}, headers=bearer(made.json()["secret"]))

    assert answer.json()["code"] == "sign_in_again"


async def test_a_short_password_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await client.post(MY_PASSWORD, json={"password": "short"}, headers=party.headers)

    assert answer.status_code == 422


async def test_neither_password_nor_token_is_stored(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await owner(client, sessions)
    secret = (await sign_in(client)).json()["token"].rpartition("_")[2]

    query = text("SELECT string_agg(m::text, ' ') || string_agg(s::text, ' ') FROM member m, member_session s")
    async with sessions() as session:
        stored = (await session.execute(query)).scalar_one()

    assert "$argon2id$" in stored
    assert PASSWORD not in stored
    assert secret not in stored


@pytest.mark.race
async def test_five_wrong_passwords_make_everybody_wait(race: Race) -> None:
    await owner(race.client, race.sessions)
    wrong = [await sign_in(race.client, OTHER) for _ in range(5)]

    right = await sign_in(race.client)
    async with race.sessions() as session:
        await session.execute(text("UPDATE sign_in_failure SET last_at = last_at - interval '16 minutes'"))
        await session.commit()

    assert [answer.status_code for answer in wrong] == [401] * 5
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 900
    assert (await sign_in(race.client)).status_code == 201


@pytest.mark.race
async def test_of_many_guesses_at_once_those_after_the_fifth_learn_nothing(race: Race) -> None:
    await owner(race.client, race.sessions)

    answers = await asyncio.gather(*(sign_in(race.client, OTHER) for _ in range(13)))
    right = await sign_in(race.client)

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 8
    assert right.status_code == 429


@pytest.mark.race
async def test_the_right_password_forgets_the_wrong_ones(race: Race) -> None:
    await owner(race.client, race.sessions)
    for _ in range(4):
        await sign_in(race.client, OTHER)

    await sign_in(race.client)

    assert await race.value("SELECT count(*) FROM sign_in_failure") == 0


@pytest.mark.race
async def test_twenty_sends_of_one_sign_in_make_one_session(race: Race) -> None:
    await owner(race.client, race.sessions)
    body = {"email": EMAIL, "password": PASSWORD}
    once = {"Idempotency-Key": "sign-in-of-erika-on-monday"}

    answers = await asyncio.gather(*(race.client.post(SESSIONS, json=body, headers=once) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["token"] for answer in answers}) == 1
    assert await race.value("SELECT count(*) FROM member_session") == 1


@pytest.mark.race
async def test_who_registers_anothers_address_forgets_none_of_its_guesses(race: Race) -> None:
    victim = await owner(race.client, race.sessions)
    attacker = await owner(race.client, race.sessions, name="Angriff GmbH")
    for _ in range(5):
        await sign_in(race.client, OTHER, organization_id=victim.org.id)
        await sign_in(race.client, organization_id=attacker.org.id)

    answer = await sign_in(race.client, OTHER, organization_id=victim.org.id)

    assert answer.status_code == 429


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
async def test_json_in_another_encoding_is_read_alike(
    client: httpx.AsyncClient, sessions: Sessions, encoding: str
) -> None:
    await owner(client, sessions)
    body = json.dumps({"email": EMAIL, "password": OTHER}).encode(encoding)

    answer = await client.post(SESSIONS, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 401
