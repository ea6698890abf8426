"""Anybody can check a certificate offline, with libraries that are not ours, from did.json and the status list alone."""

import asyncio
import base64
import json
import random
import stat
from typing import Any

import httpx
import jwt
import pytest
from jwcrypto import jwk, jws

from services import reactions
from services.certification import envelopes, issuing, queries, status_lists, verifying
from services.certification.keys import signer
from services.certification.models import Certificate
from services.kernel.database import Sessions
from services.kernel.settings import Settings
from tests.conftest import Settle
from tests.factories.certification import Plant, issued, plant, processed, submitted, verified

TOKEN = "application/vc+jwt"


@pytest.fixture
async def at(sessions: Sessions) -> Plant:
    return await plant(sessions)


@pytest.fixture
async def certificate(at: Plant, settings: Settings) -> Certificate:
    return await issued(at, settings)


async def token_of(client: httpx.AsyncClient, certificate: Certificate, version: int = 1) -> str:
    answer = await client.get(f"/credentials/{certificate.id}/{version}")
    assert answer.headers["content-type"].startswith(TOKEN)
    return answer.text


async def keys(client: httpx.AsyncClient) -> dict[str, Any]:
    """By kid, out of the sandbox's did.json."""
    did = (await client.get("/sandbox/did.json")).json()
    return {method["id"]: method for method in did["verificationMethod"]}


async def checked(client: httpx.AsyncClient, credential: object) -> dict[str, Any]:
    answer = await client.post("/v1/certificates/verify", json={"credential": credential})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def results(told: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["result"] for check in told["checks"]}


def failures(told: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["code"] for check in told["checks"] if check["result"] == "fail"}


async def test_pyjwt_and_jwcrypto_verify_the_token_from_did_json_alone(
    client: httpx.AsyncClient, certificate: Certificate
) -> None:
    token, published = await token_of(client, certificate), await keys(client)
    key = published[jwt.get_unverified_header(token)["kid"]]["publicKeyJwk"]

    by_pyjwt = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["ES256"])
    other = jws.JWS()
    other.deserialize(token, jwk.JWK(**key))

    assert by_pyjwt == json.loads(other.payload)
    assert by_pyjwt["id"] == f"https://testserver/credentials/{certificate.id}/1"
    assert by_pyjwt["issuer"]["id"] == "did:web:testserver:sandbox"


async def test_the_document_with_its_proof_is_the_same_content(
    client: httpx.AsyncClient, certificate: Certificate
) -> None:
    token = await token_of(client, certificate)
    answer = await client.get(f"/credentials/{certificate.id}/1", headers={"Accept": "application/vc"})
    secured = answer.json()

    told = await checked(client, secured)

    assert answer.headers["content-type"].startswith("application/vc")
    assert told["verified"], told
    assert {name: value for name, value in secured.items() if name != "proof"} == envelopes.peek(token)


async def test_every_check_passes_for_what_stands(client: httpx.AsyncClient, certificate: Certificate) -> None:
    token = await token_of(client, certificate)

    told = await checked(client, token)

    assert told["verified"] is True
    assert results(told) == dict.fromkeys(verifying.NAMES, "pass")


async def test_an_enveloped_credential_verifies_too(client: httpx.AsyncClient, certificate: Certificate) -> None:
    token = await token_of(client, certificate)
    enveloped = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:{TOKEN},{token}",
    }

    assert (await checked(client, enveloped))["verified"] is True


async def test_one_changed_byte_never_verifies(
    client: httpx.AsyncClient, certificate: Certificate, at: Plant, settings: Settings
) -> None:
    token, dice = await token_of(client, certificate), random.Random(7)
    async with at.work() as work:
        did_document = await verifying.published_did(work, settings, livemode=False)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    mutated = [changed(token, dice.randrange(len(token)), alphabet, dice) for _ in range(500)]

    assert [one for one in mutated if verifies(one, did_document, certificate)] == []


def changed(token: str, place: int, alphabet: str, dice: random.Random) -> str:
    other = dice.choice(alphabet.replace(token[place], ""))
    return token[:place] + other + token[place + 1 :]


def verifies(token: str, did_document: dict[str, Any], certificate: Certificate) -> bool:
    assert certificate.issued_at is not None
    try:
        envelopes.unseal(token, did_document, certificate.issued_at)
    except envelopes.EnvelopeIsInvalid:
        return False
    return True


async def test_a_changed_figure_fails_at_the_signature_and_the_rest_is_skipped(
    client: httpx.AsyncClient, certificate: Certificate
) -> None:
    header, payload, signature = (await token_of(client, certificate)).split(".")
    content = json.loads(base64.urlsafe_b64decode(payload + "=="))
    content["credentialSubject"]["conformityAssessment"][0]["bh:recovery"]["bh:loss_g"] += 1
    forged = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    told = await checked(client, f"{header}.{forged}.{signature}")

    assert told["verified"] is False
    assert failures(told) == {"signature": "signature_invalid"}
    assert {results(told)[name] for name in ("status", "latest_version", "impact_recomputed")} == {"skipped"}


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_foreign_algorithm_never_verifies(
    client: httpx.AsyncClient, certificate: Certificate, algorithm: str
) -> None:
    token = await token_of(client, certificate)
    kid = jwt.get_unverified_header(token)["kid"]
    secret = "" if algorithm == "none" else "s" * 40
    forged = jwt.encode(
        envelopes.peek(token), secret, algorithm=algorithm, headers={"kid": kid, "typ": "vc+jwt", "cty": "vc"}
    )

    assert failures(await checked(client, forged)) == {"algorithm": "algorithm_not_allowed"}


async def test_an_issuer_we_do_not_know_is_told(client: httpx.AsyncClient) -> None:
    key = envelopes.new_key()
    foreign = {"type": ["VerifiableCredential"], "issuer": "did:web:elsewhere.example"}
    token = envelopes.seal(foreign, key, "did:web:elsewhere.example#k")

    assert failures(await checked(client, token)) == {"issuer": "unknown_issuer"}


@pytest.mark.parametrize("nonsense", ["no token", "a.b.c", {"type": ["Something"]}, "{}", '{"type": 1, "type": 2}'])
async def test_what_is_no_credential_is_422(client: httpx.AsyncClient, nonsense: object) -> None:
    answer = await client.post("/v1/certificates/verify", json={"credential": nonsense})

    assert answer.status_code == 422
    assert answer.json()["code"] == "not_a_credential"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_revocation_shows_in_the_status_list_and_in_verification(
    client: httpx.AsyncClient,
    certificate: Certificate,
    at: Plant,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(reactions.REACTIONS, "certificate.issued")  # there is no order whose obligation it could fulfil
    token = await token_of(client, certificate)
    entry = envelopes.peek(token)["credentialStatus"]
    url = entry["statusListCredential"].removeprefix("https://testserver")
    before = await client.get(url)
    async with at.work(at.verifier) as work:
        await issuing.revoke(work, certificate.id, reason="The ticket was forged.", by=at.verifier.actor)
    await settle()
    after = await client.get(url)

    bits = [_bits(answer.text) for answer in (before, after)]
    assert [status_lists.is_set(bit, entry["statusListIndex"]) for bit in bits] == [False, True]
    assert sum((one ^ other).bit_count() for one, other in zip(*bits, strict=True)) == 1
    assert before.headers["etag"] != after.headers["etag"]
    assert (await client.get(url, headers={"If-None-Match": after.headers["etag"]})).status_code == 304
    assert failures(await checked(client, token)) == {"status": "revoked"}
    told = (await client.get(f"/v1/certificates/{certificate.id}/verification")).json()
    assert (told["verified"], told["status"]) == (False, "revoked")


def _bits(token: str) -> bytes:
    return status_lists.decode(envelopes.peek(token)["credentialSubject"]["encodedList"])


async def test_the_status_list_is_signed_by_the_same_issuer(
    client: httpx.AsyncClient, certificate: Certificate
) -> None:
    entry = envelopes.peek(await token_of(client, certificate))["credentialStatus"]
    listed = (await client.get(entry["statusListCredential"].removeprefix("https://testserver"))).text

    told = await checked(client, listed)

    assert told["verified"] is True
    assert results(told)["status"] == "skipped"


async def test_an_old_version_says_that_a_newer_one_followed(
    client: httpx.AsyncClient, certificate: Certificate, at: Plant, settings: Settings
) -> None:
    old = await token_of(client, certificate)
    async with at.work(at.verifier) as work:
        await issuing.suspend(work, certificate.id, reason="A doubt.", by=at.verifier.actor)
    async with at.work() as work:
        await issuing.reinstate(work, certificate.id, signer(settings, livemode=False), by=work.actor)

    assert failures(await checked(client, old)) == {"status": "revoked", "latest_version": "newer_version"}
    assert (await checked(client, await token_of(client, certificate, 2)))["verified"] is True


async def test_the_chain_is_told_down_to_its_origin_by_role_and_without_a_name(
    client: httpx.AsyncClient, certificate: Certificate, at: Plant
) -> None:
    answer = await client.get(f"/v1/certificates/{certificate.id}/verification")

    chain = answer.json()["chain"]
    assert [(step["kind"], step["by"]) for step in chain[-1:]] == [("move", ["holder", "carrier"])]
    assert sorted(step["kind"] for step in chain) == ["make", "modify", *["move"] * 5]
    assert all(step["is_intact"] and step["country"] == "DE" for step in chain)
    names = ("Nordwerk", "Fulda", at.seller.org.id, at.carrier.org.id, at.order_id, "bat_", "ord_", "pku_", "cst_")
    assert [name for name in names if name in answer.text] == []


async def test_the_page_is_escaped(client: httpx.AsyncClient, at: Plant, settings: Settings) -> None:
    draft = await processed(at)
    await submitted(at, draft.id, goods="<script>alert(1)</script>")
    await verified(at, draft.id, settings)

    page = await client.get(f"/c/{draft.id}")

    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_the_page_is_unlisted_and_says_whether_it_stands(
    client: httpx.AsyncClient, certificate: Certificate, at: Plant
) -> None:
    page = await client.get(f"/c/{certificate.id}")
    async with at.work(at.verifier) as work:
        await issuing.suspend(work, certificate.id, reason="A doubt.", by=at.verifier.actor)
    fallen = await client.get(f"/c/{certificate.id}")

    assert "This certificate stands." in page.text
    assert "SANDBOX" in page.text
    assert "17.340 t" in page.text
    assert "25,028.3 kgCO2e" in page.text
    assert (page.headers["x-robots-tag"], page.headers["access-control-allow-origin"]) == ("noindex", "*")
    assert "does not stand for now" in fallen.text


async def test_the_page_answers_json_to_programs(client: httpx.AsyncClient, certificate: Certificate) -> None:
    told = (await client.get(f"/c/{certificate.id}", headers={"Accept": "application/json"})).json()

    assert (told["stands"], told["version"], told["livemode"]) == (True, 1, False)
    assert told["impact"]["incurred"] == "398.1661068"
    assert told["recovery"]["input"]["mass_g"] == 17_340_000


async def test_the_statement_is_served_as_it_was_frozen(client: httpx.AsyncClient, certificate: Certificate) -> None:
    told = (await client.get(f"/credentials/{certificate.id}/1/impact")).json()

    assert told["totals"][0] == {
        "indicator": "gwp100",
        "unit": "kgCO2e",
        "incurred": "398.1661068",
        "avoided": "25028.3233085",
        "is_complete": False,
    }


async def test_context_and_rules_lie_where_the_credential_says(
    client: httpx.AsyncClient, certificate: Certificate
) -> None:
    credential = envelopes.peek(await token_of(client, certificate))
    scheme = credential["credentialSubject"]["referenceScheme"]["id"]

    context = await client.get(credential["@context"][2].removeprefix("https://testserver"))
    rules = await client.get(scheme.removeprefix("https://testserver"))

    assert context.json()["@context"]["bh"]["@id"] == "https://testserver/ns/v1#"
    assert rules.json()["factor_set"] == "desnz-2025-excerpt"
    assert rules.json()["rules"]


async def test_a_draft_has_no_public_face(client: httpx.AsyncClient, at: Plant) -> None:
    draft = await processed(at)

    paths = (f"/c/{draft.id}", f"/credentials/{draft.id}/1", f"/v1/certificates/{draft.id}/verification")
    answers = [await client.get(path) for path in paths]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}


async def test_live_and_sandbox_have_keys_apart_and_files_only_their_owner_reads(settings: Settings) -> None:
    pairs = [signer(settings, livemode=livemode) for livemode in (False, True)]

    files = [file for file in (settings.data_dir / "keys").rglob("*") if file.is_file()]
    assert len({pair.es256.kid for pair in pairs}) == 2
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_many_first_uses_make_one_key(settings: Settings) -> None:
    made = await asyncio.gather(*(asyncio.to_thread(signer, settings, livemode=False) for _ in range(8)))

    assert len({one.es256.kid for one in made}) == 1


async def test_the_private_half_is_not_in_the_database(at: Plant, certificate: Certificate) -> None:
    async with at.work() as work:
        rows = await queries.signing_keys(work, livemode=False)

    assert {row.algorithm for row in rows} == {"ES256", "Ed25519"}
    assert [row.kid for row in rows if "d" in row.public] == []


async def test_a_browser_of_another_origin_may_post(client: httpx.AsyncClient) -> None:
    answer = await client.options(
        "/v1/certificates/verify", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
