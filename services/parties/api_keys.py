"""API keys: `bh_test_<key id>_<secret>`. We keep the SHA-256 of a 256-bit secret; a slow hash would buy nothing."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.errors import Unauthenticated, invalid
from services.kernel.ids import KeyId, MemberId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.errors import KeyAlreadyRevoked, ScopesNotHeld
from services.parties.events import ApiKeyCreated, ApiKeyRevoked
from services.parties.models import ApiKey, Member, Organization
from services.parties.permissions import ROLES

PREFIXES = {"bh_test_": False, "bh_live_": True}
_PREFIX_LENGTH = len("bh_test_")
_KEY_ID_END = _PREFIX_LENGTH + len(KeyId.new())
_NO_HASH = bytes(32)
USE_IS_NOTED_EVERY = timedelta(minutes=1)


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

    Raises ScopesNotHeld for a scope either lacks, and Invalid for an expiry that has passed.
    """
    member = await queries.member(work, member_id or _member_of(by), by.org)
    grantable = by.permissions & ROLES[member.role]
    wanted = grantable if scopes is None else frozenset(scopes)
    if not wanted <= grantable:
        raise ScopesNotHeld(wanted - grantable)
    if expires_at is not None and expires_at <= work.now:
        raise invalid("/expires_at", "in_the_past", "The key would have expired already.")
    return issue(work, member, name=name, scopes=wanted, expires_at=expires_at)


def _member_of(actor: Actor) -> MemberId:
    assert actor.member_id is not None, "only a member makes keys"
    return actor.member_id


def issue(
    work: UnitOfWork, member: Member, *, name: str, scopes: Collection[str], expires_at: datetime | None = None
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


async def revoke(work: UnitOfWork, key_id: KeyId, *, by: Actor) -> ApiKey:
    """From the commit on the key opens nothing. Raises KeyAlreadyRevoked."""
    key = await queries.api_key_for_update(work, key_id, by)
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked(key_id)
    key.revoked_at = work.now
    told = ApiKeyRevoked(api_key_id=key.id, organization_id=key.org_id, name=key.name, revoked_at=work.now)
    work.emit(told, subject=key.id, audience={key.org_id: "owner"})
    return key


async def authenticate(work: UnitOfWork, token: str, *, account: str | None = None, serves_live: bool = True) -> Actor:
    """The actor of a bearer token. Raises Unauthenticated without saying what was wrong with it."""
    livemode, key_id, secret = _read(token)
    found = await queries.credential(work, key_id)
    stored = found[0].secret_hash if found else _NO_HASH
    if not hmac.compare_digest(stored, _hash(secret)) or found is None:
        raise Unauthenticated("The API key is not valid.")
    key, member, organization = found
    now = await _now_in(work, livemode)
    if key.livemode != livemode or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise Unauthenticated("The API key is not valid.")
    await _note_use(work, key, now)
    return _actor(key, member, organization)


def _read(token: str) -> tuple[bool, KeyId, str]:
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


async def _now_in(work: UnitOfWork, livemode: bool) -> datetime:
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


def _actor(key: ApiKey, member: Member, organization: Organization) -> Actor:
    """A role taken from the member takes its permissions from his keys; an unverified organization has no roles yet."""
    return Actor(
        kind="key",
        livemode=key.livemode,
        org_id=organization.id,
        member_id=member.id,
        key_id=key.id,
        roles=frozenset(organization.roles if organization.is_verified else ()),
        permissions=frozenset(key.scopes) & ROLES[member.role],
    )
