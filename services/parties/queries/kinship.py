"""What two organizations may have in common: a VAT id, a bank account, people. For rules of the house, never for an answer."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Member, Organization


@dataclass(frozen=True)
class Identity:
    """`addresses` are those of its members, its contacts and its office, in small letters."""

    org_id: OrgId
    vat_id: str | None
    iban_fingerprint: str | None
    addresses: frozenset[str]


async def is_same_entity(work: UnitOfWork, one: OrgId, other: OrgId) -> bool:
    """Whether both bear one VAT id or are paid into one account."""
    mine, theirs = aliased(Organization), aliased(Organization)
    is_shared = or_(col(mine.vat_id) == col(theirs.vat_id), col(mine.iban_fingerprint) == col(theirs.iban_fingerprint))
    query = select(col(mine.id)).join(theirs, and_(col(theirs.id) == other, is_shared)).where(col(mine.id) == one)
    return (await work.session.execute(query)).first() is not None


async def identities(work: UnitOfWork, ids: Collection[str]) -> list[Identity]:
    """In the order of their ids. Members are read, so it is the house that asks."""
    people = await _addresses_of_members(work, ids)
    query = select(Organization).where(col(Organization.id).in_(ids), col(Organization.livemode) == work.livemode)
    rows = (await work.session.execute(query.order_by(col(Organization.id)))).scalars()
    return [
        Identity(row.id, row.vat_id, row.iban_fingerprint, frozenset(people[row.id] | _addresses(row))) for row in rows
    ]


async def _addresses_of_members(work: UnitOfWork, ids: Collection[str]) -> defaultdict[str, set[str]]:
    query = select(col(Member.org_id), col(Member.email)).where(
        col(Member.org_id).in_(ids), col(Member.livemode) == work.livemode, col(Member.status) == "active"
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for org_id, email in (await work.session.execute(query)).all():
        found[org_id].add(email.casefold())
    return found


def _addresses(organization: Organization) -> set[str]:
    contacts = (contact.get("email") for contact in organization.contacts)
    return {email.casefold() for email in (organization.contact_email, *contacts) if email}
