"""Issuing: debit, state the impact, draw a status index, build, check, seal, look at it once more, write. One transaction."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.certification import (
    claims,
    documents,
    envelopes,
    events,
    evidence,
    keys,
    proofs,
    queries,
    schemes,
    stating,
)
from services.certification.documents import Batch, CertificateFacts, Party, Scheme, StatusEntry, Verifier
from services.certification.documents.building import instant
from services.certification.errors import DocumentIsNotValid
from services.certification.impact.rendering import as_document
from services.certification.impact.statement import Statement
from services.certification.issuing import listing, proving, reasons, telling
from services.certification.issuing.drafting import link
from services.certification.issuing.reasons import Basis
from services.certification.issuing.taking import acting
from services.certification.keys import Signer
from services.certification.models import (
    CERTIFICATE,
    Certificate,
    CertificateNow,
    CertificateVersion,
    ImpactStatement,
)
from services.certification.policy import person_of
from services.certification.trace import legs
from services.kernel import states, timers
from services.kernel.actors import Actor
from services.kernel.errors import Reason
from services.kernel.ids import CertificateId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties.models import PROCESSORS, Organization, Site

EXPIRE = "certificate.expire"


async def issue(
    work: UnitOfWork, certificate_id: CertificateId, signing: Signer, *, by: Actor, check_version: CheckVersion
) -> Certificate:
    """By the verifier. Everything is checked again under the batches' locks; what fails leaves no debit behind."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    role = acting(by, certificate, "issue")
    async with work.as_house():
        found = await reasons.basis(work, certificate)
        now = CertificateNow(
            against=await _against(work, certificate, found),
            verifier=await reasons.against_verifier(work, certificate, found.trace),
        )
        moved = states.move(CERTIFICATE, certificate, "issue", by=role, facts=now)
        certificate.number = 1
        await claims.certify(work, certificate)
        certificate.issued_at = work.now
        version = await _sign(work, certificate, found, signing)
        issued = events.CertificateIssued(
            **_about(certificate, version, signing),
            order_ids=await proving.proven_orders(work, certificate, found.trace),
            valid_from=version.valid_from,
            valid_until=version.valid_until,
        )
        telling.tell(work, certificate, issued, moved)
        await _tell_impact(work, certificate, version)
        await timers.schedule(work, EXPIRE, certificate.id, version.valid_until)
        return certificate


async def _against(work: UnitOfWork, certificate: Certificate, found: Basis) -> tuple[Reason, ...]:
    batches = await reasons.lock(work, found)
    against = await reasons.against(work, certificate, found, batches)
    if found.measure.fits(certificate.input_g, certificate.certified_g):
        return against
    return (*against, Reason("mass_not_available", "The masses have changed since it was submitted; ask back."))


async def reinstate(
    work: UnitOfWork,
    certificate_id: CertificateId,
    signing: Signer,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Certificate:
    """A new version under a new index, with the masses as they are now: a revocation is not undone."""
    certificate = await queries.certificate_for_update(work, certificate_id, by)
    check_version(certificate.version)
    role = acting(by, certificate, "reinstate")
    async with work.as_house():
        found = await reasons.basis(work, certificate)
        batches = await reasons.lock(work, found)
        against = await reasons.against(work, certificate, found, batches)
        facts = CertificateNow(against=against, person=person_of(by))
        moved = states.move(CERTIFICATE, certificate, "reinstate", by=role, facts=facts)
        certificate.number = (certificate.number or 0) + 1
        certificate.suspended_by = None
        certificate.input_g, certificate.certified_g = found.measure.input_g, found.measure.certified_g
        await claims.park(work, certificate)
        await claims.reserve(work, certificate, found.measure.targets)
        await claims.certify(work, certificate)
        version = await _sign(work, certificate, found, signing)
        telling.tell(work, certificate, events.CertificateReinstated(**_about(certificate, version, signing)), moved)
        await _tell_impact(work, certificate, version)
        await timers.schedule(work, EXPIRE, certificate.id, version.valid_until)
        return certificate


async def _sign(work: UnitOfWork, certificate: Certificate, found: Basis, signing: Signer) -> CertificateVersion:
    await keys.publish(work, signing)
    site = await parties.site(work, certificate.site_id)
    statement = await _state(work, certificate, found, site)
    frozen = await _freeze(work, certificate, statement)
    root, count = await _evidence_root(work, certificate, found)
    listed, index = await listing.draw(work, signing)
    assert certificate.number is not None, "the move has numbered the version"
    status = StatusEntry(listing.url_of(signing.host, listed.id), index)
    named = _Named(certificate.number, status, root, count, statement)
    facts = await _facts(work, certificate, found, signing, site, named)
    sealed = _seal(facts, signing, work.now)
    version = CertificateVersion(
        certificate_id=certificate.id,
        number=certificate.number,
        **sealed,
        kid=signing.es256.kid,
        status_list_id=listed.id,
        status_index=index,
        valid_from=facts.valid_from,
        valid_until=facts.valid_until,
        statement_id=frozen.id,
        evidence_root=root,
        event_count=count,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(version)
    await work.session.flush()
    return version


async def _state(work: UnitOfWork, certificate: Certificate, found: Basis, site: Site) -> Statement:
    runs = legs(found.trace, found.measure.taken)
    sites = await parties.sites(work, {id for leg in runs for id in (leg.from_site_id, leg.to_site_id)})
    declared = certificate.distance_m if len(runs) == 1 else None
    hauled = [(leg, stating.distance(leg, sites, declared)) for leg in runs]
    scheme = schemes.find(certificate.scheme_name, certificate.scheme_version)
    return stating.state(certificate.type, found.measure, hauled, region=site.country, factor_set=scheme.factor_set)


async def _freeze(work: UnitOfWork, certificate: Certificate, statement: Statement) -> ImpactStatement:
    document = as_document(statement)
    frozen = ImpactStatement(
        certificate_id=certificate.id,
        factor_set=statement.factor_set,
        factor_set_sha256=statement.factor_set_sha256,
        document=document,
        sha256=hashlib.sha256(proofs.canonical(document)).digest(),
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(frozen)
    await work.session.flush()
    return frozen


async def _evidence_root(work: UnitOfWork, certificate: Certificate, found: Basis) -> tuple[str, int]:
    """Over every custody event behind it and every file, salted; and how many events."""
    known = {row.event_id for row in await queries.events_of(work, certificate.id)}
    for event_id in sorted(found.trace.events.keys() - known):
        work.add(link(work, certificate.id, event_id, "evidence"))
    await work.session.flush()
    links = await queries.events_of(work, certificate.id)
    files = await queries.evidence_of(work, [certificate.id, *found.trace.events])
    pieces = [evidence.Evidence(row.event_id, found.trace.events[row.event_id].hash, row.salt) for row in links]
    pieces += [evidence.Evidence(file.id, file.sha256, file.salt) for file in files]
    return evidence.root(pieces), len(links)


@dataclass(frozen=True)
class _Named:
    """What the version itself brings to the document."""

    number: int
    status: StatusEntry
    evidence_root: str
    event_count: int
    statement: Statement


async def _facts(
    work: UnitOfWork, certificate: Certificate, found: Basis, signing: Signer, site: Site, named: _Named
) -> CertificateFacts:
    found_parties = await parties.organizations(work, [certificate.holder_id, str(certificate.verifier_id)])
    holder, verifier = found_parties[certificate.holder_id], found_parties[str(certificate.verifier_id)]
    scheme = schemes.find(certificate.scheme_name, certificate.scheme_version)
    valid_from = work.now.replace(microsecond=0)
    return CertificateFacts(
        type=certificate.type,
        host=signing.host,
        issuer_did=signing.did,
        issuer_name=keys.NAME if certificate.livemode else f"{keys.NAME} (sandbox)",
        certificate_id=certificate.id,
        version=named.number,
        holder=Party(holder.id, holder.legal_name, _role(holder)),
        verifier=Verifier(verifier.id, verifier.legal_name),
        scheme=Scheme(scheme.name, scheme.version, scheme.title),
        period_from=certificate.period_from,
        period_until=certificate.period_until,
        assessed_on=work.now.date(),
        valid_from=valid_from,
        valid_until=_years_later(valid_from, schemes.VALID_YEARS),
        goods=certificate.goods,
        input_g=found.measure.input_g,
        mass_method=found.measure.mass_method,
        operation=found.measure.operation,
        outputs=found.measure.outputs,
        loss_g=found.measure.loss_g,
        custody_model=found.measure.custody_model,
        rate_ppm=found.measure.rate_ppm,
        certified_g=found.measure.certified_g,
        impact=stating.summary(named.statement),
        evidence_root=named.evidence_root,
        event_count=named.event_count,
        status=named.status,
        batches=tuple(_pseudonymous(certificate, found)),
        facility=Party(site.id, site.name, _role(holder)) if certificate.names_facility else None,
    )


def _role(organization: Organization) -> str:
    return next((role for role in organization.roles if role in PROCESSORS), organization.roles[0])


def _pseudonymous(certificate: Certificate, found: Basis) -> list[Batch]:
    """Named by waste code or material: a title in the sender's words could tell who that was."""
    batches = []
    for batch_id in sorted(found.measure.taken):
        code = found.trace.code_of(batch_id)
        material = found.trace.batches[batch_id].material.replace("_", " ")
        name = f"Waste {code}" if code else f"Goods, {material}"
        batches.append(Batch(evidence.pseudonym(certificate.secret, certificate.id, batch_id), name))
    return batches


def _years_later(time: datetime, years: int) -> datetime:
    """29 February becomes 28."""
    try:
        return time.replace(year=time.year + years)
    except ValueError:
        return time.replace(year=time.year + years, day=28)


def _seal(facts: CertificateFacts, signing: Signer, now: datetime) -> dict[str, Any]:
    """Built, checked, sealed, and opened once with the public key, as a stranger would."""
    document = documents.build(facts)
    problems = documents.problems(document)
    if problems:
        raise DocumentIsNotValid(problems)
    token = signing.seal(document)
    did_document = documents.did_document(signing.did, signing.published)
    envelopes.unseal(token, did_document, now)
    secured = signing.prove(document, instant(now))
    proofs.verify(secured, str(signing.ed25519.public["multibase"]))
    content = proofs.canonical(document)
    context = proofs.canonical(documents.namespace_context(signing.host))
    return {
        "document": content,
        "document_sha256": hashlib.sha256(content).digest(),
        "validated_by": documents.validated_by(),
        "contexts": {f"https://{signing.host}/ns/v1": hashlib.sha256(context).hexdigest()},
        "vc_jwt": token,
        "jcs": proofs.canonical(secured).decode(),
    }


def _about(certificate: Certificate, version: CertificateVersion, signing: Signer) -> dict[str, Any]:
    return {
        **telling.about(certificate),
        "certificate_version": version.number,
        "credential_url": f"https://{signing.host}/credentials/{certificate.id}/{version.number}",
    }


async def _tell_impact(work: UnitOfWork, certificate: Certificate, version: CertificateVersion) -> None:
    frozen = await queries.statement(work, version.statement_id)
    total = next(total for total in frozen.document["totals"] if total["indicator"] == "gwp100")
    stated = events.ImpactStated(
        statement_id=frozen.id,
        certificate_id=certificate.id,
        certificate_version=version.number,
        factor_set=frozen.factor_set,
        incurred=total["incurred"],
        avoided=total["avoided"],
        unit=total["unit"],
        is_complete=not frozen.document["missing"],
        missing=list(dict.fromkeys(entry["what"] for entry in frozen.document["missing"])),
    )
    telling.tell(work, certificate, stated)


@timer(EXPIRE)
async def expire(work: UnitOfWork, subject_id: str) -> None:
    certificate = await queries.certificate_for_update(work, CertificateId(subject_id), work.actor)
    moved = states.move(CERTIFICATE, certificate, "expire", by="time")
    telling.tell(work, certificate, events.CertificateExpired(**telling.about(certificate)), moved)
