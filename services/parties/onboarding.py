"""How an organization comes in, with its owner and the owner's first key, and what it changes of itself afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.actors import Actor, anonymous, system
from services.kernel.errors import Forbidden
from services.kernel.ids import OrgId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, identity, queries, verification
from services.parties.api_keys import IssuedKey
from services.parties.errors import EnvironmentNotServed, IdentityUnderReview, OrganizationIsClosed, RoleNotOpen
from services.parties.events import OrganizationRegistered, OrganizationUpdated
from services.parties.identity import Account
from services.parties.models import (
    IDENTITY,
    Member,
    MemberDetails,
    Organization,
    OrganizationChanges,
    OrganizationDetails,
)
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
    work: UnitOfWork,
    details: OrganizationDetails,
    *,
    roles: Sequence[str],
    owner: MemberDetails,
    livemode: bool,
    serves_live: bool = True,
) -> Registered:
    """Anybody may. A sandbox organization is verified at once by rule, a live one by an operator later.

    Raises EnvironmentNotServed for a live one where the sandbox alone is served, RoleNotOpen for `operator`, and in live
    mode for `verifier`; Invalid for a VAT id or LEI that cannot be one.
    """
    if livemode and not serves_live:
        raise EnvironmentNotServed()
    details = _checked(details)
    for position, role in enumerate(roles):
        if role == "operator" or (livemode and role == "verifier"):
            raise RoleNotOpen(role, position)
    await work.act_as(anonymous(livemode))
    registered = await _found(work, details, roles=roles, owner=owner)
    if not livemode:
        verification.verify_by_rule(work, registered.organization)
    return registered


def _checked(details: OrganizationDetails) -> OrganizationDetails:
    vat_id = identity.vat_id(details.vat_id, details.country) if details.vat_id else None
    lei = identity.lei(details.lei) if details.lei else None
    return details.model_copy(update={"vat_id": vat_id, "lei": lei})


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


async def change(
    work: UnitOfWork,
    org_id: OrgId,
    changes: OrganizationChanges,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Organization:
    """By the organization itself. A verified live one that changes its legal identity is in review again, and begins nothing
    new until an operator has looked; the sandbox's rule verifies at once.

    Raises Forbidden, Invalid for numbers that cannot be, IdentityUnderReview, OrganizationIsClosed.
    """
    account = await identity.account(changes.iban) if changes.iban else None
    organization = await queries.organization_for_update(work, org_id)
    if by.org_id != organization.id:
        raise Forbidden("An organization is changed by itself.")
    check_version(organization.version)
    changed = _changed(organization, changes, account)
    _refuse_changes_now(organization, changed)
    for name, value in changed.items():
        setattr(organization, name, value)
    _tell_changes(work, organization, changes.model_fields_set)
    if organization.livemode and organization.is_verified and not IDENTITY_COLUMNS.isdisjoint(changed):
        verification.reopen(work, organization)
    else:
        organization.version += 1
    return organization


IDENTITY_COLUMNS = (IDENTITY - {"iban"}) | {"iban_fingerprint"}


def _changed(organization: Organization, changes: OrganizationChanges, account: Account | None) -> dict[str, Any]:
    """New values by column, of those alone that differ; the IBAN becomes its mask and its fingerprint."""
    given = changes.model_dump(mode="json", include=changes.model_fields_set & set(OrganizationChanges.model_fields))
    if given.get("vat_id"):
        given["vat_id"] = identity.vat_id(given["vat_id"], organization.country)
    if given.get("lei"):
        given["lei"] = identity.lei(given["lei"])
    if "iban" in given:
        del given["iban"]
        given["iban_masked"] = account.masked if account else None
        given["iban_fingerprint"] = account.fingerprint if account else None
    return {name: value for name, value in given.items() if getattr(organization, name) != value}


def _refuse_changes_now(organization: Organization, changed: dict[str, Any]) -> None:
    if organization.status == "closed":
        raise OrganizationIsClosed()
    touched = IDENTITY_COLUMNS.intersection(changed)
    if organization.status == "in_review" and touched:
        raise IdentityUnderReview({name.removesuffix("_fingerprint") for name in touched})


def _tell_changes(work: UnitOfWork, organization: Organization, sent: set[str]) -> None:
    told = OrganizationUpdated(organization_id=organization.id, changed=sorted(sent))
    work.emit(told, subject=organization.id, audience={organization.id: "owner"})
