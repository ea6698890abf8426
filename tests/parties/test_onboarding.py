"""Registration, verification, and what others see of an organization."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.ids import OrgId
from tests.factories import papers, parties


def registration(**given: object) -> dict[str, object]:
    body: dict[str, object] = {
        "legal_name": "Rheinkreis Recycling GmbH",
        "country": "DE",
        "roles": ["recycler"],
        "contact_email": "office@rheinkreis.example",
        "owner": {"name": "Jan Weber", "email": "jan@rheinkreis.example"},
    }
    return body | given


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def register(client: httpx.AsyncClient, **given: object) -> dict[str, Any]:
    answer = await client.post("/v1/organizations", json=registration(**given))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_whoever_registers_gets_a_key_that_works(client: httpx.AsyncClient) -> None:
    registered = await register(client)

    org_id = registered["organization"]["id"]
    read = await client.get(f"/v1/organizations/{org_id}", headers=bearer(registered["api_key"]["secret"]))

    assert read.status_code == 200
    assert read.headers["etag"] == '"2"'
    assert read.json()["contact_email"] == "office@rheinkreis.example"


async def test_a_sandbox_organization_is_verified_at_once(client: httpx.AsyncClient) -> None:
    registered = await register(client)

    assert registered["organization"]["verification_status"] == "verified"
    assert registered["api_key"]["secret"].startswith(f"bh_test_{registered['api_key']['id']}_")


async def test_registration_is_told_to_the_organization_itself(client: httpx.AsyncClient, sessions: Sessions) -> None:
    registered = await register(client)

    async with sessions() as session:
        rows = (await session.execute(text("SELECT type, audience_orgs FROM event ORDER BY ordinal"))).all()
    assert [row.type for row in rows] == ["organization.registered", "api_key.created", "organization.verified"]
    assert {org for row in rows for org in row.audience_orgs} == {registered["organization"]["id"]}


async def test_a_live_organization_waits_for_an_operator(client: httpx.AsyncClient, sessions: Sessions) -> None:
    registered = await register(client, environment="live")
    _, operator = await papers.operator(sessions, livemode=True)

    early = await client.post(f"/v1/organizations/{registered['organization']['id']}/verify", headers=bearer(operator))

    assert registered["organization"]["verification_status"] == "unverified"
    assert early.json()["code"] == "transition_not_possible"


async def test_a_second_verification_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    operator = await parties.organization(sessions, roles=["operator"], name="Backhaul")
    registered = await register(client)

    again = await client.post(f"/v1/organizations/{registered['organization']['id']}/verify", headers=operator.headers)

    assert again.status_code == 409
    assert again.json()["code"] == "transition_not_possible"


async def test_nobody_verifies_himself(client: httpx.AsyncClient) -> None:
    live = await register(client, environment="live")

    answer = await client.post(
        f"/v1/organizations/{live['organization']['id']}/verify", headers=bearer(live["api_key"]["secret"])
    )

    assert answer.status_code == 403
    assert live["organization"]["allowed_transitions"] == ["close"]


@pytest.mark.parametrize(("environment", "role"), [("sandbox", "operator"), ("live", "operator"), ("live", "verifier")])
async def test_checked_roles_cannot_be_chosen(client: httpx.AsyncClient, environment: str, role: str) -> None:
    answer = await client.post(
        "/v1/organizations", json=registration(environment=environment, roles=["recycler", role])
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "pointer": "/roles/1",
        "code": "role_not_open",
        "detail": f"{role} cannot be chosen at registration.",
    }


async def test_a_verifier_may_register_in_the_sandbox(client: httpx.AsyncClient) -> None:
    registered = await register(client, roles=["verifier"])

    assert registered["organization"]["roles"] == ["verifier"]


async def test_an_unknown_field_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/organizations", json=registration(vat="DE1"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "unknown_field"


async def test_nul_is_refused_before_it_reaches_the_database(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/organizations", json=registration(legal_name="Rhein\0kreis"))

    assert answer.status_code == 422


async def test_others_see_the_public_face_alone(client: httpx.AsyncClient, sessions: Sessions) -> None:
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    registered = await register(client, vat_id="DE136695976")

    face = await client.get(f"/v1/organizations/{registered['organization']['id']}", headers=other.headers)

    shown = {name for name, value in face.json().items() if value not in (None, [], False)}
    assert shown == {"id", "legal_name", "country", "roles"}


async def test_an_organization_that_does_not_exist_is_not_found(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await client.get(f"/v1/organizations/{OrgId.new()}", headers=party.headers)

    assert answer.status_code == 404


async def test_live_and_test_never_meet(client: httpx.AsyncClient) -> None:
    live = await register(client, environment="live")
    sandbox = await register(client)

    answer = await client.get(
        f"/v1/organizations/{live['organization']['id']}", headers=bearer(sandbox["api_key"]["secret"])
    )

    assert answer.status_code == 404
