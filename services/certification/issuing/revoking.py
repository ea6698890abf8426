"""Out of force: the bit of the version is set and never cleared."""

from services.certification import events, queries
from services.certification.issuing import listing, telling
from services.certification.issuing.taking import acting
from services.certification.models import CERTIFICATE, Certificate
from services.certification.policy import person_of
from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.ids import CertificateId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork


async def suspend(
    work: UnitOfWork,
    certificate_id: CertificateId,
    *,
    reason: str,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Certificate:
    """Until another person reinstates it as a new version; its mass stays certified."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    await put_out_of_force(work, certificate, "suspend", acting(by, certificate, "suspend"), reason)
    certificate.suspended_by = person_of(by)
    return certificate


async def revoke(
    work: UnitOfWork,
    certificate_id: CertificateId,
    *,
    reason: str,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Certificate:
    """For good; the mass stays consumed."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    await put_out_of_force(work, certificate, "revoke", acting(by, certificate, "revoke"), reason)
    return certificate


async def put_out_of_force(work: UnitOfWork, certificate: Certificate, name: str, role: str, reason: str) -> None:
    moved = states.move(CERTIFICATE, certificate, name, by=role)
    certificate.reason = reason
    await work.session.flush()
    async with work.as_house():
        await listing.set_bit(work, await queries.version(work, certificate.id, certificate.number))
    kind = events.CertificateSuspended if name == "suspend" else events.CertificateRevoked
    telling.tell(work, certificate, kind(**telling.about(certificate), reason=reason), moved)
