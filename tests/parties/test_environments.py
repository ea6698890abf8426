"""Sandbox and live: who serves what, and that nothing crosses over."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.kernel.actors import anonymous, doorkeeper
from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, inviting, onboarding
from services.parties.authenticating import door
from tests.conftest import client_of
from tests.factories import parties

REGISTRATION = {
    "legal_name": "Ernstfall GmbH",
    "country": "DE",
    "roles": ["carrier"],
    "contact_email": "office@example.com",
    "owner": {"name": "Erika Muster", "email": "erika@example.com"},
    "environment": "live",
}


@pytest.fixture
async def sandbox(sessions: Sessions, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A server that does not serve live credentials."""
    closed = settings.model_copy(update={"is_live": False})
    async with client_of(Runtime(settings=closed, sessions=sessions, authenticate=door(closed))) as client:
        yield client


async def live_key(sessions: Sessions) -> str:
    details, owner = parties.details_of("Ernstfall GmbH")
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        return (await onboarding.register(work, details, roles=["carrier"], owner=owner, livemode=True)).secret


async def test_a_live_key_is_refused_by_a_server_of_the_sandbox(
    client: httpx.AsyncClient, sandbox: httpx.AsyncClient, sessions: Sessions
) -> None:
    headers = {"Authorization": f"Bearer {await live_key(sessions)}"}

    served, refused = [await server.get("/v1/sites", headers=headers) for server in (client, sandbox)]

    assert served.status_code == 200
    assert refused.status_code == 401
    assert refused.json()["code"] == "live_not_served"


async def test_a_live_server_serves_the_sandbox_too(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    assert (await client.get("/v1/sites", headers=party.headers)).status_code == 200


async def test_nobody_registers_live_with_a_server_of_the_sandbox(sandbox: httpx.AsyncClient) -> None:
    answer = await sandbox.post("/v1/organizations", json=REGISTRATION)

    assert answer.status_code == 403
    assert answer.json()["code"] == "live_not_served"


async def test_a_live_key_gets_a_token_where_live_is_served(
    client: httpx.AsyncClient, sandbox: httpx.AsyncClient, sessions: Sessions
) -> None:
    key = await live_key(sessions)
    form = {"grant_type": "client_credentials", "client_id": key[8:38], "client_secret": key}

    served, refused = [await server.post("/oauth/token", data=form) for server in (client, sandbox)]
    token = {"Authorization": f"Bearer {served.json()['access_token']}"}

    assert refused.json()["error"] == "invalid_client"
    assert (await client.get("/v1/sites", headers=token)).status_code == 200
    assert (await sandbox.get("/v1/sites", headers=token)).json()["code"] == "live_not_served"


async def test_nobody_signs_in_live_with_a_server_of_the_sandbox(sandbox: httpx.AsyncClient) -> None:
    body = {"email": "erika@example.com", "password": "seven green lorries at noon", "environment": "live"}

    assert (await sandbox.post("/v1/sessions", json=body)).json()["code"] == "live_not_served"


async def test_a_live_invitation_is_accepted_where_live_is_served(
    client: httpx.AsyncClient, sandbox: httpx.AsyncClient, sessions: Sessions
) -> None:
    async with UnitOfWork(sessions, doorkeeper()) as work:
        owner = await api_keys.authenticate(work, await live_key(sessions))
    async with UnitOfWork(sessions, owner) as work:
        invited = await inviting.invite(work, by=owner, email="ali@example.com", name="Ali", role="viewer")
    body = {"token": invited.token, "password": "seven green lorries at noon"}

    refused, served = [await server.post("/v1/invitations/accept", json=body) for server in (sandbox, client)]

    assert refused.json()["code"] == "live_not_served"
    assert served.json()["member"]["livemode"]
    assert served.json()["session"]["livemode"]


async def test_a_live_account_is_nobodys_for_the_sandbox(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    async with UnitOfWork(sessions, doorkeeper()) as work:
        live = await api_keys.authenticate(work, await live_key(sessions))

    answer = await client.get("/v1/sites", headers=party.headers | {"Backhaul-Account": live.org})

    assert answer.json()["code"] == "not_delegated"
