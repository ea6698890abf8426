"""The page behind the QR code. The token is the certificate; this is a rendition, and says so."""

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Any

from services.certification.models import Certificate, CertificateVersion

POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}

_STANDS = {
    "issued": "This certificate stands.",
    "suspended": "This certificate is suspended and does not stand for now.",
    "revoked": "This certificate was revoked and does not stand.",
    "superseded": "This certificate was superseded by another.",
    "expired": "This certificate has expired.",
}


def content(certificate: Certificate, version: CertificateVersion, base: str) -> dict[str, Any]:
    """What the newest version says and whether it stands, as JSON."""
    document = json.loads(version.document)
    subject = document["credentialSubject"]
    assessment = subject["conformityAssessment"][0]
    return {
        "id": certificate.id,
        "livemode": certificate.livemode,
        "status": certificate.status,
        "stands": certificate.status == "issued",
        "says": _STANDS[certificate.status],
        "version": version.number,
        "title": document["name"],
        "sentence": subject["name"],
        "holder": subject["issuedToParty"]["name"],
        "verifier": subject.get("bh:verifier", {}).get("bh:name"),
        "attestation": subject["attestationType"],
        "scheme": subject["referenceScheme"],
        "period": {"from": subject["bh:period"]["bh:from"], "until": subject["bh:period"]["bh:until"]},
        "valid_from": document["validFrom"],
        "valid_until": document["validUntil"],
        "performance": [_performance(entry) for entry in assessment["assessedPerformance"]],
        "recovery": _plain(assessment["bh:recovery"]),
        "impact": _plain(assessment.get("bh:impact")),
        "credential": f"{base}/credentials/{certificate.id}/{version.number}",
        "verification": f"{base}/v1/certificates/{certificate.id}/verification",
    }


def _performance(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": entry["metric"]["name"], **entry["measure"]}


def _plain(value: Any) -> Any:
    """Without our prefix."""
    if isinstance(value, Mapping):
        return {name.removeprefix("bh:"): _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def render(told: Mapping[str, Any]) -> str:
    """HTML without scripts or anything fetched; every text is escaped."""
    rows = [
        ("Holder", told["holder"]),
        ("Confirmed by", told["verifier"] or "nobody: self-declared"),
        ("Scheme", told["scheme"]["name"]),
        ("Period", f"{told['period']['from']} to {told['period']['until']}"),
        ("Valid", f"{told['valid_from']} to {told['valid_until']}"),
        *((entry["name"], _measure(entry)) for entry in told["performance"]),
        *_recovery(told["recovery"]),
        *_impact(told["impact"]),
        ("Version", f"{told['version']} of {told['id']}"),
    ]
    mark = "" if told["livemode"] else "<p class=mark>SANDBOX: no certificate, a trial without any meaning.</p>"
    links = [("credential", "The signed certificate"), ("verification", "Check it")]
    listed = "".join(f'<li><a href="{escape(told[name])}">{escape(text)}</a></li>' for name, text in links)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(told['title'])}</title><style>{_STYLE}</style></head><body><main>{mark}"
        f"<h1>{escape(told['title'])}</h1><p>{escape(told['sentence'])}</p>"
        f'<p class="{"stands" if told["stands"] else "fallen"}">{escape(told["says"])}</p>'
        f"<table>{_table(rows)}</table><ul>{listed}</ul>"
        "<p>The signed token is the certificate; this page is a rendition of it.</p></main></body></html>"
    )


def _table(rows: Sequence[tuple[str, object]]) -> str:
    return "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)


def _measure(entry: Mapping[str, Any]) -> str:
    unit = {"TNE": "t", "P1": "%"}.get(entry["unit"], entry["unit"])
    return f"{entry['value']} {unit}"


def _recovery(recovery: Mapping[str, Any]) -> list[tuple[str, object]]:
    entered = recovery["input"]
    outputs = [(f"{o['material']} ({o['outcome']})", _tonnes(o["mass_g"])) for o in recovery["outputs"]]
    return [
        ("Input", f"{_tonnes(entered['mass_g'])}, {entered['massMethod'].replace('_', ' ')}"),
        ("Operation", recovery.get("operation", "–")),
        *outputs,
        ("Loss", _tonnes(recovery["loss_g"])),
    ]


def _tonnes(grams: int) -> str:
    return f"{Decimal(grams).scaleb(-6):.3f} t"


def _impact(impact: Mapping[str, Any] | None) -> list[tuple[str, object]]:
    """Rounded here and nowhere else."""
    if impact is None:
        return [("Impact", "not stated")]
    return [
        ("Impact incurred", _kilograms(impact.get("incurred"))),
        ("Impact avoided", _kilograms(impact.get("avoided"))),
        ("Not in these figures", ", ".join(impact["missing"]) or "nothing"),
        ("Factors", impact["factorSet"]),
    ]


def _kilograms(figure: str | None) -> str:
    if figure is None:
        return "missing"
    return f"{Decimal(figure).quantize(Decimal('0.1'), ROUND_HALF_UP):,} kgCO2e"


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ccc;padding:.3rem .5rem;text-align:left}"
    "th{font-weight:600;width:40%}.stands{color:#065f26}.fallen{color:#9b1c1c;font-weight:700}"
    ".mark{background:#fff3cd;padding:.5rem}"
)
