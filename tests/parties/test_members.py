"""Members: who may what, who goes, and that somebody stays."""

import asyncio

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.ids import MemberId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, members
from services.parties.models import Member, MemberDetails
from services.parties.permissions import MemberRole
from tests.conftest import Race
from tests.factories import parties
from tests.factories.parties import Party

MEMBERS = "/v1/members"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def member(sessions: Sessions, party: Party, role: MemberRole, email: str = "ali@example.com") -> Member:
    async with UnitOfWork(sessions, party.actor) as work:
        return await members.create(work, MemberDetails(name="Ali", email=email), role=role, by=party.actor)


async def key_of(sessions: Sessions, party: Party, member_id: MemberId) -> str:
    async with UnitOfWork(sessions, party.actor) as work:
        return (await api_keys.create(work, by=party.actor, name="k", member_id=member_id)).token


async def test_a_new_role_counts_for_keys_that_exist(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    manager = await member(sessions, party, "manager")
    key = await key_of(sessions, party, manager.id)
    before = await client.get("/v1/api-keys", headers=bearer(key))

    changed = await client.patch(f"{MEMBERS}/{manager.id}", json={"role": "driver"}, headers=party.headers)
    after = await client.get("/v1/api-keys", headers=bearer(key))

    assert changed.json()["role"] == "driver"
    assert [before.status_code, after.status_code] == [200, 403]


async def test_a_change_of_what_has_changed_since_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    manager = await member(sessions, party, "manager")
    url = f"{MEMBERS}/{manager.id}"
    read = await client.get(url, headers=party.headers)
    stale = party.headers | {"If-Match": read.headers["etag"]}
    await client.patch(url, json={"name": "Ali K."}, headers=stale)

    answer = await client.patch(url, json={"role": "owner"}, headers=stale)

    assert answer.status_code == 412


async def test_the_keys_of_a_removed_member_open_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")
    key = await key_of(sessions, party, viewer.id)
    before = await client.get("/v1/sites", headers=bearer(key))

    removed = await client.post(f"{MEMBERS}/{viewer.id}/remove", headers=party.headers)

    assert before.status_code == 200
    assert removed.json()["status"] == "removed"
    assert (await client.get("/v1/sites", headers=bearer(key))).status_code == 401


async def test_a_key_made_while_its_member_goes_opens_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")
    await client.post(f"{MEMBERS}/{viewer.id}/remove", headers=party.headers)
    async with UnitOfWork(sessions, party.actor) as work:
        late = api_keys.issue(work, viewer, name="late", scopes=["sites:read"])

    assert (await client.get("/v1/sites", headers=bearer(late.token))).status_code == 401


async def test_who_has_gone_gets_no_keys(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")
    await client.post(f"{MEMBERS}/{viewer.id}/remove", headers=party.headers)

    answer = await client.post("/v1/api-keys", json={"name": "k", "member_id": viewer.id}, headers=party.headers)

    assert answer.status_code == 404


async def test_a_member_is_removed_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")
    url = f"{MEMBERS}/{viewer.id}/remove"

    answers = [await client.post(url, headers=party.headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["code"] == "transition_not_possible"


async def test_a_dry_run_removes_nobody(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")

    promised = await client.post(f"{MEMBERS}/{viewer.id}/remove?dry_run=true", headers=party.headers)
    read = await client.get(f"{MEMBERS}/{viewer.id}", headers=party.headers)

    assert promised.json()["status"] == "removed"
    assert read.json()["status"] == "active"


async def test_the_address_of_who_has_gone_is_free_again(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    first = await member(sessions, party, "viewer")
    await client.post(f"{MEMBERS}/{first.id}/remove", headers=party.headers)

    second = await client.post(
        MEMBERS, json={"name": "Ali", "email": first.email, "role": "viewer"}, headers=party.headers
    )
    gone = await client.get(f"{MEMBERS}?removed=true", headers=party.headers)

    assert second.status_code == 201
    assert [row["id"] for row in gone.json()["data"]] == [first.id]


@pytest.mark.parametrize("how", ["remove", "demote"])
async def test_the_last_owner_stays(client: httpx.AsyncClient, sessions: Sessions, how: str) -> None:
    party = await parties.organization(sessions)
    url = f"{MEMBERS}/{party.actor.member_id}"
    requests = {
        "remove": client.build_request("POST", f"{url}/remove", headers=party.headers),
        "demote": client.build_request("PATCH", url, json={"role": "manager"}, headers=party.headers),
    }

    answer = await client.send(requests[how])

    assert answer.status_code == 409
    assert answer.json()["code"] == "last_owner"


async def test_an_owner_may_go_when_another_stays(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    await member(sessions, party, "owner")

    answer = await client.post(f"{MEMBERS}/{party.actor.member_id}/remove", headers=party.headers)

    assert answer.status_code == 200


async def test_what_stands_in_the_way_is_told_before(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    await member(sessions, party, "viewer")

    listed = (await client.get(MEMBERS, headers=party.headers)).json()["data"]

    assert [row["allowed_transitions"] for row in listed] == [["remove"], []]
    assert listed[1]["blocked_transitions"][0]["reasons"][0]["code"] == "last_owner"


@pytest.mark.parametrize("role", ["owner", "operator"])
async def test_nobody_gives_a_role_above_his_credential(
    client: httpx.AsyncClient, sessions: Sessions, role: str
) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")
    made = {"name": "HR", "scopes": ["members:write", "members:read"]}
    narrow = (await client.post("/v1/api-keys", json=made, headers=party.headers)).json()["secret"]
    person = {"name": "Eve", "email": "eve@example.com", "role": role}

    answers = [
        await client.post(MEMBERS, json=person, headers=bearer(narrow)),
        await client.post("/v1/invitations", json=person, headers=bearer(narrow)),
        await client.patch(f"{MEMBERS}/{viewer.id}", json={"role": role}, headers=bearer(narrow)),
        await client.post(f"{MEMBERS}/{party.actor.member_id}/remove", headers=bearer(narrow)),
    ]

    assert [answer.json()["code"] for answer in answers] == ["role_above_yours"] * 4


async def test_a_foreign_member_is_not_found(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    url = f"{MEMBERS}/{other.actor.member_id}"

    answers = [
        await client.get(url, headers=party.headers),
        await client.patch(url, json={"name": "x"}, headers=party.headers),
        await client.post(f"{url}/remove", headers=party.headers),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_an_operator_sees_a_foreign_member_but_removes_nobody(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    party = await parties.organization(sessions)
    house = await parties.organization(sessions, ["operator"], name="Backhaul")
    url = f"{MEMBERS}/{party.actor.member_id}"

    seen = await client.get(url, headers=house.headers)
    refused = await client.post(f"{url}/remove", headers=house.headers)

    assert [seen.status_code, refused.status_code] == [200, 403]


@pytest.mark.race
async def test_of_two_owners_who_are_removed_at_once_one_stays(race: Race) -> None:
    party = await parties.organization(race.sessions)
    other = await member(race.sessions, party, "owner")
    others_key = await key_of(race.sessions, party, other.id)

    answers = await asyncio.gather(
        race.client.post(f"{MEMBERS}/{party.actor.member_id}/remove", headers=bearer(others_key)),
        race.client.post(f"{MEMBERS}/{other.id}/remove", headers=party.headers),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await race.value("SELECT count(*) FROM member WHERE role = 'owner' AND status = 'active'") == 1


@pytest.mark.race
async def test_of_uses_during_a_removal_none_works_after_it(race: Race) -> None:
    party = await parties.organization(race.sessions)
    viewer = await member(race.sessions, party, "viewer")
    key = bearer(await key_of(race.sessions, party, viewer.id))

    async def removed() -> httpx.Response:
        return await race.client.post(f"{MEMBERS}/{viewer.id}/remove", headers=party.headers)

    during = asyncio.gather(*(race.client.get("/v1/sites", headers=key) for _ in range(20)))
    assert (await removed()).status_code == 200
    after = await asyncio.gather(*(race.client.get("/v1/sites", headers=key) for _ in range(20)))

    assert {answer.status_code for answer in await during} <= {200, 401}
    assert {answer.status_code for answer in after} == {401}


async def test_removal_is_told_with_the_keys_it_ended(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    viewer = await member(sessions, party, "viewer")
    await key_of(sessions, party, viewer.id)

    await client.post(f"{MEMBERS}/{viewer.id}/remove", headers=party.headers)
    query = text("SELECT jsonb_array_length(data->'revoked_key_ids') FROM event WHERE type = 'member.removed'")
    async with sessions() as session:
        told = (await session.execute(query)).scalars().all()

    assert told == [1]
