"""Consent that another organization acts for this one: granted by one side, visible to and revocable by both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.kernel.actors import Actor
from services.kernel.errors import Detail, Forbidden, Invalid, invalid
from services.kernel.ids import DelegationId, OrgId, SiteId
from services.kernel.states import move
from services.kernel.tables import CheckVersion
from services.kernel.timers import cancel, schedule, timer
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, queries
from services.parties.errors import NotDelegated, ScopesNotHeld
from services.parties.events import DelegationExpired, DelegationGranted, DelegationRevoked
from services.parties.models import DELEGATION, Delegation
from services.parties.permissions import BOUND_TO_A_SITE, NEVER_DELEGATED
from services.parties.policy import must_be_of_the_house, sides_of

EXPIRE = "delegation.expire"


@dataclass(frozen=True)
class Terms:
    """`site_ids` empty: everywhere; `valid_from` None: from now on."""

    grantee_id: OrgId
    scopes: Sequence[str]
    site_ids: Sequence[SiteId]
    valid_from: datetime | None
    valid_until: datetime


async def grant(work: UnitOfWork, terms: Terms, *, by: Actor) -> Delegation:
    """Raises ScopesNotHeld, OutlivesItsMaker, and Invalid for terms that cannot be: who, what, where or when."""
    must_be_of_the_house(by)
    assert by.member_id is not None, "who is of the house is a member"
    errors = [*await _who(work, terms, by), *_what(terms), *await _where(work, terms, by), *_when(work, terms)]
    if errors:
        raise Invalid(*errors)
    if not by.permissions.issuperset(terms.scopes):
        raise ScopesNotHeld(frozenset(terms.scopes) - by.permissions)
    await api_keys.must_not_outlive_its_maker(work, terms.valid_until, by, pointer="/valid_until")
    delegation = Delegation(
        livemode=work.livemode,
        created_at=work.now,
        grantor_id=by.org,
        grantee_id=terms.grantee_id,
        granted_by=by.member_id,
        scopes=sorted(set(terms.scopes)),
        site_ids=sorted(set(terms.site_ids)),
        valid_from=terms.valid_from or work.now,
        valid_until=terms.valid_until,
    )
    work.add(delegation)
    await schedule(work, EXPIRE, delegation.id, delegation.valid_until)
    _tell_granted(work, delegation)
    return delegation


async def _who(work: UnitOfWork, terms: Terms, by: Actor) -> list[Detail]:
    if terms.grantee_id == by.org:
        return [Detail("/grantee_id", "grantee_is_grantor", "You act for yourself without a delegation.")]
    if terms.grantee_id not in await queries.organizations(work, [terms.grantee_id]):
        return [Detail("/grantee_id", "organization_not_found", f"There is no organization {terms.grantee_id}.")]
    return []


def _what(terms: Terms) -> list[Detail]:
    never = [
        Detail(f"/scopes/{position}", "never_delegated", f"{scope} is for the organization's own members.")
        for position, scope in enumerate(terms.scopes)
        if scope in NEVER_DELEGATED
    ]
    unbound = [
        Detail(f"/scopes/{position}", "not_bound_to_a_site", f"{scope} cannot be limited to sites.")
        for position, scope in enumerate(terms.scopes)
        if terms.site_ids and scope not in BOUND_TO_A_SITE | NEVER_DELEGATED
    ]
    return never + unbound


async def _where(work: UnitOfWork, terms: Terms, by: Actor) -> list[Detail]:
    known = await queries.sites(work, terms.site_ids) if terms.site_ids else {}
    return [
        Detail(f"/site_ids/{position}", "site_not_found", f"You have no site {site_id}.")
        for position, site_id in enumerate(terms.site_ids)
        if site_id not in known or known[site_id].org_id != by.org
    ]


def _when(work: UnitOfWork, terms: Terms) -> list[Detail]:
    if terms.valid_until <= max(work.now, terms.valid_from or work.now):
        return [
            Detail("/valid_until", "ends_before_it_begins", "A delegation ends later than it begins, and than now.")
        ]
    return []


def _tell_granted(work: UnitOfWork, delegation: Delegation) -> None:
    told = DelegationGranted(
        delegation_id=delegation.id,
        grantor_id=delegation.grantor_id,
        grantee_id=delegation.grantee_id,
        scopes=delegation.scopes,
        site_ids=[SiteId(site_id) for site_id in delegation.site_ids],
        valid_from=delegation.valid_from,
        valid_until=delegation.valid_until,
    )
    work.emit(told, subject=delegation.id, audience=_both(delegation))


def _both(delegation: Delegation) -> dict[OrgId, str]:
    return {delegation.grantor_id: "grantor", delegation.grantee_id: "grantee"}


async def revoke(
    work: UnitOfWork, delegation_id: DelegationId, *, by: Actor, check_version: CheckVersion
) -> Delegation:
    """Either side may, at any time; from the commit on the grantee acts for the grantor no more."""
    must_be_of_the_house(by)
    delegation = await queries.delegation_for_update(work, delegation_id, by)
    check_version(delegation.version)
    sides = sides_of(by, delegation)
    if not sides:
        raise Forbidden("Only the two sides of a delegation end it.")
    moved = move(DELEGATION, delegation, "revoke", by=sides[0])
    delegation.revoked_at, delegation.revoked_by = work.now, by.org
    await cancel(work, EXPIRE, delegation.id)
    told = DelegationRevoked(
        delegation_id=delegation.id,
        grantor_id=delegation.grantor_id,
        grantee_id=delegation.grantee_id,
        revoked_by=by.org,
        revoked_at=work.now,
    )
    work.emit(told, subject=delegation.id, audience=_both(delegation), moved=moved)
    return delegation


@timer(EXPIRE)
async def expire(work: UnitOfWork, delegation_id: str) -> None:
    delegation = await queries.delegation_for_update(work, DelegationId(delegation_id), work.actor)
    moved = move(DELEGATION, delegation, "expire", by="time")
    told = DelegationExpired(
        delegation_id=delegation.id,
        grantor_id=delegation.grantor_id,
        grantee_id=delegation.grantee_id,
        valid_until=delegation.valid_until,
    )
    work.emit(told, subject=delegation.id, audience=_both(delegation), moved=moved)


async def acting_for(work: UnitOfWork, actor: Actor, account: str | None) -> Actor:
    """The actor as `account` by the newest delegation that holds now; as itself where it names itself or nobody.

    Raises NotDelegated, and Invalid for what is no organization's id. Nobody becomes Backhaul by delegation."""
    grantor_id = None if account is None else _organization(account)
    if grantor_id is None or grantor_id == actor.org_id:
        return actor
    now = await api_keys.now_in(work, actor.livemode)
    found = await queries.grant(work, grantor_id, actor.org, livemode=actor.livemode, now=now)
    if found is None:
        raise NotDelegated(grantor_id)
    delegation, grantor = found
    return replace(
        actor,
        org_id=grantor.id,
        roles=api_keys.verified_roles(grantor) - {"operator"},
        permissions=actor.permissions & frozenset(delegation.scopes),
        delegation_id=delegation.id,
        acting_org_id=actor.org_id,
        site_ids=frozenset(SiteId(site_id) for site_id in delegation.site_ids) or None,
    )


def _organization(account: str) -> OrgId:
    try:
        return OrgId.parse(account)
    except ValueError as error:
        raise invalid("/Backhaul-Account", "account_malformed", f"{error}.") from None
