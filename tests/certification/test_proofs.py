import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from services.certification import multibase, proofs
from tests.certification import standards

OPTIONS = {
    "created": "2027-02-17T10:00:00Z",
    "verificationMethod": "did:web:backhaul.example#key",
    "proofPurpose": "assertionMethod",
}
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:backhaul.example",
    "credentialSubject": {"grams": 17_340_000, "materials": ["steel", "copper"]},
}


def secured_by(key: str, suite: str = proofs.EDDSA) -> dict[str, Any]:
    return proofs.add(DOCUMENT, {**OPTIONS, "cryptosuite": suite}, key)


def code_of(secured: dict[str, Any], public: str) -> str:
    with pytest.raises(proofs.ProofIsInvalid) as refused:
        proofs.verify(secured, public)
    return refused.value.code


@standards.needed
def test_the_published_vectors_are_reproduced_byte_for_byte() -> None:
    folder = "w3c-eddsa-jcs-2022"
    key, signed = standards.read(f"{folder}/keyPair.json"), standards.read(f"{folder}/signedJCS.json")
    options, unsigned = standards.read(f"{folder}/proofConfigJCS.json"), standards.read(f"{folder}/unsigned.json")

    assert proofs.canonical(unsigned).decode() == standards.text(f"{folder}/canonDocJCS.txt")
    assert proofs.canonical(options).decode() == standards.text(f"{folder}/proofCanonJCS.txt")
    assert b"".join(proofs.digests(signed)).hex() == standards.text(f"{folder}/combinedHashJCS.txt")
    assert proofs.add(unsigned, options, key["privateKeyMultibase"]) == signed
    assert proofs.public_key(key["privateKeyMultibase"]) == key["publicKeyMultibase"]
    proofs.verify(signed, key["publicKeyMultibase"])


@standards.needed
def test_the_example_certificate_verifies_by_its_did_document() -> None:
    method = standards.read("examples/did.json")["verificationMethod"][1]
    proofs.verify(standards.read("examples/certificate-recycling.jcs.json"), method["publicKeyMultibase"])


@pytest.mark.parametrize(
    ("new_key", "suite"), [(proofs.new_ed25519_key, proofs.EDDSA), (proofs.new_p256_key, proofs.ECDSA)]
)
def test_what_is_signed_verifies_and_signing_twice_gives_equal_bytes(new_key: Any, suite: str) -> None:
    key = new_key()

    secured = secured_by(key, suite)

    proofs.verify(secured, proofs.public_key(key))
    assert secured == secured_by(key, suite)


def test_no_changed_value_and_no_changed_proof_option_verifies() -> None:
    key = proofs.new_ed25519_key()
    secured = secured_by(key)
    changes: list[dict[str, Any]] = [
        {**secured, "issuer": "did:web:other.example"},
        {**secured, "credentialSubject": {"grams": 17_340_001, "materials": ["steel", "copper"]}},
        {**secured, "added": True},
        {**secured, "proof": {**secured["proof"], "created": "2027-02-17T10:00:01Z"}},
        {**secured, "proof": {**secured["proof"], "verificationMethod": "did:web:backhaul.example#other"}},
    ]

    assert {code_of(changed, proofs.public_key(key)) for changed in changes} == {"signature_invalid"}


def test_none_of_2000_one_character_mutations_of_the_proof_value_verifies() -> None:
    key = proofs.new_ed25519_key()
    secured, public, draw = secured_by(key), proofs.public_key(key), Random(1)
    value = secured["proof"]["proofValue"]
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0-"
    mutations: set[str] = set()
    while len(mutations) < 2_000:
        place = draw.randrange(len(value))
        mutations.add(value[:place] + draw.choice(alphabet) + value[place + 1 :])
    mutations.discard(value)

    codes = {code_of({**secured, "proof": {**secured["proof"], "proofValue": v}}, public) for v in mutations}

    assert codes <= {"signature_invalid", "value_malformed"}


def test_the_key_decides_the_suite() -> None:
    ed25519, p256 = proofs.new_ed25519_key(), proofs.new_p256_key()

    assert code_of(secured_by(ed25519), proofs.public_key(p256)) == "key_does_not_fit"
    with pytest.raises(proofs.ProofIsInvalid, match="does not belong to the cryptosuite"):
        secured_by(ed25519, proofs.ECDSA)


def test_another_suite_purpose_or_context_is_refused() -> None:
    key = proofs.new_ed25519_key()
    secured, public = secured_by(key), proofs.public_key(key)
    proof = secured["proof"]

    assert code_of({**secured, "proof": {**proof, "cryptosuite": "eddsa-rdfc-2022"}}, public) == "suite_not_allowed"
    assert code_of({**secured, "proof": {**proof, "proofPurpose": "authentication"}}, public) == "suite_not_allowed"
    assert code_of({**secured, "@context": ["https://other.example"]}, public) == "context_mismatch"
    assert code_of(DOCUMENT, public) == "proof_missing"


@pytest.mark.parametrize("value", [Decimal(1), float("nan"), float("inf"), 2**53, {"a": "\ud800"}, {1: "a"}, object()])
def test_what_has_no_canonical_bytes_is_refused(value: object) -> None:
    with pytest.raises(proofs.NotCanonical):
        proofs.canonical(value)


def test_canonical_bytes_are_those_of_rfc_8785() -> None:
    assert (
        proofs.canonical({"b": 1.0, "a": [2**53 - 1, "ü", None]}) == '{"a":[9007199254740991,"ü",null],"b":1}'.encode()
    )
    assert proofs.canonical(json.loads('{"z":1e21,"a":0.000001}')) == b'{"a":0.000001,"z":1e+21}'


def test_base58_keeps_leading_zeros_and_refuses_foreign_characters() -> None:
    assert multibase.decode(multibase.encode(b"\0\0\x01\xff")) == b"\0\0\x01\xff"
    with pytest.raises(ValueError, match="base58"):
        multibase.decode("z0OIl")
    with pytest.raises(ValueError, match="base58btc"):
        multibase.decode("uAAAA")
