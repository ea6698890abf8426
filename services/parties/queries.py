"""Every SELECT of the parties. What is missing, foreign or of the other environment is NotFound."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Text, cast, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import KeyId, MemberId, OrgId, PermitId, SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import ApiKey, Member, Organization, Permit, PermitCheck, PermitScope, Site

T = TypeVar("T")


async def organization(work: UnitOfWork, org_id: str) -> Organization:
    return await _one(work, _organizations(work).where(col(Organization.id) == org_id), "organization", org_id)


async def organization_for_update(work: UnitOfWork, org_id: str) -> Organization:
    query = _organizations(work).where(col(Organization.id) == org_id).with_for_update()
    return await _one(work, query.execution_options(populate_existing=True), "organization", org_id)


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
    return await _one(work, query, "site", site_id)


async def sites(work: UnitOfWork, ids: Iterable[str]) -> dict[str, Site]:
    """By id; ids that are not here are left out."""
    query = select(Site).where(col(Site.id).in_(set(ids)), col(Site.livemode) == work.livemode)
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def visible_site(work: UnitOfWork, site_id: SiteId, actor: Actor) -> Site:
    return await _one(work, sites_visible_to(actor).where(col(Site.id) == site_id), "site", site_id)


def sites_visible_to(actor: Actor) -> Select[Site]:
    return select(Site).where(*_visible(Site, actor))


async def member(work: UnitOfWork, member_id: MemberId, org_id: OrgId) -> Member:
    query = select(Member).where(
        col(Member.id) == member_id, col(Member.org_id) == org_id, col(Member.livemode) == work.livemode
    )
    return await _one(work, query, "member", member_id)


async def has_member(work: UnitOfWork, org_id: OrgId, email: str) -> bool:
    query = select(col(Member.id)).where(col(Member.org_id) == org_id, col(Member.email) == email)
    return (await work.session.execute(query)).first() is not None


def members_visible_to(actor: Actor) -> Select[Member]:
    return select(Member).where(*_visible(Member, actor))


async def credential(work: UnitOfWork, key_id: KeyId) -> tuple[ApiKey, Member, Organization] | None:
    """A key with whom it stands for, of either environment."""
    query = (
        select(ApiKey, Member, Organization)
        .join(Member, col(Member.id) == col(ApiKey.member_id))
        .join(Organization, col(Organization.id) == col(ApiKey.org_id))
        .where(col(ApiKey.id) == key_id)
    )
    row = (await work.session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def api_key_for_update(work: UnitOfWork, key_id: KeyId, actor: Actor) -> ApiKey:
    query = api_keys_visible_to(actor).where(col(ApiKey.id) == key_id).with_for_update()
    return await _one(work, query.execution_options(populate_existing=True), "API key", key_id)


def api_keys_visible_to(actor: Actor) -> Select[ApiKey]:
    """Operators too see only their own."""
    return select(ApiKey).where(col(ApiKey.org_id) == actor.org_id, col(ApiKey.livemode) == actor.livemode)


async def permit(work: UnitOfWork, permit_id: PermitId, actor: Actor) -> Permit:
    return await _one(work, permits_visible_to(actor).where(col(Permit.id) == permit_id), "permit", permit_id)


async def has_permit(work: UnitOfWork, org_id: OrgId, authority: str, number: str) -> bool:
    query = select(col(Permit.id)).where(
        col(Permit.org_id) == org_id,
        col(Permit.authority) == authority,
        col(Permit.number) == number,
        col(Permit.livemode) == work.livemode,
    )
    return (await work.session.execute(query)).first() is not None


def permits_visible_to(actor: Actor) -> Select[Permit]:
    return select(Permit).where(*_visible(Permit, actor))


async def scopes_of(work: UnitOfWork, permit_ids: Iterable[str]) -> dict[str, list[PermitScope]]:
    """By permit, in the order in which they were given."""
    query = select(PermitScope).where(col(PermitScope.permit_id).in_(set(permit_ids))).order_by(col(PermitScope.id))
    found: dict[str, list[PermitScope]] = {}
    for scope in (await work.session.execute(query)).scalars():
        found.setdefault(scope.permit_id, []).append(scope)
    return found


async def scopes_for(
    work: UnitOfWork, org_id: str, *, kind: str, waste_codes: Collection[str], lock: bool = False
) -> list[tuple[PermitScope, Permit]]:
    """Scopes that name one of the codes. Locked in the order of their ids, so that two reservations lock alike."""
    query = (
        select(PermitScope, Permit)
        .join(Permit, col(Permit.id) == col(PermitScope.permit_id))
        .where(
            col(Permit.org_id) == org_id,
            col(Permit.livemode) == work.livemode,
            col(Permit.kind) == kind,
            col(PermitScope.waste_codes).op("&&")(cast(list(waste_codes), ARRAY(Text))),
        )
        .order_by(col(PermitScope.id))
        .execution_options(populate_existing=True)
    )
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


def _organizations(work: UnitOfWork) -> Select[Organization]:
    return select(Organization).where(col(Organization.livemode) == work.livemode)


def _visible(table: Any, actor: Actor) -> list[ColumnElement[bool]]:
    here = col(table.livemode) == actor.livemode
    return [here] if actor.is_operator else [here, col(table.org_id) == actor.org_id]


async def _one(work: UnitOfWork, query: Select[T], thing: str, id: str) -> T:
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(thing, id)
    return row
