"""How a certificate becomes news, and who hears it."""

from typing import Any

from services.certification import events
from services.certification.models import Certificate
from services.certification.models.certificates import PUBLIC
from services.kernel.events import Event
from services.kernel.states import Moved
from services.kernel.unit_of_work import UnitOfWork


def audience(certificate: Certificate) -> dict[Any, str]:
    """Those whose goods it is about hear of it once it is issued, the verifier from the submission on."""
    upstream = certificate.upstream_ids if certificate.status in PUBLIC else []
    verifier = {certificate.verifier_id: "verifier"} if certificate.submitted_at is not None else {}
    return {**dict.fromkeys(upstream, "upstream"), **verifier, certificate.holder_id: "holder"}


def about(certificate: Certificate) -> dict[str, Any]:
    return {
        "certificate_id": certificate.id,
        "certificate_type": certificate.type,
        "holder_id": certificate.holder_id,
        "verifier_id": certificate.verifier_id,
        "input_g": certificate.input_g,
        "certified_g": certificate.certified_g,
    }


def tell(work: UnitOfWork, certificate: Certificate, event: Event, moved: Moved | None = None) -> None:
    work.emit(event, subject=certificate.id, audience=audience(certificate), moved=moved)


def drafted(work: UnitOfWork, certificate: Certificate) -> None:
    tell(work, certificate, events.CertificateDrafted(**about(certificate)))
