"""Access tokens: what a key is exchanged for, and when it stops to open."""

import base64
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from sqlalchemy import text

from services.kernel import clock
from services.kernel.actors import doorkeeper
from services.kernel.database import Sessions
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import tokens
from services.parties.authenticating import door
from tests.factories import parties
from tests.factories.parties import Party

TOKEN = "/oauth/token"
GRANT = "client_credentials"
FORM = "application/x-www-form-urlencoded"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def client_of(party: Party) -> dict[str, str]:
    return {"client_id": str(party.actor.key_id), "client_secret": party.key.rpartition("_")[2]}


async def asked(client: httpx.AsyncClient, form: dict[str, str], **given: Any) -> httpx.Response:
    return await client.post(TOKEN, data={"grant_type": GRANT} | form, **given)


async def token_of(client: httpx.AsyncClient, party: Party, **form: str) -> str:
    return str((await asked(client, client_of(party) | form)).json()["access_token"])


async def test_a_token_opens_what_its_key_opens(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await asked(client, client_of(party))
    listed = await client.get("/v1/sites", headers=bearer(answer.json()["access_token"]))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 600)
    assert [site["id"] for site in listed.json()["data"]] == [party.site.id]


async def test_the_whole_bearer_token_is_a_secret_too(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await asked(client, client_of(party) | {"client_secret": party.key})

    assert answer.status_code == 200


async def test_basic_authentication_says_the_same(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    user = client_of(party)

    answer = await asked(client, {}, auth=(user["client_id"], user["client_secret"]))

    assert answer.status_code == 200


async def test_a_token_carries_what_was_asked_for(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    token = await token_of(client, party, scope="sites:read")
    answers = [await client.get(path, headers=bearer(token)) for path in ("/v1/sites", "/v1/members")]

    assert [answer.status_code for answer in answers] == [200, 403]


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


async def test_anybody_checks_a_token_by_the_published_key(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    token = await token_of(client, party, scope="sites:read")

    published = (await client.get("/.well-known/jwks.json")).json()
    found = jwt.decode(token, KeySet.import_key_set(published), algorithms=["EdDSA"], registry=tokens.REGISTRY)

    assert found.header["typ"] == "at+jwt"
    assert found.claims["sub"] == party.org.id
    assert found.claims["client_id"] == party.actor.key_id
    assert found.claims["exp"] - found.claims["iat"] == 600
    assert not found.claims["livemode"]
    assert "d" not in published["keys"][0]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"scope": "sites:read everything"}, "invalid_scope"),
        ({"account": "org_01kaq4m8q3e8xvw2t5n6r7s8d9"}, "invalid_target"),
        ({"account": "nobody"}, "invalid_request"),
    ],
)
async def test_what_cannot_be_granted_is_refused_in_the_standards_words(
    client: httpx.AsyncClient, sessions: Sessions, form: dict[str, str], error: str
) -> None:
    party = await parties.organization(sessions)

    answer = await asked(client, client_of(party) | form)

    assert answer.status_code == 400
    assert answer.json()["error"] == error


@pytest.mark.parametrize(
    "wrong",
    [{"client_secret": "0" * 64}, {"client_id": "key_nobody"}, {"client_secret": ""}, {"client_id": "\x00"}],
)
async def test_a_client_who_is_somebody_else_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, wrong: dict[str, str]
) -> None:
    party = await parties.organization(sessions)

    answer = await asked(client, client_of(party) | wrong)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"grant_type=a&grant_type=b", FORM), (b"\xff", FORM), (b"{}", "application/json")],
)
async def test_a_body_that_is_no_form_is_refused(client: httpx.AsyncClient, content: bytes, media_type: str) -> None:
    answer = await client.post(TOKEN, content=content, headers={"Content-Type": media_type})

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


async def test_a_revoked_key_ends_its_tokens_at_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    made = (await client.post("/v1/api-keys", json={"name": "ERP"}, headers=party.headers)).json()
    issued = await asked(client, {"client_id": made["id"], "client_secret": made["secret"]})
    token = bearer(issued.json()["access_token"])
    before = await client.get("/v1/sites", headers=token)

    await client.post(f"/v1/api-keys/{made['id']}/revoke", headers=party.headers)

    assert before.status_code == 200
    assert (await client.get("/v1/sites", headers=token)).status_code == 401


async def test_a_suspended_organizations_token_acts_in_no_role(
    client: httpx.AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    party = await parties.organization(sessions)
    token = await token_of(client, party)
    async with sessions() as session:
        await session.execute(text("UPDATE organization SET verification_status = 'suspended'"))
        await session.commit()

    async with UnitOfWork(sessions, doorkeeper()) as work:
        actor = await door(settings)(work, token)

    assert actor.roles == frozenset()


def forged(settings: Settings, token: str, changed: dict[str, object], key: OKPKey | None = None) -> str:
    """The same token with other claims, signed by us or by `key`."""
    issuer = tokens.issuer(settings)
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": issuer.kid}
    claims = {name: value for name, value in (claims_of(token) | changed).items() if value is not None}
    return jwt.encode(header, claims, key or issuer.key, algorithms=["EdDSA"], registry=tokens.REGISTRY)


NOW = int(time.time())


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW - 60},
        {"nbf": NOW + 86_400},
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example"},
        {"livemode": True},
        {"client_id": "key_01kaq4m8q3e8xvw2t5n6r7s8d9"},
        {"exp": None},
        {"exp": "soon"},
        {"scope": 7},
    ],
    ids=["over", "early", "issuer", "audience", "environment", "client", "endless", "text", "number"],
)
async def test_a_token_that_says_otherwise_opens_nothing(
    client: httpx.AsyncClient, sessions: Sessions, settings: Settings, changed: dict[str, object]
) -> None:
    party = await parties.organization(sessions)
    token = forged(settings, await token_of(client, party), changed)

    assert (await client.get("/v1/sites", headers=bearer(token))).status_code == 401


async def test_a_token_of_another_signer_opens_nothing(
    client: httpx.AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    party = await parties.organization(sessions)
    token = await token_of(client, party)
    head, claims, signature = token.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    others = [
        forged(settings, token, {}, OKPKey.generate_key("Ed25519")),
        f"{unsigned}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}AAAA",
        "a.b.c",
        "..",
    ]

    answers = [await client.get("/v1/sites", headers=bearer(other)) for other in others]

    assert [answer.status_code for answer in answers] == [401] * 5


async def test_a_token_is_not_stretched_by_the_sandboxs_clock(
    client: httpx.AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    party = await parties.organization(sessions)
    token = await token_of(client, party)
    async with sessions() as session:
        await clock.advance(session, timedelta(days=30))
        await session.commit()

    assert (await client.get("/v1/sites", headers=bearer(token))).status_code == 200


def test_processes_of_one_server_sign_with_one_key_that_only_its_owner_reads(settings: Settings) -> None:
    first = tokens.issuer(settings)
    tokens._issuer.cache_clear()
    second = tokens.issuer(settings)
    (file,) = Path(settings.data_dir).rglob("ed25519.jwk.json")

    assert first.kid == second.kid
    assert file.stat().st_mode & 0o777 == 0o600
