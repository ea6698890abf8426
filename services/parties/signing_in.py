"""How people come in: a password for a session of twelve hours, and a pause after five wrong ones.

The password is checked before the request's unit of work begins: a slow hash holds neither a row nor a connection.
"""

import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from services.kernel.actors import Actor, anonymous
from services.kernel.database import Sessions
from services.kernel.errors import Unauthenticated
from services.kernel.ids import MemberId, OrgId, SessionId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import passwords, queries
from services.parties.errors import LiveNotServed, NotSignedIn, SignInAgain, SignInRefused, TooManyGuesses
from services.parties.models import Member, MemberSession, Organization
from services.parties.permissions import ROLES
from services.parties.policy import must_be_of_the_house

PREFIX = "bhs_"
LASTS = timedelta(hours=12)
GUESSES = 5
PAUSE = timedelta(minutes=15)
IS_FRESH_FOR = timedelta(minutes=15)
_ID_END = len(PREFIX) + len(SessionId.new())
_NO_HASH = bytes(32)


@dataclass(frozen=True)
class Recognized:
    """Whose password it was, and the hash it fitted."""

    member_id: MemberId
    org_id: OrgId
    email: str
    livemode: bool
    password_hash: str | None


@dataclass(frozen=True)
class Started:
    """`token` is what the caller sends as Bearer; it is never seen again."""

    session: MemberSession
    member: Member
    token: str


async def recognize(
    sessions: Sessions, *, email: str, password: str, org_id: OrgId | None, livemode: bool, serves_live: bool
) -> Recognized:
    """Opens and closes its own units of work. Raises SignInRefused, TooManyGuesses and LiveNotServed."""
    if livemode and not serves_live:
        raise LiveNotServed()
    async with UnitOfWork(sessions, anonymous(livemode)) as work, work.as_house():
        candidates = await queries.members_who_sign_in(work, email, livemode=livemode, org_id=org_id)
        member = candidates[0] if len(candidates) == 1 else None
        address = _address(email, member.org_id if member else org_id)
        await _must_not_pause(work, address)
    if not await passwords.is_right(password, member.password_hash if member else None):
        async with UnitOfWork(sessions, anonymous(livemode)) as work, work.as_house():
            await _note_failure(work, address)
            failures = await _failures(work, address)
        raise SignInRefused() if failures.count <= GUESSES else TooManyGuesses(failures.seconds_left)
    assert member is not None, "nobody's password is never right"
    return Recognized(member.id, member.org_id, email, livemode, member.password_hash)


async def start(work: UnitOfWork, who: Recognized) -> Started:
    """Judges again under a lock: of many guesses at once, those after the fifth learn nothing, right or wrong."""
    await work.act_as(Actor(kind="anonymous", livemode=who.livemode, org_id=who.org_id))
    async with work.as_house():
        await _must_not_pause(work, _address(who.email, who.org_id), lock=True)
        await _forget_failures(work, _address(who.email, who.org_id))
    work.trail.is_of(who.org_id, who.member_id)
    member = await queries.member(work, who.member_id, who.org_id)
    if member.password_hash != who.password_hash:
        raise SignInRefused()
    return issue(work, member)


def issue(work: UnitOfWork, member: Member) -> Started:
    """Makes the session, unchecked."""
    secret = secrets.token_hex(32)
    session = MemberSession(
        livemode=work.livemode,
        created_at=work.now,
        org_id=member.org_id,
        member_id=member.id,
        secret_hash=_hash(secret),
        expires_at=work.now + LASTS,
    )
    work.add(session)
    return Started(session, member, f"{PREFIX}{session.id}_{secret}")


async def authenticate(work: UnitOfWork, token: str) -> tuple[MemberSession, Member, Organization]:
    """Whose session it is, of either environment; whether it has run out is for the caller. Raises Unauthenticated."""
    session_id, secret = _read(token)
    found = await queries.signed_in(work, session_id)
    stored = found[0].secret_hash if found else _NO_HASH
    if not secrets.compare_digest(stored, _hash(secret)) or found is None:
        raise Unauthenticated("The session is not valid.")
    return found


def opens(session: MemberSession, member: Member, now: datetime) -> bool:
    return session.ended_at is None and session.expires_at > now and member.status == "active"


def _read(token: str) -> tuple[SessionId, str]:
    session_id, secret = token[len(PREFIX) : _ID_END], token[_ID_END:]
    try:
        return SessionId.parse(session_id), secret.removeprefix("_")
    except ValueError:
        raise Unauthenticated() from None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def end(work: UnitOfWork, *, by: Actor) -> MemberSession:
    """The session the caller uses. Raises NotSignedIn for a key or a token."""
    if by.session_id is None:
        raise NotSignedIn()
    session = await queries.session_for_update(work, by.session_id)
    session.ended_at = session.ended_at or work.now
    return session


_END_ALL = text(
    "UPDATE member_session SET ended_at = :now WHERE member_id = :member AND ended_at IS NULL AND id <> :kept"
)


async def end_all(work: UnitOfWork, member_id: MemberId, *, but: SessionId | None = None) -> None:
    await work.session.execute(_END_ALL, {"now": work.now, "member": member_id, "kept": but or ""})


async def set_password(work: UnitOfWork, password: str, *, by: Actor) -> Member:
    """The caller's own; ends his other sessions. Raises SignInAgain for a credential that may have lain about."""
    must_be_of_the_house(by)
    assert by.member_id is not None, "who is of the house is a member"
    member = await queries.member(work, by.member_id, by.org)
    if not await _may_set_password(work, member, by):
        raise SignInAgain()
    member.password_hash, member.password_set_at = await passwords.hashed(password), work.now
    member.version += 1
    await end_all(work, member.id, but=by.session_id)
    return member


async def _may_set_password(work: UnitOfWork, member: Member, by: Actor) -> bool:
    if by.session_id is not None:
        found = await queries.signed_in(work, by.session_id)
        return found is not None and found[0].created_at > work.now - IS_FRESH_FOR
    if by.kind != "key" or by.key_id is None or member.password_hash is not None:
        return False
    key = await queries.api_key(work, by.key_id, by)
    return key.expires_at is None and ROLES[member.role] <= by.permissions


def _address(email: str, org_id: OrgId | None) -> bytes:
    """Failures count per organization: who registers one of his own with another's address has nothing to forget there."""
    return hashlib.sha256(f"{email} {org_id or ''}".encode()).digest()


@dataclass(frozen=True)
class _Failures:
    count: int
    seconds_left: int


async def _failures(work: UnitOfWork, address: bytes, *, lock: bool = False) -> _Failures:
    failure = await queries.sign_in_failure(work, address, lock=lock)
    if failure is None or failure.last_at <= work.now - PAUSE:
        return _Failures(0, 0)
    return _Failures(failure.count, math.ceil((failure.last_at + PAUSE - work.now).total_seconds()))


async def _must_not_pause(work: UnitOfWork, address: bytes, *, lock: bool = False) -> None:
    failures = await _failures(work, address, lock=lock)
    if failures.count >= GUESSES:
        raise TooManyGuesses(failures.seconds_left)


_NOTE_FAILURE = text(
    "INSERT INTO sign_in_failure (address_hash, livemode, created_at, count, last_at)"
    " VALUES (:address, :livemode, :now, 1, :now) ON CONFLICT (address_hash, livemode) DO UPDATE SET last_at = :now,"
    " count = CASE WHEN sign_in_failure.last_at <= :before THEN 1 ELSE sign_in_failure.count + 1 END"
)
_FORGET_OLD = text(
    "DELETE FROM sign_in_failure WHERE (address_hash, livemode) IN (SELECT address_hash, livemode FROM sign_in_failure"
    " WHERE last_at <= :before AND livemode = :livemode LIMIT 100 FOR UPDATE SKIP LOCKED)"
)
_FORGET = text("DELETE FROM sign_in_failure WHERE address_hash = :address AND livemode = :livemode")


async def _note_failure(work: UnitOfWork, address: bytes) -> None:
    """Failures older than the pause count for nobody; each new one clears some of them away."""
    values = {"livemode": work.livemode, "before": work.now - PAUSE}
    await work.session.execute(_NOTE_FAILURE, {**values, "address": address, "now": work.now})
    await work.session.execute(_FORGET_OLD, values)


async def _forget_failures(work: UnitOfWork, address: bytes) -> None:
    await work.session.execute(_FORGET, {"address": address, "livemode": work.livemode})
