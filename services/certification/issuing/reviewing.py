"""The verifier takes a certificate up, asks back, or refuses it."""

from services.certification import claims, events, queries
from services.certification.issuing import reasons, telling
from services.certification.issuing.taking import acting
from services.certification.models import CERTIFICATE, Certificate, CertificateNow
from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.ids import CertificateId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork


async def take_up(
    work: UnitOfWork, certificate_id: CertificateId, *, by: Actor, check_version: CheckVersion = any_version
) -> Certificate:
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    role = acting(by, certificate, "take_up")
    async with work.as_house():
        found = await reasons.basis(work, certificate)
        now = CertificateNow(verifier=await reasons.against_verifier(work, certificate, found.trace))
        moved = states.move(CERTIFICATE, certificate, "take_up", by=role, facts=now)
        telling.tell(work, certificate, events.CertificateVerificationStarted(**telling.about(certificate)), moved)
        return certificate


async def query(
    work: UnitOfWork,
    certificate_id: CertificateId,
    *,
    reason: str,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Certificate:
    """Back to its holder as a draft; its mass is free meanwhile."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    moved = states.move(CERTIFICATE, certificate, "query", by=acting(by, certificate, "query"))
    certificate.reason = reason
    async with work.as_house():
        await claims.release(work, certificate)
    queried = events.CertificateQueried(**telling.about(certificate), reason=reason)
    telling.tell(work, certificate, queried, moved)
    return certificate


async def refuse(
    work: UnitOfWork,
    certificate_id: CertificateId,
    *,
    reason: str,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Certificate:
    """For good; the mass is free for another certificate."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    moved = states.move(CERTIFICATE, certificate, "refuse", by=acting(by, certificate, "refuse"))
    certificate.reason = reason
    async with work.as_house():
        await claims.release(work, certificate)
    refused = events.CertificateRefused(**telling.about(certificate), reason=reason)
    telling.tell(work, certificate, refused, moved)
    return certificate
