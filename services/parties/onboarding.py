"""How an organization comes in: with its owner and the owner's first key."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.actors import anonymous, system
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, verification
from services.parties.api_keys import IssuedKey
from services.parties.errors import RoleNotOpen
from services.parties.events import OrganizationRegistered
from services.parties.models import Member, MemberDetails, Organization, OrganizationDetails
from services.parties.permissions import ROLES


@dataclass(frozen=True)
class Registered:
    organization: Organization
    owner: Member
    issued: IssuedKey

    @property
    def secret(self) -> str:
        """The owner's bearer token, which is never seen again."""
        return self.issued.token


async def register(
    work: UnitOfWork, details: OrganizationDetails, *, roles: Sequence[str], owner: MemberDetails, livemode: bool
) -> Registered:
    """Anybody may. A sandbox organization is verified at once by rule, a live one by an operator later.

    Raises RoleNotOpen for `operator`, and in live mode for `verifier`.
    """
    for position, role in enumerate(roles):
        if role == "operator" or (livemode and role == "verifier"):
            raise RoleNotOpen(role, position)
    await work.act_as(anonymous(livemode))
    registered = await _found(work, details, roles=roles, owner=owner)
    if not livemode:
        verification.verify_by_rule(work, registered.organization)
    return registered


async def create_operator(work: UnitOfWork, name: str, livemode: bool) -> Registered:
    """Backhaul's own staff; from the command line alone."""
    await work.act_as(system(livemode))
    details = OrganizationDetails(legal_name=name, country="DE", contact_email="operator@backhaul.invalid")
    owner = MemberDetails(name=name, email="operator@backhaul.invalid")
    registered = await _found(work, details, roles=["operator"], owner=owner)
    verification.verify_by_rule(work, registered.organization)
    return registered


async def _found(
    work: UnitOfWork, details: OrganizationDetails, *, roles: Sequence[str], owner: MemberDetails
) -> Registered:
    organization = Organization(**details.model_dump(), roles=list(roles), livemode=work.livemode, created_at=work.now)
    work.add(organization)
    await work.session.flush()
    member = Member(
        **owner.model_dump(), org_id=organization.id, role="owner", livemode=work.livemode, created_at=work.now
    )
    work.add(member)
    await work.session.flush()
    told = OrganizationRegistered(
        organization_id=organization.id,
        legal_name=organization.legal_name,
        country=organization.country,
        roles=organization.roles,
        verification_status=organization.verification_status,
    )
    work.emit(told, subject=organization.id, audience={organization.id: "owner"})
    return Registered(organization, member, api_keys.issue(work, member, name="First key", scopes=ROLES["owner"]))
