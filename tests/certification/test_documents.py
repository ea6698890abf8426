import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.certification import documents, envelopes, status_lists
from services.certification.documents import Accreditation, CertificateFacts, Output, Party, PublishedKey, Verifier
from tests.certification import standards
from tests.certification.facts import DID, HOST, KID, STORY, story

ACCREDITED = Verifier("org_2", "Prüfwerk", Accreditation("ISO/IEC 17065", "https://dakks.example/", "DAkkS (example)"))
DESTROYED = (Output("electronic equipment", 17_340_000, "destroyed"),)
EVERY_KIND = [
    story(),
    story(verifier=None),
    story(verifier=ACCREDITED),
    story(impact=None, operation=None),
    story(facility=Party("site_1", "Duisburg works", "recycler")),
    story(host="localhost:8000", issuer_did="did:web:localhost%3A8000:sandbox"),
    *[story(type=type) for type in ("reuse", "repair", "remanufacture", "recycled_content")],
    story(type="destruction", rate_ppm=None, outputs=DESTROYED, loss_g=0, operation="D10"),
]

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def by_untp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKHAUL_REFERENCE", str(standards.FOLDER))


@pytest.fixture
def by_our_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKHAUL_REFERENCE", raising=False)


def assessment(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["credentialSubject"]["conformityAssessment"][0]
    return found


def codes(change: Change) -> set[str]:
    document = copy.deepcopy(documents.build(STORY))
    change(document)
    return {problem.code for problem in documents.problems(document)}


@pytest.mark.usefixtures("by_our_rules")
@pytest.mark.parametrize("certificate", EVERY_KIND, ids=lambda certificate: certificate.type)
def test_every_kind_of_certificate_is_good_by_our_rules(certificate: CertificateFacts) -> None:
    assert documents.problems(documents.build(certificate)) == []
    assert documents.validated_by() == "own rules"


@standards.needed
@pytest.mark.usefixtures("by_untp")
@pytest.mark.parametrize("certificate", EVERY_KIND, ids=lambda certificate: certificate.type)
def test_every_kind_of_certificate_is_valid_under_the_untp_release(certificate: CertificateFacts) -> None:
    assert documents.problems(documents.build(certificate)) == []
    assert documents.validated_by() == "untp-0.7.0"


@standards.needed
def test_the_schemas_at_hand_are_those_of_the_release() -> None:
    published = standards.read("untp-0.7.0/urls.json")["sha256_of_compact_json"]
    schemas = {path: digest for path, digest in published.items() if path.startswith("schemas/")}
    compact = {
        path: json.dumps(standards.read(f"untp-0.7.0/{path}"), separators=(",", ":"), ensure_ascii=False)
        for path in schemas
    }

    assert {path: hashlib.sha256(content.encode()).hexdigest() for path, content in compact.items()} == schemas


@standards.needed
@pytest.mark.usefixtures("by_untp")
@pytest.mark.parametrize(
    "name",
    ["certificate-recycling", "certificate-recycling.jcs", "event-make", "event-move", "event-modify", "status-list"],
)
def test_the_published_examples_are_good(name: str) -> None:
    assert documents.problems(standards.read(f"examples/{name}.json")) == []


@standards.needed
@pytest.mark.usefixtures("by_untp")
def test_the_untp_schema_finds_what_deviates_in_a_foreign_document() -> None:
    event = standards.read("examples/event-make.json")

    found = documents.problems({**event, "id": "not an address", "validFrom": "yesterday"})

    assert {"/id", "/validFrom"} <= {problem.pointer for problem in found}


def test_the_certificate_has_the_shape_of_the_published_example() -> None:
    document = documents.build(STORY)
    attestation, assessed = document["credentialSubject"], assessment(document)

    assert document["@context"][2] == f"https://{HOST}/ns/v1"
    assert document["credentialStatus"]["statusListIndex"] == 94_567
    assert attestation["name"] == "Recycling of 17.340 t of end-of-life equipment"
    assert [performance["measure"] for performance in assessed["assessedPerformance"]] == [
        {"value": 85.9862, "unit": "P1"},
        {"value": 14.91, "unit": "TNE"},
    ]
    assert assessed["bh:recovery"]["bh:outputs"][0] == {
        "bh:material": "steel",
        "bh:mass_g": 9_620_000,
        "bh:outcome": "product",
    }
    assert (assessed["bh:impact"]["bh:incurred"], assessed["bh:impact"]["bh:avoided"]) == (
        "398.1661068",
        "25028.3233085",
    )
    assert (document["validFrom"], document["validUntil"]) == ("2027-02-17T10:00:00Z", "2032-02-17T10:00:00Z")


@pytest.mark.parametrize(
    ("verifier", "levels"),
    [
        (None, ("self", "no-endorsement", "declaration")),
        (Verifier("org_2", "Prüfwerk"), ("hybrid", "no-endorsement", "verification")),
        (ACCREDITED, ("3rdParty", "scheme-cab", "certification")),
    ],
)
def test_the_attestation_claims_no_more_independence_than_there_was(
    verifier: Verifier | None, levels: tuple[str, str, str]
) -> None:
    subject = documents.build(story(verifier=verifier))["credentialSubject"]

    assert (subject["assessorLevel"], subject["assessmentLevel"], subject["attestationType"]) == levels
    assert ("authorisation" in subject) == (levels[0] == "3rdParty")
    assert ("bh:verifier" in subject) == (verifier is not None)


def test_a_figure_that_is_missing_is_absent_and_not_zero() -> None:
    assert STORY.impact is not None
    without = documents.build(story(impact=replace(STORY.impact, avoided=None)))

    assert "bh:avoided" not in assessment(without)["bh:impact"]
    assert documents.problems(without) == []


@pytest.mark.usefixtures("by_our_rules")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["@context"].reverse(), "const"),
        (lambda d: d["@context"].pop(), "minItems"),
        (lambda d: d.pop("credentialStatus"), "required"),
        (lambda d: d["credentialStatus"].update(statusListIndex="94567"), "type"),
        (lambda d: d["credentialStatus"].update(statusPurpose="suspension"), "const"),
        (lambda d: d["credentialStatus"].update(statusListIndex=5), "status_mismatch"),
        (lambda d: d["issuer"].update(id="did:web:other.example"), "issuer_mismatch"),
        (lambda d: d.update(id="https://other.example/credentials/crt_1/1"), "foreign_id"),
        (lambda d: d.update(id="not an address"), "format"),
        (lambda d: d.update(validFrom="2027-02-17"), "format"),
        (lambda d: d.update(validUntil="2027-02-16T10:00:00Z"), "ends_before_it_begins"),
        (lambda d: d.update(price="120.00"), "additionalProperties"),
        (lambda d: assessment(d).update(supplier="Nordwerk"), "additionalProperties"),
        (lambda d: d["credentialSubject"].update(assessorLevel="3rdParty"), "attestation_mismatch"),
        (lambda d: d["credentialSubject"].update(assessorLevel="buyer"), "enum"),
        (lambda d: d["credentialSubject"].update({"bh:evidenceRoot": "zQm0"}), "not_a_root"),
        (lambda d: assessment(d)["assessedPerformance"][0]["measure"].update(value=100.1), "above_the_whole"),
        (lambda d: assessment(d)["assessedPerformance"][1]["measure"].update(value=17.341), "above_the_whole"),
        (lambda d: assessment(d)["assessedPerformance"][1]["measure"].update(value="14.91"), "type"),
        (lambda d: assessment(d)["assessedPerformance"][1]["measure"].update(unit="KGM"), "enum"),
        (lambda d: assessment(d)["bh:recovery"].update({"bh:loss_g": 150_001}), "mass_balance"),
        (lambda d: assessment(d)["bh:recovery"].update({"bh:operation": "R14"}), "pattern"),
        (lambda d: assessment(d)["bh:impact"].update({"bh:isComplete": True}), "impact_mismatch"),
    ],
)
def test_what_deviates_from_our_certificates_is_found(change: Change, code: str) -> None:
    assert code in codes(change)


@pytest.mark.usefixtures("by_our_rules")
@pytest.mark.parametrize(
    "document", [{}, {"type": "VerifiableCredential"}, {"type": ["VerifiableCredential"], "issuer": 7}]
)
def test_what_is_no_credential_has_problems_and_raises_nothing(document: dict[str, Any]) -> None:
    assert documents.problems(document)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "upcycling"},
        {"loss_g": 150_001},
        {"certified_g": 17_340_001},
        {"rate_ppm": None},
        {"rate_ppm": 1_000_001},
        {"valid_until": STORY.valid_from},
        {"valid_from": datetime(2027, 2, 17)},  # noqa: DTZ001
        {"version": 0},
    ],
)
def test_facts_that_contradict_themselves_never_become_a_document(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        story(**change)


@pytest.mark.usefixtures("by_our_rules")
def test_a_status_list_is_a_credential_of_the_same_issuer() -> None:
    key = envelopes.new_key()
    did_document = documents.did_document(DID, [PublishedKey(KID, jwk=envelopes.public_part(key))])
    now = datetime(2027, 2, 17, 10, tzinfo=UTC)
    bits = status_lists.set_bit(status_lists.empty(), STORY.status.index)
    made = documents.status_list_document(
        did=DID, url=STORY.status.url, bits=bits, valid_from=now, valid_until=now + timedelta(days=1)
    )

    read = envelopes.unseal(envelopes.seal(made, key, KID), did_document, now)

    assert documents.problems(read) == []
    assert status_lists.is_set(status_lists.decode(read["credentialSubject"]["encodedList"]), STORY.status.index)


def test_a_did_document_publishes_public_keys_of_its_own_did_only() -> None:
    key = envelopes.new_key()
    published = documents.did_document(DID, [PublishedKey(KID, jwk=envelopes.public_part(key))])

    assert published["assertionMethod"] == [KID]
    assert "d" not in published["verificationMethod"][0]["publicKeyJwk"]
    with pytest.raises(ValueError, match="private"):
        PublishedKey(KID, jwk=key)
    with pytest.raises(ValueError, match="DID URL"):
        documents.did_document("did:web:other.example", [PublishedKey(KID, multibase="z6Mk")])


@standards.needed
def test_our_context_and_did_document_are_those_of_the_examples() -> None:
    example = standards.read("examples/did.json")
    first, second = example["verificationMethod"]
    keys = [
        PublishedKey(first["id"], jwk=first["publicKeyJwk"]),
        PublishedKey(second["id"], multibase=second["publicKeyMultibase"]),
    ]

    assert documents.namespace_context(HOST) == standards.read("examples/ns-v1.jsonld")
    assert documents.did_document(DID, keys) == example
