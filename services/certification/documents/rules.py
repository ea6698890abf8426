"""What must hold of a certificate of ours and no schema can say. `broken` expects the shape of `data/certificate.schema.json`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.certification import multibase
from services.certification.documents.building import ACCREDITED, SELF_DECLARED, VERIFIED, namespace
from services.certification.envelopes import did_web

_SUBJECT = "/credentialSubject"
_ASSESSMENT = "/credentialSubject/conformityAssessment/0"


@dataclass(frozen=True)
class Problem:
    """`pointer` is a JSON pointer into the document, `code` is stable."""

    pointer: str
    code: str
    detail: str


def is_ours(document: Mapping[str, Any]) -> bool:
    """A conformity credential that uses our namespace or our properties, whoever signed it."""
    types = document.get("type")
    if not isinstance(types, list) or "DigitalConformityCredential" not in types:
        return False
    contexts = document.get("@context")
    third = contexts[2] if isinstance(contexts, list) and len(contexts) > 2 else None
    return (isinstance(third, str) and third.endswith("/ns/v1")) or any(
        name.startswith("bh:") for name in _names(document)
    )


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield str(name)
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)


def broken(document: Mapping[str, Any]) -> list[Problem]:
    subject = document["credentialSubject"]
    return [
        *_origin(document),
        *_validity(document),
        *_status(document["credentialStatus"]),
        *_independence(subject),
        *_measures(subject),
        *_masses(subject),
        *_impact(subject),
        *_evidence(subject),
    ]


def _origin(document: Mapping[str, Any]) -> Iterator[Problem]:
    host = document["@context"][2].removeprefix("https://").removesuffix("/ns/v1")
    if document["issuer"]["id"] not in (did_web(host, livemode=True), did_web(host, livemode=False)):
        yield Problem("/issuer/id", "issuer_mismatch", "the issuer is not the did:web of the namespace's host")
    if document["@context"][2] != namespace(host) or not document["id"].startswith(f"https://{host}/credentials/"):
        yield Problem("/id", "foreign_id", "the credential's id does not lie with the namespace's host")


def _validity(document: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        opens, closes = (datetime.fromisoformat(document[name]) for name in ("validFrom", "validUntil"))
    except ValueError:
        yield Problem("/validFrom", "not_a_time", "a leap second or another rare spelling is not used")
        return
    if closes <= opens:
        yield Problem("/validUntil", "ends_before_it_begins", "validUntil does not come after validFrom")


def _status(status: Mapping[str, Any]) -> Iterator[Problem]:
    if status["id"] != f"{status['statusListCredential']}#{status['statusListIndex']}":
        yield Problem("/credentialStatus/id", "status_mismatch", "the entry's id does not name its list and index")


def _independence(subject: Mapping[str, Any]) -> Iterator[Problem]:
    levels = (subject["assessorLevel"], subject["assessmentLevel"], subject["attestationType"])
    if levels not in (SELF_DECLARED, VERIFIED, ACCREDITED):
        yield Problem(f"{_SUBJECT}/assessorLevel", "attestation_mismatch", "the three levels do not belong together")
    if (levels == ACCREDITED) != ("authorisation" in subject):
        yield Problem(f"{_SUBJECT}/authorisation", "attestation_mismatch", "an accreditation belongs to 3rdParty alone")
    if levels == SELF_DECLARED and "bh:verifier" in subject:
        yield Problem(f"{_SUBJECT}/bh:verifier", "attestation_mismatch", "what is self-declared names no verifier")


def _measures(subject: Mapping[str, Any]) -> Iterator[Problem]:
    for place, performance in enumerate(subject["conformityAssessment"][0]["assessedPerformance"]):
        measure = performance["measure"]
        if measure["unit"] == "P1" and measure["value"] > 100:
            yield Problem(f"{_ASSESSMENT}/assessedPerformance/{place}/measure/value", "above_the_whole", "over 100 %")


def _masses(subject: Mapping[str, Any]) -> Iterator[Problem]:
    assessment = subject["conformityAssessment"][0]
    recovery = assessment["bh:recovery"]
    entered = recovery["bh:input"]["bh:mass_g"]
    left = sum(output["bh:mass_g"] for output in recovery["bh:outputs"]) + recovery["bh:loss_g"]
    if entered != left:
        yield Problem(f"{_ASSESSMENT}/bh:recovery", "mass_balance", f"{entered} g in, {left} g out and lost")
    tonnes = [p["measure"]["value"] for p in assessment["assessedPerformance"] if p["measure"]["unit"] == "TNE"]
    if any(round(value * 1_000_000) > entered for value in tonnes):
        yield Problem(f"{_ASSESSMENT}/assessedPerformance", "above_the_whole", "more is certified than came in")


def _impact(subject: Mapping[str, Any]) -> Iterator[Problem]:
    impact = subject["conformityAssessment"][0].get("bh:impact")
    if impact is not None and impact["bh:isComplete"] == bool(impact["bh:missing"]):
        yield Problem(
            f"{_ASSESSMENT}/bh:impact/bh:isComplete", "impact_mismatch", "complete, and yet something is missing"
        )


def _evidence(subject: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        root = multibase.decode(subject["bh:evidenceRoot"])
    except ValueError:
        root = b""
    if not root.startswith(multibase.SHA2_256) or len(root) != 34:
        yield Problem(f"{_SUBJECT}/bh:evidenceRoot", "not_a_root", "the root is not a SHA-256 multihash in base58btc")
