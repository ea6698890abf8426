"""The keys we sign with. Private halves are files that only their owner reads, made on first use, sandbox and live apart."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text

from services.certification import envelopes, proofs
from services.certification.documents import PublishedKey
from services.kernel.kept import kept
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork

NAME = "Backhaul"


@dataclass(frozen=True)
class PrivateKey:
    """`secret` is a JWK (ES256) or a Multikey (Ed25519); `kid` names it in the DID document."""

    kid: str
    algorithm: str
    secret: Any
    public: Mapping[str, Any]


@dataclass(frozen=True)
class Signer:
    """Signs for one environment of one host. No network: it fits into the transaction that issues."""

    host: str
    did: str
    es256: PrivateKey
    ed25519: PrivateKey

    def url_of(self, key: PrivateKey) -> str:
        return f"{self.did}#{key.kid}"

    def seal(self, document: Mapping[str, Any]) -> str:
        return envelopes.seal(document, self.es256.secret, self.url_of(self.es256))

    def prove(self, document: Mapping[str, Any], created: str) -> dict[str, Any]:
        """The same content with an `eddsa-jcs-2022` proof."""
        options = {
            "cryptosuite": proofs.EDDSA,
            "created": created,
            "verificationMethod": self.url_of(self.ed25519),
            "proofPurpose": "assertionMethod",
        }
        return proofs.add(document, options, self.ed25519.secret)

    @property
    def published(self) -> list[PublishedKey]:
        return [published(self.did, key.kid, key.public) for key in (self.es256, self.ed25519)]


def published(did: str, kid: str, public: Mapping[str, Any]) -> PublishedKey:
    """As it stands in the DID document."""
    url = f"{did}#{kid}"
    if "multibase" in public:
        return PublishedKey(url, multibase=str(public["multibase"]))
    return PublishedKey(url, jwk=dict(public))


def signer(settings: Settings, *, livemode: bool) -> Signer:
    """The signer of an environment; its keys are made if this is their first use."""
    folder = settings.data_dir / "keys" / ("live" if livemode else "sandbox")
    did = envelopes.did_web(settings.host, livemode=livemode)
    return Signer(settings.host, did, _es256(folder), _ed25519(folder))


@cache
def _es256(folder: Path) -> PrivateKey:
    secret = json.loads(kept(folder / "es256.jwk.json", lambda: json.dumps(envelopes.new_key())))
    public = envelopes.public_part(secret)
    return PrivateKey(_kid("es256", public), "ES256", secret, public)


@cache
def _ed25519(folder: Path) -> PrivateKey:
    secret = kept(folder / "ed25519.multikey", proofs.new_ed25519_key)
    public = {"multibase": proofs.public_key(secret)}
    return PrivateKey(_kid("ed25519", public), "Ed25519", secret, public)


def _kid(prefix: str, public: Mapping[str, Any]) -> str:
    return f"{prefix}-{hashlib.sha256(proofs.canonical(dict(public))).hexdigest()[:12]}"


_PUBLISH = text(
    "INSERT INTO signing_key (kid, algorithm, public, livemode, created_at)"
    " VALUES (:kid, :algorithm, CAST(:public AS jsonb), :livemode, :now) ON CONFLICT DO NOTHING"
)


async def publish(work: UnitOfWork, signer: Signer) -> None:
    """Puts the public halves where the DID document is made of."""
    for key in (signer.es256, signer.ed25519):
        values = {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "public": json.dumps(key.public),
            "livemode": work.livemode,
            "now": work.now,
        }
        await work.session.execute(_PUBLISH, values)
