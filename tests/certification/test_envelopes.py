import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import jwt
import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from services.certification import documents, envelopes
from services.certification.documents import PublishedKey
from tests.certification import standards
from tests.certification.facts import DID, KID, STORY

IN_2028 = datetime(2028, 1, 1, tzinfo=UTC)
KEY = envelopes.new_key()
DID_DOCUMENT = documents.did_document(DID, [PublishedKey(KID, jwk=envelopes.public_part(KEY))])
DOCUMENT = documents.build(STORY)
TOKEN = envelopes.seal(DOCUMENT, KEY, KID)
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LIKELY = BASE64URL.encode() * 20 + bytes(range(256))


def refusal(token: str, did_document: Mapping[str, Any] = DID_DOCUMENT, at: datetime = IN_2028) -> str:
    with pytest.raises(envelopes.EnvelopeIsInvalid) as refused:
        envelopes.unseal(token, did_document, at)
    return refused.value.code


def part(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def with_header(**changes: Any) -> str:
    header = {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": KID, "iss": DID, **changes}
    return ".".join([part(header), *TOKEN.split(".")[1:]])


def test_what_is_sealed_is_what_is_unsealed() -> None:
    assert envelopes.unseal(TOKEN, DID_DOCUMENT, IN_2028) == DOCUMENT
    assert jwt.get_unverified_header(TOKEN) == {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": KID, "iss": DID}


def test_two_other_libraries_verify_the_token_given_the_did_document_alone() -> None:
    published = json.loads(json.dumps(DID_DOCUMENT))["verificationMethod"][0]["publicKeyJwk"]

    by_jwcrypto = JWS()
    by_jwcrypto.deserialize(TOKEN, JWK(**published), alg="ES256")

    assert jwt.decode(TOKEN, jwt.PyJWK(published), algorithms=["ES256"]) == DOCUMENT
    assert json.loads(by_jwcrypto.payload) == DOCUMENT


@standards.needed
def test_the_example_tokens_verify() -> None:
    did_document = standards.read("examples/did.json")
    token = standards.text("examples/certificate-recycling.vc.jwt")

    assert envelopes.unseal(token, did_document, IN_2028) == standards.read("examples/certificate-recycling.json")


def test_none_of_10000_one_byte_mutations_verifies() -> None:
    draw, content = Random(7), TOKEN.encode()
    mutations: set[bytes] = set()
    while len(mutations) < 10_000:
        place = draw.randrange(len(content))
        mutations.add(content[:place] + bytes([draw.choice(LIKELY)]) + content[place + 1 :])
        mutations.discard(content)
    every_last_character = {(TOKEN[:-1] + character).encode() for character in BASE64URL if character != TOKEN[-1]}

    codes = {refusal(mutation.decode("latin-1")) for mutation in mutations | every_last_character}

    assert codes <= {"not_a_token", "algorithm_not_allowed", "unknown_key", "signature_invalid", "issuer_mismatch"}
    assert "signature_invalid" in codes


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", "EdDSA", "Ed25519", "es256", None])
def test_only_es256_is_accepted(algorithm: str | None) -> None:
    assert refusal(with_header(alg=algorithm)) == "algorithm_not_allowed"


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    forged = jwt.encode(DOCUMENT, KEY["x"] + KEY["y"], algorithm="HS256", headers={"kid": KID, "typ": "vc+jwt"})

    assert refusal(forged) == "algorithm_not_allowed"


def test_a_key_the_did_document_does_not_have_for_assertions_is_unknown() -> None:
    only_authenticating = {**DID_DOCUMENT, "assertionMethod": []}

    assert refusal(with_header(kid=f"{DID}#other")) == "unknown_key"
    assert refusal(with_header(kid=None)) == "unknown_key"
    assert refusal(TOKEN, only_authenticating) == "unknown_key"


def test_a_key_of_another_kind_does_not_verify_es256() -> None:
    okp = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    did_document = documents.did_document(DID, [PublishedKey(KID, jwk=okp)])

    assert refusal(TOKEN, did_document) == "algorithm_not_allowed"


def test_the_wrong_key_under_the_right_name_does_not_verify() -> None:
    other = documents.did_document(DID, [PublishedKey(KID, jwk=envelopes.public_part(envelopes.new_key()))])

    assert refusal(TOKEN, other) == "signature_invalid"


def test_a_credential_is_valid_from_until_and_both_ends_count() -> None:
    envelopes.unseal(TOKEN, DID_DOCUMENT, STORY.valid_from)
    envelopes.unseal(TOKEN, DID_DOCUMENT, STORY.valid_until)

    assert refusal(TOKEN, at=datetime(2027, 2, 17, 9, 59, 59, tzinfo=UTC)) == "not_yet_valid"
    assert refusal(TOKEN, at=datetime(2032, 2, 17, 10, 0, 1, tzinfo=UTC)) == "expired"


def test_issuer_key_and_header_name_one_issuer() -> None:
    foreign = {**DOCUMENT, "issuer": "did:web:other.example"}
    sealed_by_hand = jwt.encode(
        foreign, jwt.PyJWK({**KEY, "alg": "ES256"}), algorithm="ES256", headers={"kid": KID, "typ": "vc+jwt"}
    )

    assert refusal(sealed_by_hand) == "issuer_mismatch"
    with pytest.raises(envelopes.EnvelopeIsInvalid, match="issuer"):
        envelopes.seal(foreign, KEY, KID)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c.d",
        "é.b.c",
        "x" * 300_000,
        f"{part([])}.{part({})}.AA",
        "===.===.===",
        f"{part(b'[' * 100_000)}.e30.AA",
    ],
)
def test_what_is_no_token_is_told_so(token: str) -> None:
    assert refusal(token) == "not_a_token"


@pytest.mark.parametrize("change", [{"typ": "JWT"}, {"cty": "vp"}, {"crit": ["b64"], "b64": False}])
def test_another_kind_of_token_is_refused(change: dict[str, Any]) -> None:
    assert refusal(with_header(**change)) == "not_a_token"


def test_json_with_a_name_twice_is_refused() -> None:
    header = b'{"alg":"none","alg":"ES256","typ":"vc+jwt","kid":"x"}'

    assert refusal(f"{part(header)}.{part({})}.AA") == "not_a_token"
    with pytest.raises(envelopes.JsonIsRefused, match="twice"):
        envelopes.parse_json('{"a": {"b": 1, "b": 2}}')
    with pytest.raises(envelopes.JsonIsRefused, match="NaN"):
        envelopes.parse_json('{"a": NaN}')


@pytest.mark.parametrize(
    ("host", "livemode", "did", "url"),
    [
        ("backhaul.example", True, "did:web:backhaul.example", "https://backhaul.example/.well-known/did.json"),
        ("backhaul.example", False, "did:web:backhaul.example:sandbox", "https://backhaul.example/sandbox/did.json"),
        ("localhost:8000", True, "did:web:localhost%3A8000", "https://localhost:8000/.well-known/did.json"),
        ("localhost:8000", False, "did:web:localhost%3A8000:sandbox", "https://localhost:8000/sandbox/did.json"),
    ],
)
def test_an_issuer_has_a_did_per_host_and_mode(host: str, livemode: bool, did: str, url: str) -> None:
    assert envelopes.did_web(host, livemode=livemode) == did
    assert envelopes.did_url(did) == url
