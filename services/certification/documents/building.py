"""Facts → Digital Conformity Credential. Our own properties are compact IRIs under `https://{host}/ns/v1`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.certification.documents.facts import Accreditation, Batch, CertificateFacts, ImpactSummary, Party
from services.certification.impact.arithmetic import plain

W3C_CONTEXT = "https://www.w3.org/ns/credentials/v2"
UNTP_CONTEXT = "https://vocabulary.uncefact.org/untp/0.7.0/context/"
METRICS = "https://vocabulary.uncefact.org/performance-metrics/"
TOPICS = "https://vocabulary.uncefact.org/conformity-topics/"

SELF_DECLARED = ("self", "no-endorsement", "declaration")
VERIFIED = ("hybrid", "no-endorsement", "verification")
ACCREDITED = ("3rdParty", "scheme-cab", "certification")


@dataclass(frozen=True)
class Wording:
    """How a type is named: the certificate, its act, the criterion (slug and sentence) and the metric of its rate."""

    title: str
    act: str
    criterion: tuple[str, str]
    metric: tuple[str, str] | None


_RETURNED = ("reuse-remanufacturing-rate", "Reuse and Remanufacturing Rate")
_TESTED = ("test-and-next-holder", "Tested, and handed to a next holder")
WORDINGS = {
    "reuse": Wording("Reuse certificate", "Reuse", _TESTED, _RETURNED),
    "repair": Wording("Repair certificate", "Repair", _TESTED, _RETURNED),
    "remanufacture": Wording("Remanufacture certificate", "Remanufacture", _TESTED, _RETURNED),
    "recycling": Wording(
        "Recycling certificate",
        "Recycling",
        ("mass-balance", "Mass balance closes within 2 %"),
        ("material-recovery-rate", "Material Recovery Rate"),
    ),
    "destruction": Wording(
        "Destruction certificate",
        "Destruction",
        ("destroyed-for-good", "Destroyed, weighed or counted, and receipted"),
        None,
    ),
    "recycled_content": Wording(
        "Recycled content certificate",
        "Recycled content",
        ("custody-model", "Content follows from its chain of custody"),
        ("recycled-content-percentage", "Recycled Content Percentage"),
    ),
}


def namespace(host: str) -> str:
    return f"https://{host}/ns/v1"


def build(certificate: CertificateFacts) -> dict[str, Any]:
    """The credential, ready to be checked and sealed. Ids are those of the public face of `certificate.host`."""
    base = f"https://{certificate.host}"
    return {
        "type": ["DigitalConformityCredential", "VerifiableCredential"],
        "@context": [W3C_CONTEXT, UNTP_CONTEXT, namespace(certificate.host)],
        "id": f"{base}/credentials/{certificate.certificate_id}/{certificate.version}",
        "issuer": {"type": ["CredentialIssuer"], "id": certificate.issuer_did, "name": certificate.issuer_name},
        "validFrom": instant(certificate.valid_from),
        "validUntil": instant(certificate.valid_until),
        "name": WORDINGS[certificate.type].title,
        "credentialStatus": {
            "type": "BitstringStatusListEntry",
            "id": f"{certificate.status.url}#{certificate.status.index}",
            "statusPurpose": "revocation",
            "statusListIndex": certificate.status.index,
            "statusListCredential": certificate.status.url,
        },
        "credentialSubject": _attestation(certificate, base),
    }


def _attestation(certificate: CertificateFacts, base: str) -> dict[str, Any]:
    scheme = f"{base}/schemes/{certificate.scheme.name}/{certificate.scheme.version}"
    return {
        "type": ["ConformityAttestation"],
        "id": f"{base}/credentials/{certificate.certificate_id}#subject",
        "name": _sentence(certificate),
        **_independence(certificate, base),
        "issuedToParty": _party(certificate.holder, base),
        "referenceScheme": {"type": ["ConformityScheme"], "id": scheme, "name": certificate.scheme.title},
        "conformityCertificate": {
            "linkURL": f"{base}/c/{certificate.certificate_id}",
            "linkName": "Human-readable certificate",
            "mediaType": "text/html",
        },
        "conformityAssessment": [_assessment(certificate, base, scheme)],
        "bh:holderRole": certificate.holder.role,
        "bh:period": {
            "bh:from": certificate.period_from.isoformat(),
            "bh:until": certificate.period_until.isoformat(),
        },
        "bh:evidenceRoot": certificate.evidence_root,
        "bh:eventCount": certificate.event_count,
    }


def _sentence(certificate: CertificateFacts) -> str:
    tonnes = Decimal(certificate.input_g).scaleb(-6)
    return f"{WORDINGS[certificate.type].act} of {tonnes:.3f} t of {certificate.goods}"


def _independence(certificate: CertificateFacts, base: str) -> dict[str, Any]:
    """Claims no more independence than there was."""
    verifier = certificate.verifier
    if verifier is None:
        return _levels(SELF_DECLARED)
    named = {"bh:verifier": {"bh:party": f"{base}/parties/{verifier.id}", "bh:name": verifier.name}}
    if verifier.accreditation is None:
        return {**_levels(VERIFIED), **named}
    return {**_levels(ACCREDITED), "authorisation": [_endorsement(verifier.accreditation)], **named}


def _levels(levels: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("assessorLevel", "assessmentLevel", "attestationType"), levels, strict=True))


def _endorsement(accreditation: Accreditation) -> dict[str, Any]:
    authority = {"type": ["Party"], "id": accreditation.authority_id, "name": accreditation.authority_name}
    endorsement: dict[str, Any] = {"name": accreditation.title, "issuingAuthority": authority}
    if accreditation.evidence_url is not None:
        endorsement["endorsementEvidence"] = {"linkURL": accreditation.evidence_url, "linkName": "Accreditation"}
    return endorsement


def _party(party: Party, base: str) -> dict[str, Any]:
    return {"type": ["Party"], "id": f"{base}/parties/{party.id}", "name": party.name}


def _assessment(certificate: CertificateFacts, base: str, scheme: str) -> dict[str, Any]:
    wording, topic = WORDINGS[certificate.type], _topic()
    slug, criterion = wording.criterion
    assessment = {
        "type": ["ConformityAssessment"],
        "id": f"{base}/credentials/{certificate.certificate_id}#{certificate.type.replace('_', '-')}",
        "name": wording.metric[1] if wording.metric else wording.act,
        "assessmentCriteria": [
            {"type": ["Criterion"], "id": f"{scheme}#{slug}", "name": criterion, "conformityTopic": topic}
        ],
        "assessmentDate": certificate.assessed_on.isoformat(),
        "assessedPerformance": _performances(certificate, wording),
        "assessedProduct": [_product(batch, base) for batch in certificate.batches],
        "conformityTopic": [topic],
        "conformance": True,
        "bh:recovery": _recovery(certificate),
    }
    if certificate.facility is not None:
        place = {
            "type": ["Facility"],
            "id": f"{base}/sites/{certificate.facility.id}",
            "name": certificate.facility.name,
        }
        assessment["assessedFacility"] = [{"facility": place, "idVerifiedByCAB": False}]
    if certificate.impact is not None:
        statement = f"{base}/credentials/{certificate.certificate_id}/{certificate.version}/impact"
        assessment["bh:impact"] = _impact(certificate.impact, statement)
    return assessment


def _topic() -> dict[str, Any]:
    return {"type": ["ConformityTopic"], "id": f"{TOPICS}resource-circularity", "name": "Resource Circularity"}


def _performances(certificate: CertificateFacts, wording: Wording) -> list[dict[str, Any]]:
    certified = f"{namespace(certificate.host)}#certified-mass"
    mass = _performance(certified, "Certified Mass", Decimal(certificate.certified_g).scaleb(-6), "TNE")
    if wording.metric is None or certificate.rate_ppm is None:
        return [mass]
    slug, name = wording.metric
    return [_performance(f"{METRICS}{slug}", name, Decimal(certificate.rate_ppm).scaleb(-4), "P1"), mass]


def _performance(metric: str, name: str, value: Decimal, unit: str) -> dict[str, Any]:
    """`value` has at most 15 digits, so it survives the trip through a JSON number."""
    return {
        "metric": {"type": ["PerformanceMetric"], "id": metric, "name": name},
        "measure": {"value": float(value), "unit": unit},
    }


def _product(batch: Batch, base: str) -> dict[str, Any]:
    product = {"type": ["Product"], "id": f"{base}/b/{batch.pseudonym}", "name": batch.name, "idGranularity": "batch"}
    return {"product": product, "idVerifiedByCAB": False}


def _recovery(certificate: CertificateFacts) -> dict[str, Any]:
    operation = {} if certificate.operation is None else {"bh:operation": certificate.operation}
    return {
        "bh:input": {"bh:mass_g": certificate.input_g, "bh:massMethod": certificate.mass_method},
        **operation,
        "bh:outputs": [
            {"bh:material": output.material, "bh:mass_g": output.mass_g, "bh:outcome": output.outcome}
            for output in certificate.outputs
        ],
        "bh:loss_g": certificate.loss_g,
        "bh:custodyModel": certificate.custody_model,
    }


def _impact(impact: ImpactSummary, statement: str) -> dict[str, Any]:
    """Incurred and avoided stand side by side as decimal strings; what is missing is absent and listed."""
    figures = {"bh:incurred": impact.incurred, "bh:avoided": impact.avoided}
    return {
        "bh:statement": statement,
        "bh:factorSet": impact.factor_set,
        "bh:boundary": impact.boundary,
        "bh:indicator": "gwp100",
        "bh:unit": "kgCO2e",
        **{name: plain(figure) for name, figure in figures.items() if figure is not None},
        "bh:isComplete": impact.is_complete,
        "bh:missing": list(impact.missing),
    }


def instant(time: datetime) -> str:
    """UTC to the second: "2027-02-17T10:00:00Z"."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
