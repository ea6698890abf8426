"""The holder submits to a verifier: from now on the mass is reserved."""

from dataclasses import dataclass

from services.certification import claims, events, files, queries
from services.certification.files import Offered
from services.certification.issuing import reasons, telling
from services.certification.issuing.drafting import refuse_ambiguous_distance
from services.certification.issuing.taking import acting
from services.certification.models import CERTIFICATE, Certificate, CertificateNow
from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.ids import CertificateId, OrgId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties


@dataclass(frozen=True)
class Submission:
    """What a draft still lacked. None leaves as it is."""

    verifier_id: OrgId | None = None
    evidence: tuple[Offered, ...] = ()
    goods: str | None = None
    distance_m: int | None = None
    names_facility: bool | None = None


async def submit(
    work: UnitOfWork,
    certificate_id: CertificateId,
    submission: Submission,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Certificate:
    """Blocked with every reason; the mass is reserved when it succeeds."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    role = acting(by, certificate, "submit")
    await _complete(work, certificate, submission)
    async with work.as_house():
        found = await reasons.basis(work, certificate)
        refuse_ambiguous_distance(submission.distance_m, found.trace, found.measure)
        batches = await reasons.lock(work, found)
        now = CertificateNow(
            against=await reasons.against(work, certificate, found, batches),
            verifier=await reasons.against_verifier(work, certificate, found.trace),
        )
        moved = states.move(CERTIFICATE, certificate, "submit", by=role, facts=now)
        certificate.input_g, certificate.certified_g = found.measure.input_g, found.measure.certified_g
        certificate.submitted_at = work.now
        await claims.reserve(work, certificate, found.measure.targets)
        telling.tell(work, certificate, events.CertificateSubmitted(**telling.about(certificate)), moved)
        return certificate


async def _complete(work: UnitOfWork, certificate: Certificate, submission: Submission) -> None:
    if certificate.status != "draft":
        return
    if submission.verifier_id is not None:
        await parties.organization(work, submission.verifier_id)
    given = {
        "verifier_id": submission.verifier_id,
        "goods": submission.goods,
        "distance_m": submission.distance_m,
        "names_facility": submission.names_facility,
    }
    for name, value in given.items():
        if value is not None:
            setattr(certificate, name, value)
    await files.keep(work, submission.evidence, subject_id=certificate.id, owner_id=certificate.holder_id)


async def withdraw(
    work: UnitOfWork, certificate_id: CertificateId, *, by: Actor, check_version: CheckVersion = any_version
) -> Certificate:
    """A draft, or what nobody has taken up yet; its mass is free again."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    moved = states.move(CERTIFICATE, certificate, "withdraw", by=acting(by, certificate, "withdraw"))
    async with work.as_house():
        await claims.release(work, certificate)
    telling.tell(work, certificate, events.CertificateWithdrawn(**telling.about(certificate)), moved)
    return certificate
