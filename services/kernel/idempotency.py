"""`Idempotency-Key`: one effect for any number of sends. The record commits with the effect: never one without the other.

A twin that arrives meanwhile waits on the unique index and then replays. The stored answer is sealed under a key derived from the
Idempotency-Key itself, of which we keep a hash only: it may hold a secret shown once, and only its sender can read it again.
"""

import hashlib
import os
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.kernel.errors import Problem, invalid
from services.kernel.tables import Instant
from services.kernel.unit_of_work import UnitOfWork

KEPT = timedelta(hours=48)
_NONCE_LENGTH = 12


class KeyReused(Problem):
    status = 422
    code = "idempotency_key_reused"
    title = "This key was used for another request"


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
        self.request_hash = hashlib.sha256(request).digest()
        self.replay: tuple[int, bytes] | None = None

    async def take(self, work: UnitOfWork) -> None:
        """Claims the key, or loads what it was used for; KeyReused when that was something else."""
        statement = text(
            "INSERT INTO idempotency_record (key_hash, request_hash, status_code, sealed, kept_until)"
            " VALUES (:key, :request, 0, '', clock_timestamp() + :kept) ON CONFLICT DO NOTHING RETURNING 1"
        )
        values = {"key": self.key_hash, "request": self.request_hash, "kept": KEPT}
        if (await work.session.execute(statement, values)).one_or_none() is None:
            await self._load(work)

    async def _load(self, work: UnitOfWork) -> None:
        found = text("SELECT request_hash, status_code, sealed FROM idempotency_record WHERE key_hash = :key")
        row = (await work.session.execute(found, {"key": self.key_hash})).one()
        if row.request_hash != self.request_hash:
            raise KeyReused("This Idempotency-Key was sent before with another request; draw a new one.")
        nonce, sealed = row.sealed[:_NONCE_LENGTH], row.sealed[_NONCE_LENGTH:]
        self.replay = (row.status_code, AESGCM(self._secret).decrypt(nonce, sealed, None))

    async def keep(self, work: UnitOfWork, status_code: int, body: bytes) -> None:
        """Stores the answer."""
        statement = text("UPDATE idempotency_record SET status_code = :status, sealed = :sealed WHERE key_hash = :key")
        nonce = os.urandom(_NONCE_LENGTH)
        sealed = nonce + AESGCM(self._secret).encrypt(nonce, body, None)
        await work.session.execute(statement, {"status": status_code, "sealed": sealed, "key": self.key_hash})


async def forget_old(work: UnitOfWork) -> None:
    await work.session.execute(text("DELETE FROM idempotency_record WHERE kept_until < clock_timestamp()"))
