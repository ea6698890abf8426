"""Keys: what opens, what does not, and what is kept."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from services.kernel.actors import anonymous
from services.kernel.clock import wall_now
from services.kernel.database import Sessions
from services.kernel.errors import Unauthenticated
from services.kernel.ids import KeyId, MemberId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, members, onboarding
from services.parties.errors import ScopesNotHeld
from services.parties.models import MemberDetails
from services.parties.permissions import ALL, ROLES
from tests.conftest import Advance, Race
from tests.factories import parties
from tests.factories.parties import Party

KEYS = "/v1/api-keys"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def status_of(client: httpx.AsyncClient, token: str) -> int:
    return (await client.get(KEYS, headers=bearer(token))).status_code


async def test_a_wrong_secret_opens_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    assert await status_of(client, party.key[:-64] + "0" * 64) == 401


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "bh_test_",
        "bh_test_key_",
        f"bh_test_{KeyId.new()}",
        f"bh_test_{KeyId.new()}_",
        f"bh_test_{KeyId.new()}_{'0' * 64}",
        f"bh_test_{MemberId.new()}_{'0' * 64}",
    ],
    ids=["nonsense", "prefix", "kind", "no secret", "empty secret", "unknown", "another kind"],
)
async def test_what_is_no_key_of_ours_opens_nothing(client: httpx.AsyncClient, token: str) -> None:
    assert await status_of(client, token) == 401


async def test_a_test_key_does_not_pass_for_a_live_one(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    assert await status_of(client, party.key.replace("bh_test_", "bh_live_")) == 401


async def test_a_revoked_key_opens_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    made = (await client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()

    revoked = await client.post(f"{KEYS}/{made['id']}/revoke", headers=party.headers)

    assert revoked.status_code == 200
    assert await status_of(client, made["secret"]) == 401


async def test_a_key_is_revoked_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    made = (await client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()
    await client.post(f"{KEYS}/{made['id']}/revoke", headers=party.headers)

    again = await client.post(f"{KEYS}/{made['id']}/revoke", headers=party.headers)

    assert again.status_code == 409
    assert again.json()["code"] == "key_already_revoked"


async def test_a_dry_run_revokes_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    made = (await client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()

    await client.post(f"{KEYS}/{made['id']}/revoke?dry_run=true", headers=party.headers)

    assert await status_of(client, made["secret"]) == 200


async def test_an_expired_key_opens_nothing(client: httpx.AsyncClient, sessions: Sessions, advance: Advance) -> None:
    party = await parties.organization(sessions)
    expiry = (wall_now() + timedelta(days=2)).isoformat()
    made = (await client.post(KEYS, json={"name": "ERP", "expires_at": expiry}, headers=party.headers)).json()
    before = await status_of(client, made["secret"])

    await advance(timedelta(days=3))

    assert before == 200
    assert await status_of(client, made["secret"]) == 401


async def test_an_expiry_without_a_zone_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await client.post(KEYS, json={"name": "ERP", "expires_at": "2099-01-01T00:00:00"}, headers=party.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "time_without_zone"


async def test_an_expiry_in_the_past_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await client.post(KEYS, json={"name": "ERP", "expires_at": "2020-01-01T00:00:00Z"}, headers=party.headers)

    assert answer.json()["errors"][0]["code"] == "in_the_past"


async def test_a_key_carries_no_more_than_its_maker(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    narrow = await client.post(KEYS, json={"name": "keys only", "scopes": ["api_keys:write"]}, headers=party.headers)

    answer = await client.post(
        KEYS, json={"name": "wide", "scopes": ["bids:write"]}, headers=bearer(narrow.json()["secret"])
    )

    assert answer.status_code == 403
    assert answer.json()["code"] == "scopes_not_held"


async def test_a_key_carries_no_more_than_its_members_role(sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    async with UnitOfWork(sessions, party.actor) as work:
        driver = await members.create(
            work, MemberDetails(name="Ali", email="ali@example.com"), role="driver", by=party.actor
        )
        with pytest.raises(ScopesNotHeld):
            await api_keys.create(work, by=party.actor, name="lorry", scopes=["awards:write"], member_id=driver.id)


async def test_a_drivers_key_has_the_drivers_permissions_unless_told_otherwise(sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    async with UnitOfWork(sessions, party.actor) as work:
        driver = await members.create(
            work, MemberDetails(name="Ali", email="ali@example.com"), role="driver", by=party.actor
        )
        issued = await api_keys.create(work, by=party.actor, name="lorry", member_id=driver.id)

    actor = await authenticated(sessions, issued.token)

    assert actor == (driver.id, ROLES["driver"])


async def authenticated(sessions: Sessions, token: str) -> tuple[str | None, frozenset[str]]:
    async with UnitOfWork(sessions, anonymous()) as work:
        actor = await api_keys.authenticate(work, token)
    return actor.member_id, actor.permissions


async def test_a_key_without_the_permission_is_told_which_one(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    narrow = await client.post(KEYS, json={"name": "n", "scopes": ["bids:read"]}, headers=party.headers)

    answer = await client.get(KEYS, headers=bearer(narrow.json()["secret"]))

    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_missing"


async def test_a_foreign_key_is_not_found(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")

    answer = await client.post(f"{KEYS}/{other.actor.key_id}/revoke", headers=party.headers)

    assert answer.status_code == 404


async def test_an_unverified_organization_has_no_roles_yet(sessions: Sessions) -> None:
    token = await live_key(sessions)

    async with UnitOfWork(sessions, anonymous()) as work:
        actor = await api_keys.authenticate(work, token)

    assert actor.roles == frozenset()
    assert actor.livemode
    assert actor.permissions == ALL


async def live_key(sessions: Sessions) -> str:
    details, owner = parties.details_of("Habicht Logistik GmbH")
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        registered = await onboarding.register(work, details, roles=["carrier"], owner=owner, livemode=True)
    return registered.secret


async def test_a_live_key_does_not_expire_by_the_sandbox_clock(sessions: Sessions, advance: Advance) -> None:
    token = await live_key(sessions)
    async with UnitOfWork(sessions, anonymous()) as work:
        owner = await api_keys.authenticate(work, token)
        await work.act_as(owner)
        expiry = work.now + timedelta(days=2)
        issued = await api_keys.create(work, by=owner, name="ERP", expires_at=expiry)

    await advance(timedelta(days=3))

    assert (await authenticated(sessions, issued.token))[0] == owner.member_id


async def every_row(sessions: Sessions) -> str:
    """All that the app's role may read, as PostgreSQL writes it."""
    tables = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    async with sessions() as session:
        names = (await session.execute(tables)).scalars().all()
        found = [(await session.execute(text(f'SELECT t::text FROM "{name}" t'))).scalars().all() for name in names]
    return "\n".join(row for rows in found for row in rows).lower()


async def test_the_secret_is_stored_nowhere(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    made = await client.post(
        KEYS, json={"name": "ERP"}, headers=party.headers | {"Idempotency-Key": "once-and-never-again"}
    )
    secret = made.json()["secret"].rpartition("_")[2]

    everything = await every_row(sessions)

    assert made.json()["id"] in everything
    assert secret not in everything
    assert secret.encode().hex() not in everything
    assert secret not in (await client.get(KEYS, headers=party.headers)).text


async def test_use_is_noted_once_a_minute(sessions: Sessions, advance: Advance) -> None:
    party = await parties.organization(sessions)
    first = await last_use(sessions, party)

    await authenticated(sessions, party.key)
    within_the_minute = await last_use(sessions, party)
    await advance(timedelta(minutes=2))
    await authenticated(sessions, party.key)

    assert within_the_minute == first
    assert await last_use(sessions, party) >= first + timedelta(minutes=2)


async def last_use(sessions: Sessions, party: Party) -> datetime:
    async with sessions() as session:
        query = text("SELECT last_used_at FROM api_key WHERE id = :id")
        noted: datetime = (await session.execute(query, {"id": party.actor.key_id})).scalar_one()
    return noted


@pytest.mark.race
async def test_noting_the_use_never_waits(race: Race) -> None:
    party = await parties.organization(race.sessions)
    async with race.sessions() as holder:
        await holder.execute(text("UPDATE api_key SET last_used_at = NULL"))
        await holder.commit()
        await holder.execute(text("SELECT 1 FROM api_key FOR UPDATE"))
        async with UnitOfWork(race.sessions, anonymous()) as work:
            await work.session.execute(text("SET LOCAL lock_timeout = '1s'"))
            actor = await api_keys.authenticate(work, party.key)

    assert actor.org_id == party.org.id


async def test_a_bare_word_is_not_a_credential(sessions: Sessions) -> None:
    async with UnitOfWork(sessions, anonymous()) as work:
        with pytest.raises(Unauthenticated):
            await api_keys.authenticate(work, "")


async def rotated(client: httpx.AsyncClient, party: Party, key_id: str, seconds: int = 3600) -> httpx.Response:
    return await client.post(f"{KEYS}/{key_id}/rotate", json={"overlap_seconds": seconds}, headers=party.headers)


async def test_a_rotated_key_and_its_successor_overlap(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    party = await parties.organization(sessions)
    old = (await client.post(KEYS, json={"name": "ERP", "scopes": ["api_keys:read"]}, headers=party.headers)).json()

    new = (await rotated(client, party, old["id"])).json()
    within = [await status_of(client, key["secret"]) for key in (old, new)]
    await advance(timedelta(hours=1, seconds=1))
    afterwards = [await status_of(client, key["secret"]) for key in (old, new)]

    assert within == [200, 200]
    assert afterwards == [401, 200]
    assert (new["name"], new["scopes"], new["replaces_id"]) == ("ERP", ["api_keys:read"], old["id"])


async def test_a_rotated_key_names_its_successor(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    new = (await rotated(client, party, str(party.actor.key_id))).json()

    read = await client.get(f"{KEYS}/{party.actor.key_id}", headers=party.headers)

    assert read.json()["replaced_by_id"] == new["id"]
    assert "secret" not in read.json()


async def test_a_key_without_overlap_ends_with_its_rotation(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    old = (await client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()

    await rotated(client, party, old["id"], seconds=0)

    assert await status_of(client, old["secret"]) == 401


async def test_a_key_is_rotated_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    old = (await client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()

    answers = [await rotated(client, party, old["id"]) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "key_is_spent"


async def test_a_revoked_key_is_not_rotated(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    old = (await client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()
    await client.post(f"{KEYS}/{old['id']}/revoke", headers=party.headers)

    assert (await rotated(client, party, old["id"])).json()["code"] == "key_already_revoked"


async def test_an_overlap_has_an_end(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await rotated(client, party, str(party.actor.key_id), seconds=7 * 24 * 3600 + 1)

    assert answer.status_code == 422


async def test_nobody_rotates_a_key_that_may_more_than_his(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    narrow = await client.post(KEYS, json={"name": "n", "scopes": ["api_keys:write"]}, headers=party.headers)

    answer = await client.post(
        f"{KEYS}/{party.actor.key_id}/rotate", json={"overlap_seconds": 0}, headers=bearer(narrow.json()["secret"])
    )

    assert answer.json()["code"] == "scopes_not_held"


@pytest.mark.parametrize("wanted", [None, timedelta(days=3)], ids=["for ever", "a day longer"])
async def test_what_an_expiring_key_makes_does_not_outlive_it(
    client: httpx.AsyncClient, sessions: Sessions, wanted: timedelta | None
) -> None:
    party = await parties.organization(sessions)
    expiry = (wall_now() + timedelta(days=2)).isoformat()
    made = await client.post(KEYS, json={"name": "short", "expires_at": expiry}, headers=party.headers)
    longer = (wall_now() + wanted).isoformat() if wanted else None

    answers = [
        await client.post(KEYS, json={"name": "n", "expires_at": expires}, headers=bearer(made.json()["secret"]))
        for expires in (longer, expiry)
    ]

    assert [answer.status_code for answer in answers] == [422, 201]
    assert answers[0].json()["errors"][0]["code"] == "outlives_its_maker"


@pytest.mark.race
async def test_of_twenty_rotations_at_once_one_makes_a_successor(race: Race) -> None:
    party = await parties.organization(race.sessions)
    made = (await race.client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()

    answers = await asyncio.gather(*(rotated(race.client, party, made["id"]) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


@pytest.mark.race
async def test_of_uses_during_a_revocation_none_works_after_it(race: Race) -> None:
    party = await parties.organization(race.sessions)
    made = (await race.client.post(KEYS, json={"name": "ERP"}, headers=party.headers)).json()

    during = asyncio.gather(*(status_of(race.client, made["secret"]) for _ in range(20)))
    await race.client.post(f"{KEYS}/{made['id']}/revoke", headers=party.headers)
    after = await asyncio.gather(*(status_of(race.client, made["secret"]) for _ in range(20)))

    assert set(await during) <= {200, 401}
    assert set(after) == {401}
