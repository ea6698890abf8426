"""Who may do what: pure functions of an actor and a model."""

from typing import Any

from sqlalchemy import ColumnElement, or_

from services.kernel.actors import Actor
from services.kernel.ids import OrgId
from services.parties.errors import NotForDelegates, RoleAboveYours, SiteNotDelegated
from services.parties.models import Delegation, Organization
from services.parties.permissions import ROLES


def sees_all_of(actor: Actor, org_id: OrgId) -> bool:
    """Members see their own organization whole; everybody else sees its public face."""
    return actor.org_id == org_id or actor.is_operator


def party_of(actor: Actor, organization: Organization) -> str:
    """The actor's part in the organization's state machine."""
    if actor.is_operator:
        return "operator"
    return "owner" if actor.org_id == organization.id else "stranger"


def must_be_of_the_house(actor: Actor) -> None:
    """Raises NotForDelegates: members, keys and delegations are an organization's own affair."""
    if actor.delegation_id is not None or actor.member_id is None:
        raise NotForDelegates()


def must_carry(actor: Actor, role: str) -> None:
    """Raises RoleAboveYours where the role may do what the credential may not."""
    if not ROLES[role] <= actor.permissions:
        raise RoleAboveYours(role)


def sides_of(actor: Actor, delegation: Delegation) -> list[str]:
    """The actor's part in a delegation; under one, the grantor's members act, not its delegates."""
    parts = {"grantor": delegation.grantor_id, "grantee": delegation.grantee_id}
    return [part for part, org_id in parts.items() if org_id == actor.org_id and actor.delegation_id is None]


def within_its_sites(actor: Actor, *columns: Any) -> list[ColumnElement[bool]]:
    """For a delegate who is limited to sites: that one of the columns names such a site. Nothing for everybody else.

    The sites of a delegation are the grantor's own, so a column that names one of them speaks of the grantor's side."""
    if actor.site_ids is None:
        return []
    return [or_(*(column.in_(sorted(actor.site_ids)) for column in columns))]


def must_reach(actor: Actor, *site_ids: str) -> None:
    """Raises SiteNotDelegated where a delegate's sites hold none of these."""
    if actor.site_ids is not None and not actor.site_ids.intersection(site_ids):
        raise SiteNotDelegated()
