"""`Idempotency-Key`: one effect for any number of sends. The record commits with the effect: never one without the other.

A twin that arrives meanwhile waits on the unique index and then replays; when that takes longer than `PATIENCE` it is told to
come back. Refusals and failures are rolled back with everything else and are not stored. The stored answer is sealed under a
key derived from the Idempotency-Key itself, of which we keep a hash only: it may hold a secret shown once, and only its sender
can read it again. The request's hash is keyed likewise: whoever knows all of a request but a price could try every price.
"""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Index, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, SQLModel

from services.kernel.errors import Conflict, Problem, invalid
from services.kernel.tables import Instant
from services.kernel.unit_of_work import UnitOfWork

KEPT = timedelta(hours=48)
PATIENCE = timedelta(seconds=10)
_NONCE_LENGTH = 12
_LOCK_NOT_AVAILABLE = "55P03"


class KeyReused(Problem):
    """The Idempotency-Key was sent before with another request; draw a new one."""

    status = 422
    code = "idempotency_key_reused"
    title = "This key was used for another request"


class InProgress(Conflict):
    """The first request with this Idempotency-Key has not come to its end; ask again to be given its answer."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still running.", headers={"Retry-After": "1"})


@dataclass(frozen=True)
class Kept:
    """An answer as it was given."""

    status_code: int
    headers: dict[str, str]
    body: bytes


class IdempotencyRecord(SQLModel, table=True):
    """`kept_until` is real time: retries happen in real time."""

    __tablename__ = "idempotency_record"
    __table_args__ = (Index("ix_idempotency_record_kept_until", "kept_until"),)

    key_hash: bytes = Field(primary_key=True)
    request_hash: bytes
    status_code: int
    sealed: bytes
    kept_until: datetime = Field(sa_type=Instant)


class Claim:
    """The right to have an effect under a key. `replay` holds the earlier answer if there was one."""

    def __init__(self, scope: str, key: str, request: bytes) -> None:
        if not 1 <= len(key) <= 255:
            raise invalid("", "idempotency_key_invalid", "An Idempotency-Key has 1 to 255 characters.")
        self._secret = hashlib.sha256(b"seal\0" + scope.encode() + b"\0" + key.encode()).digest()
        self.key_hash = hashlib.sha256(b"name\0" + scope.encode() + b"\0" + key.encode()).digest()
        self.request_hash = hmac.digest(self._secret, request, "sha256")
        self.replay: Kept | None = None

    async def take(self, work: UnitOfWork) -> None:
        """Claims the key, or loads what it was used for; KeyReused when that was something else, InProgress when the first
        request does not come to an end."""
        values = {"key": self.key_hash, "request": self.request_hash, "kept": KEPT, "patience": f"{PATIENCE.seconds}s"}
        try:
            claimed = (await work.session.execute(_CLAIM, values)).one_or_none()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise InProgress() from error
            raise
        if claimed is None:
            await self._load(work)

    async def _load(self, work: UnitOfWork) -> None:
        found = text("SELECT request_hash, status_code, sealed FROM idempotency_record WHERE key_hash = :key")
        row = (await work.session.execute(found, {"key": self.key_hash})).one()
        if row.request_hash != self.request_hash:
            raise KeyReused("This Idempotency-Key was sent before with another request; draw a new one.")
        nonce, sealed = row.sealed[:_NONCE_LENGTH], row.sealed[_NONCE_LENGTH:]
        headers, _, body = AESGCM(self._secret).decrypt(nonce, sealed, None).partition(b"\n")
        self.replay = Kept(row.status_code, json.loads(headers), body)

    async def keep(self, work: UnitOfWork, answer: Kept) -> None:
        """Stores the answer: its headers as a line of JSON, then its body. Where the endpoint has let go of its transaction to ask
        the outside, a twin may have been first: then `replay` holds that one's answer."""
        values = {"key": self.key_hash, "request": self.request_hash, "kept": KEPT}
        sealed = {"status": answer.status_code, "sealed": self.seal(answer)}
        kept = await work.session.execute(_KEEP, values | sealed)
        if kept.one_or_none() is None:
            await self._load(work)

    def seal(self, answer: Kept) -> bytes:
        """What is stored of it."""
        nonce = os.urandom(_NONCE_LENGTH)
        told = json.dumps(answer.headers).encode() + b"\n" + answer.body
        return nonce + AESGCM(self._secret).encrypt(nonce, told, None)


_KEEP = text(
    "INSERT INTO idempotency_record AS stored (key_hash, request_hash, status_code, sealed, kept_until)"
    " VALUES (:key, :request, :status, :sealed, clock_timestamp() + :kept)"
    " ON CONFLICT (key_hash) DO UPDATE SET status_code = excluded.status_code, sealed = excluded.sealed"
    " WHERE stored.status_code = 0 RETURNING 1"
)
_CLAIM = text(
    "WITH patience AS MATERIALIZED"
    " (SELECT current_setting('lock_timeout') AS before, set_config('lock_timeout', :patience, true))"
    " INSERT INTO idempotency_record (key_hash, request_hash, status_code, sealed, kept_until)"
    " SELECT :key, :request, 0, '', clock_timestamp() + :kept FROM patience ON CONFLICT DO NOTHING"
    " RETURNING set_config('lock_timeout', (SELECT before FROM patience), true)"
)
"""The wait for a twin is bounded; other waits of the transaction are as long as before."""


async def forget_old(work: UnitOfWork) -> None:
    await work.session.execute(text("DELETE FROM idempotency_record WHERE kept_until < clock_timestamp()"))
