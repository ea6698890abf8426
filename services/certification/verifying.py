"""Whether a credential stands. Nothing is fetched: issuers are ours or unknown, contexts and schemas local.

`verify` answers a list of checks for whatever is a credential; what cannot be asked because something before it failed is skipped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.certification import documents, envelopes, keys, proofs, queries, status_lists
from services.certification.envelopes import EnvelopeIsInvalid, JsonIsRefused
from services.certification.errors import NotACredential
from services.certification.impact import factors
from services.certification.impact.rendering import from_document
from services.certification.impact.statement import recompute
from services.certification.models import CertificateVersion
from services.kernel import clock
from services.kernel.errors import NotFound
from services.kernel.ids import CertificateId
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork

NAMES = (
    "envelope",
    "algorithm",
    "key",
    "signature",
    "schema",
    "validity",
    "issuer",
    "status",
    "latest_version",
    "impact_recomputed",
)
MOST_BYTES = 64 * 1024
_DATA_URL = "data:application/vc+jwt,"
_CHECK_OF = {
    "not_a_token": "envelope",
    "algorithm_not_allowed": "algorithm",
    "unknown_key": "key",
    "signature_invalid": "signature",
    "issuer_mismatch": "issuer",
    "not_yet_valid": "validity",
    "expired": "validity",
    "proof_missing": "envelope",
    "suite_not_allowed": "algorithm",
    "key_does_not_fit": "key",
    "context_mismatch": "envelope",
    "value_malformed": "signature",
    "not_canonical": "envelope",
}
_ORDER = ("envelope", "algorithm", "key", "signature", "issuer", "validity")
"""In which the envelope is opened: what comes before a failure held."""


@dataclass(frozen=True)
class Check:
    """`result` is pass, fail or skipped; `code` and `detail` say why not."""

    name: str
    result: str
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Verification:
    """`credential` is what was read, None where it could not be trusted enough to be shown."""

    checks: tuple[Check, ...]
    credential: Mapping[str, Any] | None

    @property
    def verified(self) -> bool:
        passed = {check.name for check in self.checks if check.result == "pass"}
        return "signature" in passed and all(check.result != "fail" for check in self.checks)


@dataclass(frozen=True)
class _Read:
    """A credential as it came, not believed yet: enveloped in `token`, or with a proof."""

    credential: dict[str, Any]
    token: str | None = None


class _Findings:
    def __init__(self) -> None:
        self.found: dict[str, Check] = {}

    def passed(self, *names: str) -> None:
        self.found.update({name: Check(name, "pass") for name in names})

    def failed(self, name: str, code: str, detail: str) -> None:
        self.found[name] = Check(name, "fail", code, detail)

    def all(self) -> tuple[Check, ...]:
        return tuple(self.found.get(name, Check(name, "skipped")) for name in NAMES)


async def verify(work: UnitOfWork, credential: str | Mapping[str, Any], settings: Settings) -> Verification:
    """Raises NotACredential for what is none, or too large."""
    read = _read(credential)
    findings = _Findings()
    livemode = _mode_of(read.credential, settings)
    if livemode is None:
        findings.passed("envelope")
        findings.failed("issuer", "unknown_issuer", "The issuer is none we know keys of.")
        return Verification(findings.all(), None)
    now = await clock.market_now(work.session, livemode=livemode)
    did_document = await published_did(work, settings, livemode=livemode)
    opened = _open(read, did_document, now, findings)
    if opened is None:
        return Verification(findings.all(), None)
    _check_schema(opened, findings)
    async with work.as_house(of_both=True):
        await _check_record(work, opened, settings, findings)
    return Verification(findings.all(), opened)


async def published_did(work: UnitOfWork, settings: Settings, *, livemode: bool) -> dict[str, Any]:
    """The DID document as anybody reads it."""
    did = envelopes.did_web(settings.host, livemode=livemode)
    rows = await queries.signing_keys(work, livemode=livemode)
    return documents.did_document(did, [keys.published(did, row.kid, row.public) for row in rows])


def _read(given: str | Mapping[str, Any]) -> _Read:
    if isinstance(given, Mapping):
        return _read_object(dict(given))
    text = given.strip()
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise NotACredential("A credential has 64 KiB at most.")
    if text.startswith("{"):
        return _read_object(_parsed(text))
    return _Read(_payload(text), text)


def _read_object(document: dict[str, Any]) -> _Read:
    if len(json.dumps(document)) > MOST_BYTES:
        raise NotACredential("A credential has 64 KiB at most.")
    enveloped = document.get("id")
    if document.get("type") == "EnvelopedVerifiableCredential" and isinstance(enveloped, str):
        if not enveloped.startswith(_DATA_URL):
            raise NotACredential("An enveloped credential's id is a data: URL of application/vc+jwt.")
        token = enveloped.removeprefix(_DATA_URL)
        return _Read(_payload(token), token)
    return _Read(_credential(document))


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        value = envelopes.parse_json(text)
    except JsonIsRefused as error:
        raise NotACredential(f"It is not JSON as it may be verified: {error}.") from error
    if not isinstance(value, dict):
        raise NotACredential("A credential is a JSON object or a token.")
    return value


def _payload(token: str) -> dict[str, Any]:
    """What the token says, unbelieved."""
    try:
        return _credential(envelopes.peek(token))
    except EnvelopeIsInvalid as error:
        raise NotACredential(f"It is no token: {error}.") from error


def _credential(document: dict[str, Any]) -> dict[str, Any]:
    types = document.get("type")
    if not isinstance(types, list) or "VerifiableCredential" not in types:
        raise NotACredential("Its type does not name a VerifiableCredential.")
    return document


def _mode_of(credential: Mapping[str, Any], settings: Settings) -> bool | None:
    issuer = credential.get("issuer")
    named = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    dids = {envelopes.did_web(settings.host, livemode=livemode): livemode for livemode in (True, False)}
    return dids.get(named) if isinstance(named, str) else None


def _open(read: _Read, did_document: Mapping[str, Any], now: datetime, findings: _Findings) -> dict[str, Any] | None:
    try:
        if read.token is not None:
            opened = envelopes.unseal(read.token, did_document, now)
        else:
            opened = _unsecured(read.credential, did_document, now)
    except (EnvelopeIsInvalid, proofs.ProofIsInvalid) as error:
        name = _CHECK_OF.get(error.code, "envelope")
        findings.passed(*_ORDER[: _ORDER.index(name)])
        findings.failed(name, error.code, str(error))
        return None
    findings.passed(*_ORDER)
    return opened


def _unsecured(document: dict[str, Any], did_document: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The document without its proof, once that holds under a key of the issuer."""
    proof = document.get("proof")
    method = proof.get("verificationMethod") if isinstance(proof, Mapping) else None
    published = {entry["id"]: entry for entry in did_document["verificationMethod"]}
    if isinstance(proof, Mapping) and (method not in published or "publicKeyMultibase" not in published[method]):
        raise EnvelopeIsInvalid("unknown_key", "the issuer's DID document has no such key for proofs")
    key = published[method]["publicKeyMultibase"] if isinstance(method, str) else ""
    proofs.verify(document, key)
    envelopes.check_validity(document, now)
    return {name: value for name, value in document.items() if name != "proof"}


def _check_schema(opened: Mapping[str, Any], findings: _Findings) -> None:
    problems = documents.problems(opened)
    if problems:
        first = problems[0]
        findings.failed("schema", first.code, f"{first.pointer}: {first.detail}")
    else:
        findings.passed("schema")


async def _check_record(work: UnitOfWork, opened: Mapping[str, Any], settings: Settings, findings: _Findings) -> None:
    """What only the issuer's own books tell: revoked or not, the latest or not, the figures again."""
    if "credentialStatus" not in opened:
        return
    version = await _version(work, str(opened.get("id")), settings)
    if version is None:
        findings.failed("status", "not_on_record", "We have not issued this.")
        return
    listed = await queries.status_list(work, version.status_list_id)
    if status_lists.is_set(listed.bits, version.status_index):
        findings.failed("status", "revoked", "This version does not stand any more.")
    else:
        findings.passed("status")
    certificate = await queries.certificate(work, version.certificate_id)
    if certificate.number == version.number:
        findings.passed("latest_version")
    else:
        findings.failed("latest_version", "newer_version", f"Version {certificate.number} has followed it.")
    await _check_impact(work, version, opened, findings)


async def _version(work: UnitOfWork, id: str, settings: Settings) -> CertificateVersion | None:
    """`https://{host}/credentials/{crt}/{version}`."""
    name, _, number = id.removeprefix(f"https://{settings.host}/credentials/").partition("/")
    if not number.isdecimal() or len(number) > 6:
        return None
    try:
        return await queries.version(work, CertificateId.parse(name), int(number))
    except (ValueError, NotFound):
        return None


async def _check_impact(
    work: UnitOfWork, version: CertificateVersion, opened: Mapping[str, Any], findings: _Findings
) -> None:
    """Every figure follows again from the factors, and the credential repeats the statement's."""
    frozen = await queries.statement(work, version.statement_id)
    differences = recompute(from_document(frozen.document), factors.load(frozen.factor_set))
    told = opened["credentialSubject"]["conformityAssessment"][0].get("bh:impact", {})
    total = next(total for total in frozen.document["totals"] if total["indicator"] == "gwp100")
    repeats = (told.get("bh:incurred"), told.get("bh:avoided")) == (total["incurred"], total["avoided"])
    if not differences and repeats:
        findings.passed("impact_recomputed")
    else:
        findings.failed("impact_recomputed", "impact_differs", "A figure does not follow from its factors.")
