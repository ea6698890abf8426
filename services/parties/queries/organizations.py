"""Organizations, their sites and their papers."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, Text, and_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import (
    DocumentId,
    OrgId,
    PermitId,
    SiteId,
)
from services.kernel.objects import StoredFile
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import (
    Organization,
    OrganizationDocument,
    Permit,
    PermitCheck,
    PermitScope,
    Site,
)
from services.parties.policy import within_its_sites
from services.parties.queries.finding import one, seen_by

T = TypeVar("T")


async def organization(work: UnitOfWork, org_id: str) -> Organization:
    return await one(work, _organizations(work).where(col(Organization.id) == org_id), "organization", org_id)


async def organization_for_update(work: UnitOfWork, org_id: str) -> Organization:
    query = _organizations(work).where(col(Organization.id) == org_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "organization", org_id)


async def organizations(work: UnitOfWork, ids: Iterable[str]) -> dict[str, Organization]:
    """By id; ids that are not here are left out."""
    query = _organizations(work).where(col(Organization.id).in_(set(ids)))
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def carriers(work: UnitOfWork, ids: Collection[str] | None = None) -> list[Organization]:
    """Verified carriers, of these ids if any are given, in the order in which they registered."""
    query = _organizations(work).where(
        col(Organization.roles).op("@>")(cast(["carrier"], ARRAY(Text))),
        col(Organization.verification_status) == "verified",
    )
    if ids is not None:
        query = query.where(col(Organization.id).in_(ids))
    return list((await work.session.execute(query.order_by(col(Organization.id)))).scalars())


async def site(work: UnitOfWork, site_id: str) -> Site:
    """Whosever it is: the address of a deal is known to its parties."""
    query = select(Site).where(col(Site.id) == site_id, col(Site.livemode) == work.livemode)
    return await one(work, query, "site", site_id)


async def sites(work: UnitOfWork, ids: Iterable[str]) -> dict[str, Site]:
    """By id; ids that are not here are left out."""
    query = select(Site).where(col(Site.id).in_(set(ids)), col(Site.livemode) == work.livemode)
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def sites_of(work: UnitOfWork, org_id: OrgId) -> dict[str, Site]:
    """All of an organization's, by id."""
    query = select(Site).where(col(Site.org_id) == org_id, col(Site.livemode) == work.livemode)
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def visible_site(work: UnitOfWork, site_id: SiteId, actor: Actor) -> Site:
    return await one(work, sites_visible_to(actor).where(col(Site.id) == site_id), "site", site_id)


async def visible_site_for_update(work: UnitOfWork, site_id: SiteId, actor: Actor) -> Site:
    query = sites_visible_to(actor).where(col(Site.id) == site_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "site", site_id)


def sites_visible_to(actor: Actor) -> Select[Site]:
    return select(Site).where(*seen_by(Site, actor), *within_its_sites(actor, col(Site.id)))


async def permit(work: UnitOfWork, permit_id: PermitId, actor: Actor) -> Permit:
    return await one(work, permits_visible_to(actor).where(col(Permit.id) == permit_id), "permit", permit_id)


async def has_permit(work: UnitOfWork, org_id: OrgId, authority: str, number: str) -> bool:
    query = select(col(Permit.id)).where(
        col(Permit.org_id) == org_id,
        col(Permit.authority) == authority,
        col(Permit.number) == number,
        col(Permit.livemode) == work.livemode,
        col(Permit.status) != "withdrawn",
    )
    return (await work.session.execute(query)).first() is not None


def permits_visible_to(actor: Actor) -> Select[Permit]:
    return select(Permit).where(*seen_by(Permit, actor))


async def permit_for_update(work: UnitOfWork, permit_id: PermitId, actor: Actor) -> Permit:
    query = permits_visible_to(actor).where(col(Permit.id) == permit_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "permit", permit_id)


async def any_permit_for_update(work: UnitOfWork, permit_id: PermitId) -> Permit:
    """For timers: nobody's view in particular."""
    query = select(Permit).where(col(Permit.id) == permit_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "permit", permit_id)


async def document(work: UnitOfWork, document_id: str, actor: Actor) -> OrganizationDocument:
    query = documents_visible_to(actor).where(col(OrganizationDocument.id) == document_id)
    return await one(work, query, "document", document_id)


async def document_for_update(work: UnitOfWork, document_id: DocumentId, actor: Actor) -> OrganizationDocument:
    query = documents_visible_to(actor).where(col(OrganizationDocument.id) == document_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "document", document_id)


async def any_document_for_update(work: UnitOfWork, document_id: DocumentId) -> OrganizationDocument:
    """For timers: nobody's view in particular."""
    query = select(OrganizationDocument).where(col(OrganizationDocument.id) == document_id).with_for_update()
    return await one(work, query.execution_options(populate_existing=True), "document", document_id)


async def has_open_successor(work: UnitOfWork, document_id: DocumentId) -> bool:
    query = select(col(OrganizationDocument.id)).where(
        col(OrganizationDocument.replaces_id) == document_id,
        col(OrganizationDocument.status).in_(("submitted", "accepted")),
    )
    return (await work.session.execute(query)).first() is not None


def documents_visible_to(actor: Actor) -> Select[OrganizationDocument]:
    return select(OrganizationDocument).where(*seen_by(OrganizationDocument, actor))


async def files(work: UnitOfWork, ids: Iterable[str]) -> dict[str, StoredFile]:
    """By id, of documents the caller may see."""
    query = select(StoredFile).where(col(StoredFile.id).in_(set(ids)))
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def standing_of(work: UnitOfWork, org_id: str) -> tuple[Organization, list[OrganizationDocument]]:
    """An organization with its papers that count, counted or may count: one read, whoever asks."""
    of_it = and_(
        col(OrganizationDocument.org_id) == col(Organization.id), col(OrganizationDocument.status).in_(_COUNTING)
    )
    query = (
        select(Organization, OrganizationDocument)
        .outerjoin(OrganizationDocument, of_it)
        .where(col(Organization.id) == org_id, col(Organization.livemode) == work.livemode)
    )
    rows = (await work.session.execute(query)).all()
    if not rows:
        raise NotFound("organization", org_id)
    return rows[0][0], [row[1] for row in rows if row[1] is not None]


async def counting_papers(work: UnitOfWork, org_ids: Collection[str]) -> dict[str, list[OrganizationDocument]]:
    """By organization, as in `standing_of`."""
    query = select(OrganizationDocument).where(
        col(OrganizationDocument.org_id).in_(org_ids), col(OrganizationDocument.status).in_(_COUNTING)
    )
    found: dict[str, list[OrganizationDocument]] = {}
    for paper in (await work.session.execute(query)).scalars():
        found.setdefault(paper.org_id, []).append(paper)
    return found


_COUNTING = ("submitted", "accepted", "expired")


async def scopes_of(work: UnitOfWork, permit_ids: Iterable[str]) -> dict[str, list[PermitScope]]:
    """By permit, in the order in which they were given."""
    query = select(PermitScope).where(col(PermitScope.permit_id).in_(set(permit_ids))).order_by(col(PermitScope.id))
    found: dict[str, list[PermitScope]] = {}
    for scope in (await work.session.execute(query)).scalars():
        found.setdefault(scope.permit_id, []).append(scope)
    return found


async def scopes_for(
    work: UnitOfWork, org_id: str, *, kind: str, waste_codes: Collection[str] | None = None, lock: bool = False
) -> list[tuple[PermitScope, Permit]]:
    """Scopes that name one of the codes; None: all. Locked in the order of their ids, so that two reservations lock alike."""
    query = (
        select(PermitScope, Permit)
        .join(Permit, col(Permit.id) == col(PermitScope.permit_id))
        .where(
            col(Permit.org_id) == org_id,
            col(Permit.livemode) == work.livemode,
            col(Permit.kind) == kind,
        )
        .order_by(col(PermitScope.id))
        .execution_options(populate_existing=True)
    )
    if waste_codes is not None:
        query = query.where(col(PermitScope.waste_codes).op("&&")(cast(list(waste_codes), ARRAY(Text))))
    if lock:
        query = query.with_for_update(of=PermitScope)
    return [(row[0], row[1]) for row in (await work.session.execute(query)).all()]


async def reserved_scopes_for_update(work: UnitOfWork, subject_id: str) -> dict[int, PermitScope]:
    """The scopes that hold something for the subject, locked in the order of their ids; read reservations after."""
    ids = select(col(PermitCheck.scope_id)).where(*_open_reservations(work, subject_id))
    query = select(PermitScope).where(col(PermitScope.id).in_(ids)).order_by(col(PermitScope.id)).with_for_update()
    rows = (await work.session.execute(query.execution_options(populate_existing=True))).scalars()
    return {row.id: row for row in rows if row.id is not None}


async def reservations_of(work: UnitOfWork, subject_id: str) -> Sequence[PermitCheck]:
    """Reservations of the subject that were not freed."""
    query = select(PermitCheck).where(*_open_reservations(work, subject_id)).order_by(col(PermitCheck.id))
    query = query.execution_options(populate_existing=True)
    return (await work.session.execute(query)).scalars().all()


def _open_reservations(work: UnitOfWork, subject_id: str) -> list[ColumnElement[bool]]:
    return [
        col(PermitCheck.subject_id) == subject_id,
        col(PermitCheck.livemode) == work.livemode,
        col(PermitCheck.is_reservation).is_(True),
        col(PermitCheck.freed_at).is_(None),
    ]


def organizations_visible_to(actor: Actor) -> Select[Organization]:
    """An operator's view is every organization, everybody else's their own; the faces of others are read one by one."""
    query = select(Organization).where(col(Organization.livemode) == actor.livemode)
    return query if actor.is_operator else query.where(col(Organization.id) == actor.org_id)


def _organizations(work: UnitOfWork) -> Select[Organization]:
    return select(Organization).where(col(Organization.livemode) == work.livemode)
