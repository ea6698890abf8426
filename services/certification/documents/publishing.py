"""What stands beside the certificates: status lists, DID documents, our context."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.certification import status_lists
from services.certification.documents.building import W3C_CONTEXT, instant, namespace

_DID_CONTEXTS = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/jwk/v1",
    "https://w3id.org/security/multikey/v1",
)


@dataclass(frozen=True)
class PublishedKey:
    """A key by its DID URL: a public JWK (ES256) or a public Multikey (Ed25519), one of the two."""

    kid: str
    jwk: Mapping[str, Any] | None = None
    multibase: str | None = None

    def __post_init__(self) -> None:
        if (self.jwk is None) == (self.multibase is None):
            raise ValueError("a published key is a JWK or a Multikey")
        if self.jwk is not None and "d" in self.jwk:
            raise ValueError("a private key is never published")


def did_document(did: str, keys: Iterable[PublishedKey]) -> dict[str, Any]:
    """Every key not compromised, retired ones too: old certificates still verify. Raises ValueError for a foreign key."""
    published = list(keys)
    if any(key.kid.partition("#")[0] != did or "#" not in key.kid for key in published):
        raise ValueError("a key's id is a DID URL of the document's DID")
    return {
        "@context": list(_DID_CONTEXTS),
        "id": did,
        "verificationMethod": [_method(did, key) for key in published],
        "assertionMethod": [key.kid for key in published],
    }


def _method(did: str, key: PublishedKey) -> dict[str, Any]:
    if key.jwk is not None:
        return {"id": key.kid, "type": "JsonWebKey", "controller": did, "publicKeyJwk": dict(key.jwk)}
    return {"id": key.kid, "type": "Multikey", "controller": did, "publicKeyMultibase": key.multibase}


def status_list_document(
    *, did: str, url: str, bits: bytes, valid_from: datetime, valid_until: datetime
) -> dict[str, Any]:
    """A BitstringStatusListCredential for revocations, ready to be sealed by the same issuer."""
    return {
        "@context": [W3C_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did,
        "validFrom": instant(valid_from),
        "validUntil": instant(valid_until),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": status_lists.encode(bits),
        },
    }


def namespace_context(host: str) -> dict[str, Any]:
    """Served at `https://{host}/ns/v1`: every `bh:` name is an IRI of ours, none is minted as another's."""
    return {"@context": {"@version": 1.1, "bh": {"@id": f"{namespace(host)}#", "@prefix": True}}}
