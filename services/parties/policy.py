"""Who may do what: pure functions of an actor and a model."""

from services.kernel.actors import Actor
from services.kernel.ids import OrgId
from services.parties.models import Organization


def sees_all_of(actor: Actor, org_id: OrgId) -> bool:
    """Members see their own organization whole; everybody else sees its public face."""
    return actor.org_id == org_id or actor.is_operator


def party_of(actor: Actor, organization: Organization) -> str:
    """The actor's part in the organization's state machine."""
    if actor.is_operator:
        return "operator"
    return "owner" if actor.org_id == organization.id else "stranger"
