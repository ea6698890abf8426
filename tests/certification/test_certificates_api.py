"""The partners' side: reports, drafts, submission and verification over HTTP, and who sees what."""

from typing import Any

import httpx
import pytest

from services.certification.custody import MadeOutput
from services.kernel.database import Sessions
from tests.factories.certification import (
    MOTORS,
    Plant,
    draft_of,
    make,
    plant,
    processed,
    received,
    record,
    submitted,
)
from tests.factories.parties import Party, organization

TICKET = {"sha256": "cd" * 32, "name": "shredder.log", "media_type": "text/plain", "size": 9_000}


@pytest.fixture
async def at(sessions: Sessions) -> Plant:
    return await plant(sessions)


def tonnes(value: str) -> dict[str, str]:
    return {"value": value, "unit": "t"}


async def post(client: httpx.AsyncClient, by: Party, path: str, body: Any = None, **headers: str) -> httpx.Response:
    return await client.post(path, json=body, headers={**by.headers, **headers})


async def get(client: httpx.AsyncClient, by: Party, path: str) -> httpx.Response:
    return await client.get(path, headers=by.headers)


async def issued_by_http(client: httpx.AsyncClient, at: Plant) -> dict[str, Any]:
    draft = await processed(at)
    path = f"/v1/certificates/{draft.id}"
    body = {
        "verifier_id": at.verifier.org.id,
        "evidence": [TICKET],
        "goods": "end-of-life equipment",
        "distance_km": "231",
    }
    assert (await post(client, at.recycler, f"{path}/submit", body)).status_code == 200
    taken = await post(client, at.verifier, f"{path}/take_up")
    assert taken.status_code == 200, taken.text
    answer = await post(client, at.verifier, f"{path}/issue", **{"If-Match": taken.headers["etag"]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_make_is_reported_and_read_back(client: httpx.AsyncClient, at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])
    body = {
        "type": "make",
        "operation": "R4",
        "inputs": [{"batch_id": batch.id}],
        "outputs": [
            {"material": "copper", "mass": tonnes("11"), "disposition": "product"},
            {"material": "residue", "mass": tonnes("0.7"), "disposition": "residue", "waste_code": "16 02 16"},
        ],
        "loss": {"mass": tonnes("0.06"), "reason": "dust"},
        "evidence": [TICKET],
    }

    answer = await post(client, at.recycler, "/v1/custody-events", body)

    assert answer.status_code == 201, answer.text
    event = answer.json()
    assert event["loss"] == {"value": "60", "unit": "kg"}
    assert [line["material"] for line in event["lines"]] == ["mixed", "copper", "residue"]
    assert (await get(client, at.recycler, f"/v1/custody-events/{event['id']}")).json() == event
    residue = event["lines"][2]["batch_id"]
    told = (await get(client, at.recycler, f"/v1/material-batches/{residue}")).json()
    assert told["waste_codes"][0]["code"] == "16 02 16"


async def test_a_report_that_does_not_balance_is_422_and_changes_nothing(client: httpx.AsyncClient, at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])
    body = {
        "type": "make",
        "operation": "R4",
        "inputs": [{"batch_id": batch.id}],
        "outputs": [{"material": "copper", "mass": tonnes("12"), "disposition": "product"}],
    }

    answer = await post(client, at.recycler, "/v1/custody-events", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "mass_balance")
    left = await get(client, at.recycler, f"/v1/material-batches/{batch.id}")
    assert left.json()["remaining"] == {"value": "11760", "unit": "kg"}


async def test_a_dry_run_answers_the_event_and_writes_none(client: httpx.AsyncClient, at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])
    body = {"type": "modify", "inputs": [{"batch_id": batch.id}], "activity": "data_erasure"}

    tried = await post(client, at.recycler, "/v1/custody-events?dry_run=true", body)

    assert (tried.status_code, tried.json()["type"]) == (201, "modify")
    events = (await get(client, at.recycler, "/v1/custody-events")).json()["data"]
    assert [event["type"] for event in events] == ["move"]


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"operation": None}, "/operation", "required"),
        ({"operation": "R99"}, "/operation", "operation_unknown"),
        ({"outputs": [{"material": "unobtainium", "mass": tonnes("11.76"), "disposition": "product"}]},
         "/outputs/0/material", "material_unknown"),
        ({"outputs": [{"material": "steel", "mass": tonnes("11.76"), "disposition": "product", "waste_code": "999999"}]},
         "/outputs/0/waste_code", "code_not_valid"),
        ({"type": "modify", "outputs": [], "operation": None}, "/activity", "required"),
        ({"type": "modify"}, "/type", "not_a_modify"),
        ({"type": "adjust"}, "/inputs/0/mass", "required"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_pointed_at(
    client: httpx.AsyncClient, at: Plant, changes: dict[str, Any], pointer: str, code: str
) -> None:
    (batch,) = await received(at, [MOTORS])
    body = {
        "type": "make",
        "operation": "R4",
        "inputs": [{"batch_id": batch.id}],
        "outputs": [{"material": "steel", "mass": tonnes("11.76"), "disposition": "product"}],
    }

    answer = await post(client, at.recycler, "/v1/custody-events", body | changes)

    assert answer.status_code == 422, answer.text
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_a_foreign_batch_is_not_there(client: httpx.AsyncClient, at: Plant, sessions: Sessions) -> None:
    (batch,) = await received(at, [MOTORS])
    stranger = await organization(sessions, roles=["recycler"], name="Fremd")

    assert (await get(client, stranger, f"/v1/material-batches/{batch.id}")).status_code == 404
    assert (await get(client, at.seller, f"/v1/material-batches/{batch.id}")).status_code == 404
    assert (await get(client, stranger, "/v1/custody-events")).json()["data"] == []


async def test_the_story_ends_in_a_certificate(client: httpx.AsyncClient, at: Plant) -> None:
    told = await issued_by_http(client, at)

    assert (told["status"], told["type"], told["operation"]) == ("issued", "recycling", "R4")
    assert (told["input"], told["certified"]) == (
        {"value": "17340", "unit": "kg"},
        {"value": "14910", "unit": "kg"},
    )
    version = told["current_version"]
    assert version["credential_url"] == f"http://testserver/credentials/{told['id']}/1"
    assert told["allowed_transitions"] == ["suspend", "revoke"]
    assert told["distance_km"] == "231"


async def test_issuing_needs_the_version_that_was_read(client: httpx.AsyncClient, at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    path = f"/v1/certificates/{draft.id}"
    await post(client, at.verifier, f"{path}/take_up")

    without = await post(client, at.verifier, f"{path}/issue")
    stale = await post(client, at.verifier, f"{path}/issue", **{"If-Match": '"1"'})

    assert (without.status_code, without.json()["code"]) == (428, "version_required")
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")


async def test_a_dry_run_of_issue_answers_the_certificate_and_signs_nothing(
    client: httpx.AsyncClient, at: Plant
) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    path = f"/v1/certificates/{draft.id}"
    taken = await post(client, at.verifier, f"{path}/take_up")

    tried = await post(client, at.verifier, f"{path}/issue?dry_run=true", **{"If-Match": taken.headers["etag"]})

    assert (tried.status_code, tried.json()["status"]) == (200, "issued")
    assert (await get(client, at.verifier, path)).json()["status"] == "verifying"
    assert (await client.get(f"/credentials/{draft.id}/1")).status_code == 404


async def test_an_issue_repeated_under_its_key_has_one_effect(client: httpx.AsyncClient, at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    path = f"/v1/certificates/{draft.id}"
    taken = await post(client, at.verifier, f"{path}/take_up")
    headers = {"If-Match": taken.headers["etag"], "Idempotency-Key": "one-issue"}

    once = await post(client, at.verifier, f"{path}/issue", **headers)
    twice = await post(client, at.verifier, f"{path}/issue", **headers)

    assert once.json() == twice.json()
    assert twice.headers["idempotency-replayed"] == "true"


async def test_blocked_transitions_tell_every_reason_beforehand(client: httpx.AsyncClient, at: Plant) -> None:
    draft = await processed(at)

    told = (await get(client, at.recycler, f"/v1/certificates/{draft.id}")).json()

    (blocked,) = told["blocked_transitions"]
    assert blocked["name"] == "submit"
    assert {reason["code"] for reason in blocked["reasons"]} == {"evidence_missing", "verifier_missing"}
    assert told["allowed_transitions"] == ["withdraw"]


async def test_the_verifier_sees_what_was_submitted_to_it_and_no_draft(client: httpx.AsyncClient, at: Plant) -> None:
    draft = await processed(at)
    before = await get(client, at.verifier, f"/v1/certificates/{draft.id}")
    await submitted(at, draft.id)
    after = await get(client, at.verifier, f"/v1/certificates/{draft.id}")

    assert (before.status_code, after.status_code) == (404, 200)
    assert after.json()["evidence"][0]["name"] == "scale-ticket-4711.pdf"
    assert after.json()["allowed_transitions"] == ["take_up"]


async def test_who_gave_the_goods_sees_the_certificate_and_not_what_it_rests_on(
    client: httpx.AsyncClient, at: Plant
) -> None:
    issued = await issued_by_http(client, at)

    told = (await get(client, at.seller, f"/v1/certificates/{issued['id']}")).json()
    foreign = await get(client, at.carrier, f"/v1/certificates/{issued['id']}")

    assert told["certified"] == issued["certified"]
    assert (told["batches"], told["evidence"], told["custody_event_ids"], told["site_id"]) == ([], [], [], None)
    assert told["allowed_transitions"] == []
    assert foreign.status_code == 404


async def test_lists_show_each_party_its_own(client: httpx.AsyncClient, at: Plant) -> None:
    issued = await issued_by_http(client, at)

    answers = [
        (await get(client, party, "/v1/certificates?status=issued")).json()["data"]
        for party in (at.recycler, at.verifier, at.seller, at.carrier)
    ]

    assert [[row["id"] for row in rows] for rows in answers] == [[issued["id"]]] * 3 + [[]]


async def test_a_certificate_is_drafted_on_request(client: httpx.AsyncClient, at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])
    half = make([batch], [MadeOutput("copper", 11_760_000, "product")])
    event = await record(at, half)
    body = {"type": "recycling", "custody_event_ids": [event.id]}

    answer = await post(client, at.recycler, "/v1/certificates", body)
    twice = await post(client, at.recycler, "/v1/certificates", body | {"order_id": at.order_id})

    assert (answer.status_code, answer.json()["status"]) == (201, "draft")
    assert answer.json()["id"] == (await draft_of(at)).id
    assert (twice.status_code, twice.json()["errors"][0]["code"]) == (422, "one_subject")


async def test_a_waste_code_holds_by_jurisdiction_and_day(client: httpx.AsyncClient, at: Plant) -> None:
    path = "/v1/waste-codes/LoW/160607"
    holds = await get(client, at.recycler, f"{path}?jurisdiction=EU&on=2026-11-09")
    not_yet = await get(client, at.recycler, f"{path}?jurisdiction=DE&on=2026-11-08")
    unknown = await get(client, at.recycler, "/v1/waste-codes/LoW/999999")

    assert (holds.json()["printed"], holds.json()["is_hazardous"]) == ("16 06 07*", True)
    assert (not_yet.status_code, not_yet.json()["code"]) == (404, "code_not_valid")
    assert not_yet.json()["errors"][0]["code"] == "not_yet_valid"
    assert (unknown.status_code, unknown.json()["code"]) == (404, "reference_data_missing")


async def test_factor_sets_name_their_source_and_hash(client: httpx.AsyncClient, at: Plant) -> None:
    (found,) = (await get(client, at.recycler, "/v1/factor-sets")).json()["data"]

    assert (found["id"], found["licence"], len(found["sha256"])) == ("desnz-2025-excerpt", "OGL-3.0", 64)


async def test_nobody_reports_or_reads_custody_without_a_key(client: httpx.AsyncClient) -> None:
    answers = [await client.get(path) for path in ("/v1/material-batches", "/v1/custody-events", "/v1/certificates")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
