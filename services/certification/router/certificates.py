"""HTTP of certificates."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import col

from services.certification import issuing, policy, queries
from services.certification.issuing import choosing
from services.certification.keys import Signer, signer
from services.certification.models import Certificate
from services.certification.schemas.certificates import (
    CertificateAnswer,
    CertificatePage,
    GiveReason,
    Inside,
    NewCertificate,
    SubmitCertificate,
    VersionAnswer,
)
from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, MustMatch, UnitOfWorkRoute, Work, holding, runtime_of, tag
from services.kernel.ids import CertificateId
from services.kernel.pagination import Paging, rows_of
from services.kernel.states import Choices
from services.kernel.unit_of_work import UnitOfWork

certificates = APIRouter(prefix="/v1", tags=["certificates"], route_class=UnitOfWorkRoute)

Reader = Annotated[Actor, holding("certificates:read")]
Holder = Annotated[Actor, holding("certificates:write")]
Verifier = Annotated[Actor, holding("certificates:verify")]


def _signer(request: Request, work: UnitOfWork) -> Signer:
    return signer(runtime_of(request).settings, livemode=work.livemode)


async def _told(
    work: UnitOfWork, certificate: Certificate, actor: Actor, request: Request, answer: Response
) -> CertificateAnswer:
    tag(answer, certificate.version)
    return await _answer(work, certificate, await choosing.of_certificate(work, certificate, actor), actor, request)


async def _answer(
    work: UnitOfWork, certificate: Certificate, choices: Choices, actor: Actor, request: Request
) -> CertificateAnswer:
    base = runtime_of(request).settings.base_url
    version = await queries.version(work, certificate.id, certificate.number) if certificate.number else None
    told = VersionAnswer.of(version, base) if version is not None else None
    return CertificateAnswer.of(certificate, choices, version=told, inside=await _inside(work, certificate, actor))


async def _inside(work: UnitOfWork, certificate: Certificate, actor: Actor) -> Inside | None:
    if not policy.sees_what_went_in(policy.roles_of(actor, certificate)):
        return None
    events = await queries.events_of(work, certificate.id)
    files = await queries.evidence_of(work, [certificate.id, *(event.event_id for event in events)])
    return Inside(await queries.batches_of(work, certificate.id), events, files)


@certificates.get("/certificates", summary="List certificates")
async def list_(
    work: Work,
    actor: Reader,
    paging: Paging,
    request: Request,
    status: Annotated[str | None, Query(max_length=20, description="Only in this state")] = None,
    type: Annotated[str | None, Query(max_length=20, description="Only of this type")] = None,
) -> CertificatePage:
    """Your own, those submitted to you as their verifier, and those issued about goods that you gave; newest first. What stands
    against a transition is told when you get one of them."""
    query = queries.certificates(actor)
    for column, value in {Certificate.status: status, Certificate.type: type}.items():
        query = query if value is None else query.where(col(column) == value)
    rows, cursor = await rows_of(work, query, col(Certificate.id), paging)
    answer = partial(_answer, actor=actor, request=request)
    data = [await answer(work, row, choosing.untested(row, actor)) for row in rows]
    return CertificatePage(data=data, has_more=cursor is not None, next_cursor=cursor)


@certificates.get("/certificates/{certificate_id}", summary="Get a certificate")
async def get(
    certificate_id: CertificateId, work: Work, actor: Reader, request: Request, answer: Response
) -> CertificateAnswer:
    """One certificate, with what you could do now and every reason against the rest."""
    certificate = await queries.visible_certificate(work, certificate_id, actor)
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates", status_code=201, summary="Draft a certificate", dependencies=[DryRun])
async def create(
    body: NewCertificate, work: Work, actor: Holder, request: Request, answer: Response
) -> CertificateAnswer:
    """For what no rule has drafted: recycling and destruction name final operations (or the batches or order behind
    them); reuse, repair and remanufacture name batches that go on as they are. Refused with `nothing_to_certify`,
    `mass_not_available`, and as invalid for `one_subject` and `several_legs`.

    Causes `certificate.drafted`."""
    certificate = await issuing.draft(work, body.wanted(), by=actor)
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/submit", summary="Submit to a verifier", dependencies=[DryRun])
async def submit(
    certificate_id: CertificateId,
    body: SubmitCertificate,
    work: Work,
    actor: Holder,
    matching: Matching,
    request: Request,
    answer: Response,
) -> CertificateAnswer:
    """Reserves the mass. Refused with every reason at once: `evidence_missing`, `mass_not_weighed`, `operation_pending`,
    `mass_not_available`, `permit_not_valid`, `chain_broken`, `verifier_missing`, `verifier_not_eligible`,
    `verifier_not_independent`. Causes `certificate.submitted`."""
    certificate = await issuing.submit(
        work, certificate_id, body.submission(), by=actor, check_version=matching.matches
    )
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/withdraw", summary="Withdraw a certificate", dependencies=[DryRun])
async def withdraw(
    certificate_id: CertificateId, work: Work, actor: Holder, matching: Matching, request: Request, answer: Response
) -> CertificateAnswer:
    """A draft, or what its verifier has not taken up yet; the mass is free again. Causes `certificate.withdrawn`."""
    certificate = await issuing.withdraw(work, certificate_id, by=actor, check_version=matching.matches)
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/take_up", summary="Take a certificate up", dependencies=[DryRun])
async def take_up(
    certificate_id: CertificateId, work: Work, actor: Verifier, matching: Matching, request: Request, answer: Response
) -> CertificateAnswer:
    """By the verifier it names. Causes `certificate.verification_started`."""
    certificate = await issuing.take_up(work, certificate_id, by=actor, check_version=matching.matches)
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/query", summary="Ask back", dependencies=[DryRun])
async def query(
    certificate_id: CertificateId,
    body: GiveReason,
    work: Work,
    actor: Verifier,
    matching: Matching,
    request: Request,
    answer: Response,
) -> CertificateAnswer:
    """By its verifier: it is a draft again and its mass free. Causes `certificate.queried`."""
    certificate = await issuing.query(
        work, certificate_id, reason=body.reason, by=actor, check_version=matching.matches
    )
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/refuse", summary="Refuse a certificate", dependencies=[DryRun])
async def refuse(
    certificate_id: CertificateId,
    body: GiveReason,
    work: Work,
    actor: Verifier,
    matching: Matching,
    request: Request,
    answer: Response,
) -> CertificateAnswer:
    """By its verifier, for good; its mass is free for another certificate. Causes `certificate.refused`."""
    certificate = await issuing.refuse(
        work, certificate_id, reason=body.reason, by=actor, check_version=matching.matches
    )
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/issue", summary="Issue a certificate", dependencies=[DryRun])
async def issue(
    certificate_id: CertificateId, work: Work, actor: Verifier, matching: MustMatch, request: Request, answer: Response
) -> CertificateAnswer:
    """By its verifier, with If-Match. Everything is checked again, the reserved mass becomes certified, the impact is
    computed and frozen, the credential is built, checked and signed: all of it or nothing. Refused with the reasons of
    `submit`: `evidence_missing`, `mass_not_weighed`, `operation_pending`, `mass_not_available`, `permit_not_valid`,
    `chain_broken`, `verifier_missing`, `verifier_not_eligible`, `verifier_not_independent`; and with
    `document_not_valid`, should what we were about to sign not hold by its schema.

    Causes `certificate.issued` and `impact.stated`; obligations it covers are fulfilled."""
    certificate = await issuing.issue(
        work,
        certificate_id,
        _signer(request, work),
        by=actor,
        check_version=matching.matches,
    )
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/suspend", summary="Suspend a certificate", dependencies=[DryRun])
async def suspend(
    certificate_id: CertificateId,
    body: GiveReason,
    work: Work,
    actor: Verifier,
    matching: Matching,
    request: Request,
    answer: Response,
) -> CertificateAnswer:
    """By its verifier or an operator: the current version does not stand from now on; its mass stays certified.

    Causes `certificate.suspended`."""
    certificate = await issuing.suspend(
        work, certificate_id, reason=body.reason, by=actor, check_version=matching.matches
    )
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/reinstate", summary="Reinstate a certificate", dependencies=[DryRun])
async def reinstate(
    certificate_id: CertificateId, work: Work, actor: Verifier, matching: Matching, request: Request, answer: Response
) -> CertificateAnswer:
    """By another person than who suspended it (`another_person_needed`): a new version under a new status index, for a
    revocation is not undone. Causes `certificate.reinstated` and `impact.stated`."""
    certificate = await issuing.reinstate(
        work, certificate_id, _signer(request, work), by=actor, check_version=matching.matches
    )
    return await _told(work, certificate, actor, request, answer)


@certificates.post("/certificates/{certificate_id}/revoke", summary="Revoke a certificate", dependencies=[DryRun])
async def revoke(
    certificate_id: CertificateId,
    body: GiveReason,
    work: Work,
    actor: Verifier,
    matching: Matching,
    request: Request,
    answer: Response,
) -> CertificateAnswer:
    """By its verifier or an operator, for good; its mass stays consumed. The status list shows it within seconds.

    Causes `certificate.revoked`."""
    certificate = await issuing.revoke(
        work, certificate_id, reason=body.reason, by=actor, check_version=matching.matches
    )
    return await _told(work, certificate, actor, request, answer)
