"""What somebody could do with a certificate now. Looks up what the guards ask for, and only where a guard would ask."""

from services.certification import policy
from services.certification.issuing import reasons
from services.certification.models import CERTIFICATE, Certificate, CertificateNow
from services.certification.policy import person_of
from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.states import Choices
from services.kernel.unit_of_work import UnitOfWork

ASKED = {"draft": "holder", "submitted": "verifier", "verifying": "verifier"}
"""In which states the content is looked into, and for whom."""


async def of_certificate(work: UnitOfWork, certificate: Certificate, actor: Actor) -> Choices:
    roles = policy.roles_of(actor, certificate)
    now = CertificateNow(person=person_of(actor))
    is_suspended = certificate.status == "suspended" and bool(roles & {"verifier", "operator"})
    if ASKED.get(certificate.status) in roles or is_suspended:
        async with work.as_house():
            now = await _looked_into(work, certificate, actor)
    return states.choices(CERTIFICATE, certificate, by=roles, facts=now)


async def _looked_into(work: UnitOfWork, certificate: Certificate, actor: Actor) -> CertificateNow:
    """The house follows the goods back to every origin; its caller reads the reasons."""
    found = await reasons.basis(work, certificate)
    batches = await reasons.peek(work, found)
    return CertificateNow(
        against=await reasons.against(work, certificate, found, batches),
        verifier=await reasons.against_verifier(work, certificate, found.trace),
        person=person_of(actor),
    )


def untested(certificate: Certificate, actor: Actor) -> Choices:
    """By state and role alone, for lists."""
    return states.choices(CERTIFICATE, certificate, by=policy.roles_of(actor, certificate), facts=CertificateNow())
