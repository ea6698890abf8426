"""Data Integrity proofs over RFC 8785: `eddsa-jcs-2022`, and `ecdsa-jcs-2019` on P-256 with RFC 6979.

Sources: W3C Data Integrity EdDSA and ECDSA Cryptosuites v1.0; keys are W3C Multikey strings.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.certification import multibase

EDDSA = "eddsa-jcs-2022"
ECDSA = "ecdsa-jcs-2019"

TYPE = "DataIntegrityProof"
_SIGNATURE_LENGTH = 64
_COORDINATE_LENGTH = 32


class ProofIsInvalid(Exception):
    """`code` is `proof_missing`, `suite_not_allowed`, `key_does_not_fit`, `context_mismatch`, `value_malformed`,
    `not_canonical` or `signature_invalid`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class NotCanonical(ValueError):
    """A value RFC 8785 has no bytes for: Decimal, NaN, an integer beyond 2**53 - 1, a lone surrogate."""


def canonical(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, TypeError, RecursionError) as error:
        raise NotCanonical(str(error)) from error


def digests(secured: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """SHA-256 of the canonical proof options and of the canonical document, in the order they are signed."""
    proof = _proof_of(secured)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    document = {name: value for name, value in secured.items() if name != "proof"}
    try:
        return hashlib.sha256(canonical(options)).digest(), hashlib.sha256(canonical(document)).digest()
    except NotCanonical as error:
        raise ProofIsInvalid("not_canonical", str(error)) from error


def _proof_of(secured: Mapping[str, Any]) -> dict[str, Any]:
    proof = secured.get("proof")
    if not isinstance(proof, dict):
        raise ProofIsInvalid("proof_missing", "the document carries no proof object")
    return proof


def add(document: Mapping[str, Any], options: Mapping[str, Any], private_key_multibase: str) -> dict[str, Any]:
    """A copy with its proof. `options`: cryptosuite, created, verificationMethod, proofPurpose."""
    proof = {**options, "type": TYPE}
    if "@context" in document:
        proof["@context"] = document["@context"]
    secured = {**document, "proof": proof}
    signature = _sign(proof.get("cryptosuite"), b"".join(digests(secured)), private_key_multibase)
    return {**secured, "proof": {**proof, "proofValue": multibase.encode(signature)}}


def _sign(suite: object, message: bytes, private_key_multibase: str) -> bytes:
    secret = _decoded(private_key_multibase, "key_does_not_fit")
    if suite == EDDSA and secret.startswith(multibase.ED25519_PRIVATE) and len(secret) == 34:
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret[2:]).sign(message)
    if suite == ECDSA and secret.startswith(multibase.P256_PRIVATE) and len(secret) == 34:
        key = ec.derive_private_key(int.from_bytes(secret[2:], "big"), ec.SECP256R1())
        der = key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return b"".join(part.to_bytes(_COORDINATE_LENGTH, "big") for part in utils.decode_dss_signature(der))
    raise ProofIsInvalid("key_does_not_fit", "the private key does not belong to the cryptosuite")


def verify(secured: Mapping[str, Any], public_key_multibase: str) -> None:
    """Raises ProofIsInvalid. Whether the key may speak for the issuer, and the time, are for the caller."""
    proof = _proof_of(secured)
    if proof.get("type") != TYPE or proof.get("cryptosuite") not in (EDDSA, ECDSA):
        raise ProofIsInvalid("suite_not_allowed", "only eddsa-jcs-2022 and ecdsa-jcs-2019 are accepted")
    if proof.get("proofPurpose") != "assertionMethod":
        raise ProofIsInvalid("suite_not_allowed", "the proof does not serve an assertion")
    if "@context" in proof and proof["@context"] != secured.get("@context"):
        raise ProofIsInvalid("context_mismatch", "the proof was made under another context")
    signature = _signature(proof.get("proofValue"))
    message = b"".join(digests(secured))
    try:
        _check(proof["cryptosuite"], signature, message, public_key_multibase)
    except InvalidSignature:
        raise ProofIsInvalid("signature_invalid", "the signature does not fit document and key") from None


def _signature(value: object) -> bytes:
    signature = _decoded(value, "value_malformed") if isinstance(value, str) else b""
    if len(signature) != _SIGNATURE_LENGTH or multibase.encode(signature) != value:
        raise ProofIsInvalid("value_malformed", "proofValue is not 64 bytes in base58btc")
    return signature


def _check(suite: str, signature: bytes, message: bytes, public_key_multibase: str) -> None:
    public = _decoded(public_key_multibase, "key_does_not_fit")
    if suite == EDDSA and public.startswith(multibase.ED25519_PUBLIC) and len(public) == 34:
        ed25519.Ed25519PublicKey.from_public_bytes(public[2:]).verify(signature, message)
    elif suite == ECDSA and public.startswith(multibase.P256_PUBLIC) and len(public) == 35:
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key = _p256_point(public[2:])
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    else:
        raise ProofIsInvalid("key_does_not_fit", "the public key does not belong to the cryptosuite")


def _p256_point(compressed: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), compressed)
    except ValueError:
        raise ProofIsInvalid("key_does_not_fit", "the public key is not a point of P-256") from None


def _decoded(text: str, code: str) -> bytes:
    try:
        return multibase.decode(text)
    except ValueError as error:
        raise ProofIsInvalid(code, str(error)) from error


def public_key(private_key_multibase: str) -> str:
    """The public Multikey of a private one."""
    secret = _decoded(private_key_multibase, "key_does_not_fit")
    if secret.startswith(multibase.ED25519_PRIVATE) and len(secret) == 34:
        raw = ed25519.Ed25519PrivateKey.from_private_bytes(secret[2:]).public_key().public_bytes_raw()
        return multibase.encode(multibase.ED25519_PUBLIC + raw)
    if secret.startswith(multibase.P256_PRIVATE) and len(secret) == 34:
        point = ec.derive_private_key(int.from_bytes(secret[2:], "big"), ec.SECP256R1()).public_key()
        return multibase.encode(multibase.P256_PUBLIC + point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
    raise ProofIsInvalid("key_does_not_fit", "neither an Ed25519 nor a P-256 private key")


def new_ed25519_key() -> str:
    """A fresh private Multikey for `eddsa-jcs-2022`."""
    return multibase.encode(multibase.ED25519_PRIVATE + ed25519.Ed25519PrivateKey.generate().private_bytes_raw())


def new_p256_key() -> str:
    """A fresh private Multikey for `ecdsa-jcs-2019`."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return multibase.encode(multibase.P256_PRIVATE + number.to_bytes(_COORDINATE_LENGTH, "big"))
