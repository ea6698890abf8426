"""A batch turned out lighter than what was claimed on it: facts win, and the certificates that no longer fit give way."""

from services.certification import claims, events, queries
from services.certification.issuing import telling
from services.certification.issuing.revoking import put_out_of_force
from services.certification.models import CERTIFICATE, Certificate
from services.kernel import states
from services.kernel.ids import BatchId
from services.kernel.unit_of_work import UnitOfWork

REASON = "A batch behind it was weighed again and found lighter."
SUSPENDER = "correction"


async def fit(work: UnitOfWork, batch_id: BatchId, new_mass_g: int) -> None:
    """The newest first, until what is left fits: issued ones are suspended and their claim is parked, others go back to their
    holder as drafts."""
    standing = await queries.newest_claims_on(work, batch_id)
    excess: dict[str, int] = {}
    for row, _ in standing:
        excess[row.pool] = excess.get(row.pool, -new_mass_g) + row.mass_g
    for row, certificate in standing:
        if excess[row.pool] > 0:
            excess[row.pool] -= row.mass_g
            await _give_way(work, certificate)


async def _give_way(work: UnitOfWork, certificate: Certificate) -> None:
    if certificate.status in ("submitted", "verifying"):
        await _return(work, certificate)
        return
    if certificate.status == "issued":
        await put_out_of_force(work, certificate, "suspend", "time", REASON)
        certificate.suspended_by = SUSPENDER
    await claims.park(work, certificate)


async def _return(work: UnitOfWork, certificate: Certificate) -> None:
    moved = states.move(CERTIFICATE, certificate, "return", by="time")
    certificate.reason = REASON
    await claims.release(work, certificate)
    told = events.CertificateQueried(**telling.about(certificate), reason=REASON)
    telling.tell(work, certificate, told, moved)
