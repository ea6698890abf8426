"""The certificate itself: a credential in a JWS (VC-JOSE-COSE, `vc+jwt`, ES256 only) and its issuer's did:web.

The key decides the algorithm, never the header: `none`, HS256 or a foreign `kid` do not verify. Nothing is fetched.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from services.certification import proofs

ALGORITHM = "ES256"
TYPE = "vc+jwt"
MOST_BYTES = 256 * 1024

_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y")


class EnvelopeIsInvalid(Exception):
    """`code` is `not_a_token`, `algorithm_not_allowed`, `unknown_key`, `signature_invalid`, `issuer_mismatch`,
    `not_yet_valid` or `expired`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class JsonIsRefused(ValueError):
    """Not JSON, or JSON with a name twice, NaN, Infinity, or nested too deeply to read."""


def seal(document: Mapping[str, Any], private_jwk: Mapping[str, Any], kid: str) -> str:
    """`kid` is a DID URL of the document's issuer. The payload is the document's RFC 8785 bytes.

    Raises EnvelopeIsInvalid(`issuer_mismatch`, `algorithm_not_allowed`) and proofs.NotCanonical.
    """
    did = kid.partition("#")[0]
    if _issuer(document) != did:
        raise EnvelopeIsInvalid("issuer_mismatch", "the key does not belong to the document's issuer")
    if private_jwk.get("kty") != "EC" or private_jwk.get("crv") != "P-256" or "d" not in private_jwk:
        raise EnvelopeIsInvalid("algorithm_not_allowed", "sealing needs a private P-256 key")
    header = {"alg": ALGORITHM, "typ": TYPE, "cty": "vc", "kid": kid, "iss": did}
    key = ECKey.import_key({name: private_jwk[name] for name in (*_PUBLIC_MEMBERS, "d")})
    return jws.serialize_compact(header, proofs.canonical(document), key, registry=_REGISTRY)


def unseal(token: str, did_document: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The credential, once alg, kid, typ, signature, issuer and validity at `at` (with its offset) hold."""
    header, payload = _opened(token)
    _check_header(header)
    kid = header["kid"]
    key = _key(did_document, kid)
    try:
        jws.deserialize_compact(token, key, algorithms=[ALGORITHM], registry=_REGISTRY)
    except (JoseError, ValueError):
        raise EnvelopeIsInvalid("signature_invalid", "the signature does not fit content and key") from None
    credential = _object(payload)
    _check_issuer(credential, header, did_document)
    check_validity(credential, at)
    return credential


def peek(token: str) -> dict[str, Any]:
    """What a token says before anything of it is believed. Raises EnvelopeIsInvalid(`not_a_token`)."""
    return _object(_opened(token)[1])


def _opened(token: str) -> tuple[dict[str, Any], bytes]:
    parts = token.split(".") if len(token) <= MOST_BYTES and token.isascii() else []
    if len(parts) != 3:
        raise EnvelopeIsInvalid("not_a_token", "three parts joined by dots are needed, of 256 KiB at most")
    header, payload, _ = (_bytes(part) for part in parts)
    return _object(header), payload


def _bytes(part: str) -> bytes:
    """Strict: base64url ends in unused bits, and another spelling of the same bytes is refused."""
    try:
        data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise EnvelopeIsInvalid("not_a_token", "a part is not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise EnvelopeIsInvalid("not_a_token", "a part is not written the one way base64url has for it")
    return data


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = parse_json(content)
    except JsonIsRefused as error:
        raise EnvelopeIsInvalid("not_a_token", str(error)) from error
    if not isinstance(value, dict):
        raise EnvelopeIsInvalid("not_a_token", "a JSON object is needed")
    return value


def _check_header(header: Mapping[str, Any]) -> None:
    if header.get("alg") != ALGORITHM:
        raise EnvelopeIsInvalid("algorithm_not_allowed", "only ES256 is accepted")
    if header.get("typ") != TYPE or header.get("cty", "vc") != "vc" or "crit" in header or "b64" in header:
        raise EnvelopeIsInvalid("not_a_token", "the header is not that of an enveloped credential")
    if not isinstance(header.get("kid"), str):
        raise EnvelopeIsInvalid("unknown_key", "the header names no key")


def _key(did_document: Mapping[str, Any], kid: str) -> ECKey:
    method = _method(did_document, kid)
    jwk = method.get("publicKeyJwk")
    if not isinstance(jwk, Mapping) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise EnvelopeIsInvalid("algorithm_not_allowed", "the named key is not for ES256")
    if jwk.get("alg", ALGORITHM) != ALGORITHM:
        raise EnvelopeIsInvalid("algorithm_not_allowed", "the named key is not for ES256")
    try:
        return ECKey.import_key({name: jwk[name] for name in _PUBLIC_MEMBERS})
    except (JoseError, KeyError, ValueError):
        raise EnvelopeIsInvalid("unknown_key", "the named key cannot be read") from None


def _method(did_document: Mapping[str, Any], kid: str) -> Mapping[str, Any]:
    asserting = [
        entry if isinstance(entry, str) else entry.get("id") for entry in did_document.get("assertionMethod", [])
    ]
    methods = [method for method in did_document.get("verificationMethod", []) if method.get("id") == kid]
    if kid not in asserting or len(methods) != 1 or methods[0].get("controller") != did_document.get("id"):
        raise EnvelopeIsInvalid("unknown_key", "the issuer's DID document has no such key for assertions")
    method: Mapping[str, Any] = methods[0]
    return method


def _check_issuer(credential: Mapping[str, Any], header: Mapping[str, Any], did_document: Mapping[str, Any]) -> None:
    did = did_document.get("id")
    named = [_issuer(credential), header.get("iss", did), header["kid"].partition("#")[0]]
    if named != [did] * 3:
        raise EnvelopeIsInvalid("issuer_mismatch", "credential, header and key do not name one issuer")


def _issuer(credential: Mapping[str, Any]) -> object:
    issuer = credential.get("issuer")
    return issuer.get("id") if isinstance(issuer, Mapping) else issuer


def check_validity(credential: Mapping[str, Any], at: datetime) -> None:
    """Raises EnvelopeIsInvalid(`not_yet_valid`, `expired`)."""
    opens, closes = _time(credential, "validFrom"), _time(credential, "validUntil")
    if opens is not None and at < opens:
        raise EnvelopeIsInvalid("not_yet_valid", f"valid from {opens.isoformat()}")
    if closes is not None and at > closes:
        raise EnvelopeIsInvalid("expired", f"valid until {closes.isoformat()}")


def _time(credential: Mapping[str, Any], name: str) -> datetime | None:
    if name not in credential:
        return None
    try:
        time = datetime.fromisoformat(credential[name])
    except (TypeError, ValueError):
        raise EnvelopeIsInvalid("not_a_token", f"{name} is not a date-time") from None
    if time.tzinfo is None:
        raise EnvelopeIsInvalid("not_a_token", f"{name} has no offset")
    return time


def parse_json(content: bytes | str) -> Any:
    """JSON as it may be verified. Raises JsonIsRefused, for a name that comes twice too."""
    try:
        return json.loads(content, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise JsonIsRefused(str(error)) from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonIsRefused("a name comes twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise JsonIsRefused(f"{name} is not JSON")


def new_key() -> dict[str, str]:
    """A fresh private P-256 key as a JWK."""
    members = ECKey.generate_key("P-256").as_dict(private=True)
    return {name: str(members[name]) for name in (*_PUBLIC_MEMBERS, "d")}


def public_part(private_jwk: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(private_jwk[name]) for name in _PUBLIC_MEMBERS} | {"alg": ALGORITHM}


def did_web(host: str, *, livemode: bool) -> str:
    """`did:web:backhaul.example`, `did:web:localhost%3A8000`; the sandbox is `…:sandbox`, with keys of its own."""
    did = f"did:web:{quote(host.lower(), safe='.-')}"
    return did if livemode else f"{did}:sandbox"


def did_url(did: str) -> str:
    """Where the DID document lies: `/.well-known/did.json` of the host, or `/sandbox/did.json`. Raises ValueError."""
    scheme, method, host, *path = did.split(":")
    if (scheme, method) != ("did", "web") or not host or not all(path):
        raise ValueError(f"{did} is not a did:web")
    return f"https://{unquote(host)}/{'/'.join(map(unquote, path)) or '.well-known'}/did.json"
