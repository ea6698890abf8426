"""The check of who an organization is; live organizations may nothing before it."""

from collections.abc import Callable

from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.ids import OrgId
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.events import OrganizationVerified
from services.parties.models import ORGANIZATION, Organization
from services.parties.policy import party_of


async def verify(
    work: UnitOfWork, org_id: OrgId, *, by: Actor, check_version: Callable[[int], None] | None = None
) -> Organization:
    """An operator's word. Raises Forbidden for anybody else and TransitionNotPossible the second time."""
    if not by.is_operator:
        raise Forbidden("Only an operator verifies an organization.")
    organization = await queries.organization_for_update(work, org_id)
    if check_version is not None:
        check_version(organization.version)
    _verify(work, organization, party_of(by, organization))
    return organization


def verify_by_rule(work: UnitOfWork, organization: Organization) -> None:
    """The sandbox asks for no papers, and Backhaul's own staff has shown them."""
    _verify(work, organization, "time")


def _verify(work: UnitOfWork, organization: Organization, party: str) -> None:
    moved = move(ORGANIZATION, organization, "verify", by=party)
    told = OrganizationVerified(
        organization_id=organization.id, legal_name=organization.legal_name, roles=organization.roles
    )
    work.emit(told, subject=organization.id, audience={organization.id: "owner"}, moved=moved)
