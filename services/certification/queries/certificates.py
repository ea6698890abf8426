"""Certificates, their versions, and what supports them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlmodel import col

from services.certification.models import (
    Certificate,
    CertificateBatch,
    CertificateEvent,
    CertificateVersion,
    ClaimAllocation,
    EvidenceFile,
    ImpactStatement,
)
from services.certification.models.certificates import PUBLIC
from services.certification.queries.finding import every, locked, maybe, one
from services.kernel.actors import Actor
from services.kernel.ids import CertificateId
from services.kernel.unit_of_work import UnitOfWork


def certificates(actor: Actor) -> Select[Certificate]:
    """The actor's own, those submitted to it as verifier, and those issued about its goods, unordered."""
    return select(Certificate).where(col(Certificate.livemode) == actor.livemode, _may_see(actor))


def _may_see(actor: Actor) -> ColumnElement[bool]:
    if actor.is_operator:
        return true()
    if actor.org_id is None:
        return false()
    verifies = and_(col(Certificate.verifier_id) == actor.org_id, col(Certificate.submitted_at).is_not(None))
    gave = and_(col(Certificate.upstream_ids).contains([actor.org_id]), col(Certificate.status).in_(PUBLIC))
    return or_(col(Certificate.holder_id) == actor.org_id, verifies, gave)


async def visible_certificate(work: UnitOfWork, certificate_id: CertificateId, actor: Actor) -> Certificate:
    return await one(
        work, certificates(actor).where(col(Certificate.id) == certificate_id), "certificate", certificate_id
    )


async def certificate_for_update(work: UnitOfWork, certificate_id: CertificateId, actor: Actor) -> Certificate:
    query = certificates(actor).where(col(Certificate.id) == certificate_id)
    return await one(work, locked(query), "certificate", certificate_id)


async def certificate(work: UnitOfWork, certificate_id: str) -> Certificate:
    """Of either environment, for the public face: who has the address may read it."""
    return await one(
        work, select(Certificate).where(col(Certificate.id) == certificate_id), "certificate", certificate_id
    )


async def version(work: UnitOfWork, certificate_id: str, number: int | None) -> CertificateVersion:
    """Of either environment. NotFound for a number that does not exist, None included."""
    query = select(CertificateVersion).where(
        col(CertificateVersion.certificate_id) == certificate_id, col(CertificateVersion.number) == number
    )
    return await one(work, query, "certificate", certificate_id)


async def statement(work: UnitOfWork, statement_id: str) -> ImpactStatement:
    """Of either environment."""
    query = select(ImpactStatement).where(col(ImpactStatement.id) == statement_id)
    return await one(work, query, "impact statement", statement_id)


async def batches_of(work: UnitOfWork, certificate_id: str) -> Sequence[CertificateBatch]:
    query = select(CertificateBatch).where(col(CertificateBatch.certificate_id) == certificate_id)
    return await every(work, query.order_by(col(CertificateBatch.batch_id)))


async def events_of(work: UnitOfWork, certificate_id: str) -> Sequence[CertificateEvent]:
    query = select(CertificateEvent).where(col(CertificateEvent.certificate_id) == certificate_id)
    return await every(work, query.order_by(col(CertificateEvent.event_id)))


async def holder_of_event(work: UnitOfWork, event_ids: Iterable[str]) -> dict[str, str]:
    """Which certificate holds each operation; operations that support none are left out."""
    query = select(CertificateEvent).where(
        col(CertificateEvent.event_id).in_(set(event_ids)), col(CertificateEvent.is_held).is_(True)
    )
    return {row.event_id: row.certificate_id for row in await every(work, query)}


async def allocations(work: UnitOfWork, certificate_id: str) -> Sequence[ClaimAllocation]:
    query = select(ClaimAllocation).where(col(ClaimAllocation.certificate_id) == certificate_id)
    return await every(work, query.order_by(col(ClaimAllocation.batch_id)).execution_options(populate_existing=True))


async def newest_claims_on(work: UnitOfWork, batch_id: str) -> Sequence[tuple[ClaimAllocation, Certificate]]:
    """What counts on a batch, with its certificates, the newest first; the certificates are locked."""
    query = (
        select(ClaimAllocation, Certificate)
        .join(Certificate, col(Certificate.id) == col(ClaimAllocation.certificate_id))
        .where(col(ClaimAllocation.batch_id) == batch_id, col(ClaimAllocation.state).in_(["reserved", "certified"]))
        .order_by(col(Certificate.id).desc())
        .with_for_update(of=Certificate)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in (await work.session.execute(query)).all()]


async def evidence_of(work: UnitOfWork, subject_ids: Iterable[str]) -> Sequence[EvidenceFile]:
    query = select(EvidenceFile).where(col(EvidenceFile.subject_id).in_(set(subject_ids)))
    return await every(work, query.order_by(col(EvidenceFile.id)))


async def has_evidence(work: UnitOfWork, subject_id: str, sha256: bytes) -> bool:
    query = select(col(EvidenceFile.id)).where(
        col(EvidenceFile.subject_id) == subject_id, col(EvidenceFile.sha256) == sha256
    )
    return await maybe(work, query) is not None


async def issued_among(work: UnitOfWork, certificate_ids: Iterable[str]) -> set[str]:
    query = select(col(Certificate.id)).where(
        col(Certificate.id).in_(set(certificate_ids)), col(Certificate.status) == "issued"
    )
    return set(await every(work, query))


async def certified_next_life(work: UnitOfWork, batch_ids: Iterable[str]) -> dict[str, int]:
    """Grams by batch whose next life is certified."""
    query = select(ClaimAllocation).where(
        col(ClaimAllocation.batch_id).in_(set(batch_ids)),
        col(ClaimAllocation.kind) == "next_life",
        col(ClaimAllocation.state) == "certified",
    )
    found: dict[str, int] = {}
    for row in await every(work, query):
        found[row.batch_id] = found.get(row.batch_id, 0) + row.mass_g
    return found
