"""API keys: `bh_test_<key id>_<secret>`. We keep the SHA-256 of a 256-bit secret; a slow hash would buy nothing."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.errors import Unauthenticated, invalid
from services.kernel.ids import KeyId, MemberId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.errors import KeyAlreadyRevoked, KeyIsSpent, LiveNotServed, OutlivesItsMaker, ScopesNotHeld
from services.parties.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from services.parties.models import ApiKey, Member, Organization
from services.parties.permissions import ROLES
from services.parties.policy import must_be_of_the_house

PREFIXES = {"bh_test_": False, "bh_live_": True}
_PREFIX_LENGTH = len("bh_test_")
_KEY_ID_END = _PREFIX_LENGTH + len(KeyId.new())
_NO_HASH = bytes(32)
USE_IS_NOTED_EVERY = timedelta(minutes=1)
LONGEST_OVERLAP = timedelta(days=7)


@dataclass(frozen=True)
class IssuedKey:
    """`token` is what the caller sends as Bearer; it is never seen again."""

    key: ApiKey
    token: str


async def create(
    work: UnitOfWork,
    *,
    by: Actor,
    name: str,
    scopes: Collection[str] | None = None,
    expires_at: datetime | None = None,
    member_id: MemberId | None = None,
) -> IssuedKey:
    """A key of the creator or of another member. `scopes` None: all that both the creator and the member hold.

    Raises ScopesNotHeld for a scope either lacks, Invalid for an expiry that has passed, and OutlivesItsMaker."""
    must_be_of_the_house(by)
    member = await queries.member(work, member_id or _member_of(by), by.org)
    grantable = by.permissions & ROLES[member.role]
    wanted = grantable if scopes is None else frozenset(scopes)
    if not wanted <= grantable:
        raise ScopesNotHeld(wanted - grantable)
    if expires_at is not None and expires_at <= work.now:
        raise invalid("/expires_at", "in_the_past", "The key would have expired already.")
    await must_not_outlive_its_maker(work, expires_at, by, pointer="/expires_at")
    return issue(work, member, name=name, scopes=wanted, expires_at=expires_at)


def _member_of(actor: Actor) -> MemberId:
    assert actor.member_id is not None, "only a member makes keys"
    return actor.member_id


async def must_not_outlive_its_maker(work: UnitOfWork, expires_at: datetime | None, by: Actor, *, pointer: str) -> None:
    """What a key makes ends with it. Raises OutlivesItsMaker."""
    if by.key_id is None:
        return
    limit = (await queries.api_key(work, by.key_id, by)).expires_at
    if limit is not None and (expires_at is None or expires_at > limit):
        raise OutlivesItsMaker(pointer, limit.isoformat())


def issue(
    work: UnitOfWork,
    member: Member,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    replaces: ApiKey | None = None,
) -> IssuedKey:
    """Makes the key, unchecked: `create` asks first, onboarding gives the owner the first one."""
    secret = secrets.token_hex(32)
    key = ApiKey(
        livemode=work.livemode,
        created_at=work.now,
        org_id=member.org_id,
        member_id=member.id,
        name=name,
        secret_hash=_hash(secret),
        scopes=sorted(scopes),
        expires_at=expires_at,
        replaces_id=replaces.id if replaces else None,
    )
    work.add(key)
    told = ApiKeyCreated(
        api_key_id=key.id,
        organization_id=key.org_id,
        member_id=key.member_id,
        name=name,
        scopes=key.scopes,
        expires_at=expires_at,
    )
    work.emit(told, subject=key.id, audience={key.org_id: "owner"})
    prefix = "bh_live_" if work.livemode else "bh_test_"
    return IssuedKey(key, f"{prefix}{key.id}_{secret}")


async def rotate(work: UnitOfWork, key_id: KeyId, *, overlap: timedelta, by: Actor) -> IssuedKey:
    """A successor that may the same and ends when the old key would have; the old one ends after `overlap`.

    Raises KeyAlreadyRevoked, KeyIsSpent, OutlivesItsMaker, and ScopesNotHeld for a key that may more than the caller."""
    must_be_of_the_house(by)
    old = await queries.api_key_for_update(work, key_id, by)
    _must_be_open(work, old)
    member = await queries.member(work, old.member_id, old.org_id)
    scopes = frozenset(old.scopes) & ROLES[member.role]
    if not scopes <= by.permissions:
        raise ScopesNotHeld(scopes - by.permissions)
    await must_not_outlive_its_maker(work, old.expires_at, by, pointer="")
    issued = issue(work, member, name=old.name, scopes=scopes, expires_at=old.expires_at, replaces=old)
    await work.session.flush()
    old.replaced_by_id = issued.key.id
    old.expires_at = min(old.expires_at or work.now + overlap, work.now + overlap)
    told = ApiKeyRotated(
        api_key_id=old.id, organization_id=old.org_id, successor_id=issued.key.id, expires_at=old.expires_at
    )
    work.emit(told, subject=old.id, audience={old.org_id: "owner"})
    return issued


def _must_be_open(work: UnitOfWork, key: ApiKey) -> None:
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked(key.id)
    if key.replaced_by_id is not None:
        raise KeyIsSpent(key.id, f"was rotated before, into {key.replaced_by_id}")
    if key.expires_at is not None and key.expires_at <= work.now:
        raise KeyIsSpent(key.id, "has expired")


async def revoke(work: UnitOfWork, key_id: KeyId, *, by: Actor) -> ApiKey:
    """From the commit on the key opens nothing. Raises KeyAlreadyRevoked."""
    must_be_of_the_house(by)
    key = await queries.api_key_for_update(work, key_id, by)
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked(key_id)
    return withdraw(work, key)


def withdraw(work: UnitOfWork, key: ApiKey) -> ApiKey:
    """Revokes a locked key, unasked."""
    key.revoked_at = work.now
    told = ApiKeyRevoked(api_key_id=key.id, organization_id=key.org_id, name=key.name, revoked_at=work.now)
    work.emit(told, subject=key.id, audience={key.org_id: "owner"})
    return key


async def authenticate(work: UnitOfWork, token: str, *, serves_live: bool = True) -> Actor:
    """The actor of a key. Raises Unauthenticated without saying what was wrong with it, and LiveNotServed."""
    livemode, key_id, secret = read(token)
    if livemode and not serves_live:
        raise LiveNotServed()
    async with work.as_house(of_both=True):
        key, member, organization = await proven(work, key_id, secret)
        if key.livemode != livemode:
            raise Unauthenticated("The API key is not valid.")
        return await opened(work, key, member, organization)


async def proven(work: UnitOfWork, key_id: KeyId, secret: str) -> tuple[ApiKey, Member, Organization]:
    """Whose secret it is; whether the key still opens anything is for `opened`. Raises Unauthenticated."""
    found = await queries.credential(work, key_id)
    stored = found[0].secret_hash if found else _NO_HASH
    if not hmac.compare_digest(stored, _hash(secret)) or found is None:
        raise Unauthenticated("The API key is not valid.")
    return found


async def opened(
    work: UnitOfWork,
    key: ApiKey,
    member: Member,
    organization: Organization,
    *,
    kind: str = "key",
    scopes: Collection[str] | None = None,
) -> Actor:
    """The key's actor, with these of its scopes (None: all). Raises Unauthenticated for a key that opens nothing any more."""
    now = await now_in(work, key.livemode)
    is_over = key.expires_at is not None and key.expires_at <= now
    if key.revoked_at is not None or is_over or member.status != "active":
        raise Unauthenticated("The API key is not valid.")
    await _note_use(work, key, now)
    permissions = frozenset(key.scopes) & ROLES[member.role]
    return actor_of(
        organization,
        member,
        kind=kind,
        key_id=key.id,
        permissions=permissions if scopes is None else permissions & frozenset(scopes),
    )


def actor_of(organization: Organization, member: Member, **credential: Any) -> Actor:
    """A role taken from the member takes its permissions from his keys; an unverified organization has no roles yet."""
    return Actor(
        livemode=organization.livemode,
        org_id=organization.id,
        member_id=member.id,
        roles=verified_roles(organization),
        **credential,
    )


def verified_roles(organization: Organization) -> frozenset[str]:
    return frozenset(organization.roles if organization.is_verified else ())


def read(token: str) -> tuple[bool, KeyId, str]:
    """(livemode, id, secret). Raises Unauthenticated for what is no key by its form."""
    prefix, key_id, secret = token[:_PREFIX_LENGTH], token[_PREFIX_LENGTH:_KEY_ID_END], token[_KEY_ID_END:]
    if prefix not in PREFIXES or not secret.startswith("_"):
        raise Unauthenticated()
    return PREFIXES[prefix], _key_id(key_id), secret[1:]


def _key_id(given: str) -> KeyId:
    try:
        return KeyId.parse(given)
    except ValueError:
        raise Unauthenticated() from None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def now_in(work: UnitOfWork, livemode: bool) -> datetime:
    """A live key expires by live time, although the request began as nobody's, in the sandbox."""
    return work.now if work.livemode == livemode else await clock.market_now(work.session, livemode=livemode)


_NOTE_USE = text(
    "UPDATE api_key SET last_used_at = :now WHERE id IN"
    " (SELECT id FROM api_key WHERE id = :key AND (last_used_at IS NULL OR last_used_at <= :before)"
    " FOR NO KEY UPDATE SKIP LOCKED)"
)


async def _note_use(work: UnitOfWork, key: ApiKey, now: datetime) -> None:
    """At most once a minute, and never waiting: a twin request that holds the row has noted it."""
    before = now - USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at <= before:
        await work.session.execute(_NOTE_USE, {"now": now, "key": key.id, "before": before})
