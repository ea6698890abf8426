"""What bad input gets, and what a retry gets, over HTTP."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel import idempotency
from services.kernel.http.routing import Runtime, key_scope
from tests.conftest import Race
from tests.factories.parties import Party, organization

SITE: dict[str, Any] = {
    "name": "Yard 7",
    "street": "Hafenstraße 7",
    "postal_code": "47119",
    "city": "Duisburg",
    "country": "DE",
    "latitude": 51.45,
    "longitude": 6.73,
    "timezone": "Europe/Berlin",
}


@pytest.fixture
async def party(runtime: Any) -> Party:
    return await organization(runtime.sessions, roles=["manufacturer"])


def _is_problem(answer: httpx.Response, status: int, code: str) -> None:
    document = answer.json()
    assert (answer.status_code, document["code"], document["status"]) == (status, code, status), document
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["request_id"] == answer.headers["x-request-id"]


async def test_a_nul_in_a_text_is_refused(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.post("/v1/sites", json=SITE | {"name": "Yard\0"}, headers=party.headers)
    _is_problem(answer, 422, "invalid")


async def test_a_lone_surrogate_is_refused(client: httpx.AsyncClient, party: Party) -> None:
    body = b'{"name": "\\ud800"}'
    answer = await client.post("/v1/sites", content=body, headers=party.headers | {"content-type": "application/json"})
    assert answer.status_code == 422


async def test_an_unknown_field_is_refused_with_its_pointer(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.post("/v1/sites", json=SITE | {"colour": "blue"}, headers=party.headers)
    _is_problem(answer, 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/colour", "unknown_field")]


async def test_what_is_not_json_is_a_bad_request(client: httpx.AsyncClient, party: Party) -> None:
    headers = party.headers | {"content-type": "application/json"}
    _is_problem(await client.post("/v1/sites", content=b'{"name"', headers=headers), 400, "json_invalid")


async def test_a_naive_time_is_refused(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.post("/v1/test-clock/advance", json={"to": "2027-01-15T14:00:00"}, headers=party.headers)
    _is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["code"] == "time_without_zone"


async def test_fifty_megabytes_are_refused_before_they_are_read(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.post("/v1/sites", content=b"x" * 50_000_000, headers=party.headers)
    _is_problem(answer, 413, "body_too_large")


async def test_a_body_that_hides_its_length_is_refused_as_well(client: httpx.AsyncClient, party: Party) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 1_000_000

    answer = await client.post("/v1/sites", content=endless(), headers=party.headers)
    _is_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/nothing", 404, "not_found"), ("PUT", "/v1/sites", 405, "method_not_allowed")],
)
async def test_framework_errors_are_problems_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    _is_problem(await client.request(method, path), status, code)


async def test_an_id_of_another_kind_is_malformed(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.get(f"/v1/sites/{party.org.id}", headers=party.headers)
    _is_problem(answer, 422, "invalid")


async def test_a_foreign_organizations_site_is_not_there(client: httpx.AsyncClient, party: Party, runtime: Any) -> None:
    other = await organization(runtime.sessions, roles=["recycler"])
    _is_problem(await client.get(f"/v1/sites/{other.site.id}", headers=party.headers), 404, "not_found")


async def test_nobody_gets_in_without_a_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/sites")
    _is_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_request_id_is_echoed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/sites", headers={"X-Request-ID": "partner-17"})
    assert answer.headers["x-request-id"] == "partner-17"


async def test_a_retry_gets_the_same_answer(client: httpx.AsyncClient, party: Party) -> None:
    headers = party.headers | {"Idempotency-Key": "order-4711"}
    first = await client.post("/v1/sites", json=SITE, headers=headers)
    again = await client.post("/v1/sites", json=SITE, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")


async def test_a_retry_is_told_the_version_too(client: httpx.AsyncClient, runtime: Runtime) -> None:
    seller = await organization(runtime.sessions, roles=["manufacturer"])
    draft = {"title": "Motors", "site_id": seller.site.id, "mode": "sealed", "currency": "EUR", "price_unit": "piece"}
    headers = seller.headers | {"Idempotency-Key": "draft-1"}
    first = await client.post("/v1/listings", json=draft, headers=headers)
    again = await client.post("/v1/listings", json=draft, headers=headers)
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    assert (again.headers["etag"], again.headers["idempotency-replayed"]) == ('"1"', "true")


async def test_an_empty_key_is_none(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.post("/v1/sites", json=SITE, headers=party.headers | {"Idempotency-Key": ""})
    _is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["code"] == "idempotency_key_invalid"


async def test_a_key_is_good_for_one_request(client: httpx.AsyncClient, party: Party) -> None:
    headers = party.headers | {"Idempotency-Key": "order-4711"}
    await client.post("/v1/sites", json=SITE, headers=headers)
    answer = await client.post("/v1/sites", json=SITE | {"name": "Another"}, headers=headers)
    _is_problem(answer, 422, "idempotency_key_reused")


async def test_a_refused_request_leaves_its_key_free(client: httpx.AsyncClient, party: Party) -> None:
    headers = party.headers | {"Idempotency-Key": "order-4711"}
    await client.post("/v1/sites", json=SITE | {"country": "Germany"}, headers=headers)
    answer = await client.post("/v1/sites", json=SITE, headers=headers)
    assert answer.status_code == 201


async def test_a_colleague_is_not_answered_in_anothers_name(client: httpx.AsyncClient, party: Party) -> None:
    """The owner's answer holds a secret; a viewer who knows key and body still gets what a viewer gets."""
    person = {"name": "Vera", "email": "vera@example.com", "role": "viewer"}
    member = (await client.post("/v1/members", json=person, headers=party.headers)).json()
    made = {"name": "Vera's key", "member_id": member["id"]}
    viewer = (await client.post("/v1/api-keys", json=made, headers=party.headers)).json()["secret"]
    key = {"Idempotency-Key": "order-4711"}
    body = {"name": "Warehouse"}
    await client.post("/v1/api-keys", json=body, headers=party.headers | key)
    answer = await client.post("/v1/api-keys", json=body, headers={"Authorization": f"Bearer {viewer}"} | key)
    _is_problem(answer, 403, "permission_missing")


async def test_two_organizations_may_draw_the_same_key(client: httpx.AsyncClient, party: Party, runtime: Any) -> None:
    other = await organization(runtime.sessions, roles=["recycler"])
    key = {"Idempotency-Key": "1"}
    first = await client.post("/v1/sites", json=SITE, headers=party.headers | key)
    second = await client.post("/v1/sites", json=SITE, headers=other.headers | key)
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.race
async def test_twenty_twins_have_one_effect(race: Race) -> None:
    party = await organization(race.sessions, roles=["manufacturer"])
    before = await race.value("SELECT count(*) FROM site")
    headers = party.headers | {"Idempotency-Key": str(uuid.uuid4())}
    answers = await asyncio.gather(*(race.client.post("/v1/sites", json=SITE, headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 19
    assert await race.value("SELECT count(*) FROM site") == before + 1


@pytest.mark.race
async def test_a_twin_does_not_wait_for_ever(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", timedelta(seconds=1))
    party = await organization(race.sessions, roles=["manufacturer"])
    headers = party.headers | {"Idempotency-Key": "order-4711"}
    async with race.sessions() as session:
        claim = idempotency.Claim(key_scope(party.actor, "order-4711"), "order-4711", b"the first, still running")
        await session.execute(_CLAIMED, {"key": claim.key_hash})
        waited = await race.client.post("/v1/sites", json=SITE, headers=headers)
        await session.rollback()
    then = await race.client.post("/v1/sites", json=SITE, headers=headers)
    _is_problem(waited, 409, "idempotency_in_progress")
    assert (waited.headers["retry-after"], then.status_code) == ("1", 201)


_CLAIMED = text(
    "INSERT INTO idempotency_record (key_hash, request_hash, status_code, sealed, kept_until)"
    " VALUES (:key, '', 0, '', clock_timestamp())"
)


async def test_a_dry_run_changes_nothing(client: httpx.AsyncClient, party: Party) -> None:
    before = (await client.get("/v1/sites", headers=party.headers)).json()
    answer = await client.post("/v1/sites?dry_run=true", json=SITE, headers=party.headers)
    assert (answer.status_code, answer.headers["dry-run"]) == (201, "true")
    assert (await client.get("/v1/sites", headers=party.headers)).json() == before


async def test_pages_follow_each_other_without_a_gap(client: httpx.AsyncClient, party: Party) -> None:
    made = [(await client.post("/v1/sites", json=SITE, headers=party.headers)).json()["id"] for _ in range(5)]
    first = (await client.get("/v1/sites?limit=4", headers=party.headers)).json()
    rest = (await client.get(f"/v1/sites?limit=4&cursor={first['next_cursor']}", headers=party.headers)).json()
    assert [site["id"] for site in first["data"] + rest["data"]] == [*reversed(made), party.site.id]
    assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)


@pytest.mark.parametrize("cursor", ["%C3%A9", "AAAA", "!!!"])
async def test_a_made_up_cursor_is_refused(client: httpx.AsyncClient, party: Party, cursor: str) -> None:
    answer = await client.get(f"/v1/sites?cursor={cursor}", headers=party.headers)
    _is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["code"] == "cursor_invalid"


async def test_a_method_that_is_not_offered_is_told_which_are(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/listings")
    _is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_a_word_in_the_place_of_an_id_is_no_id(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.get("/v1/certificates/verify", headers=party.headers)
    _is_problem(answer, 405, "method_not_allowed")


async def test_nobody_is_told_to_present_a_credential_before_anything_else(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/sites", headers={"Idempotency-Key": "short"}, json={})
    _is_problem(answer, 401, "unauthenticated")


async def test_a_dry_run_minds_the_length_of_its_key(client: httpx.AsyncClient, party: Party) -> None:
    headers = {**party.headers, "Idempotency-Key": "k" * 256}
    answer = await client.post(f"/v1/api-keys/{party.actor.key_id}/revoke?dry_run=true", headers=headers)
    _is_problem(answer, 422, "invalid")


async def test_text_that_no_database_can_hold_is_refused_in_a_query(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.get("/v1/events?types=%00", headers=party.headers)
    _is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["code"] == "text_unstorable"
