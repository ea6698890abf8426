"""Files that partners send: the bytes lie in an object store under their SHA-256, a row says whose they are.

The object is written before the row commits: an object without a row is harmless, a row without its object is not.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar, Protocol

import puremagic
from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.kernel.errors import Problem, invalid
from services.kernel.ids import FileId, OrgId
from services.kernel.tables import Row
from services.kernel.unit_of_work import UnitOfWork

MiB = 1024 * 1024
LIMIT = 10 * MiB
PAPERS = ("application/pdf", "image/png", "image/jpeg")
_HEAD = 2048
"""Bytes by which a type is recognised; what follows them decides nothing."""


class ObjectStore(Protocol):
    """Content by its SHA-256 in 64 hexadecimal digits. Several rows may name one object: delete it with the last."""

    async def put(self, content: bytes) -> str: ...

    async def get(self, sha256: str) -> bytes:
        """Raises ObjectMissing."""
        ...

    async def delete(self, sha256: str) -> None: ...


class ObjectMissing(LookupError):
    """The store has no such object, or one whose bytes are not those it was put with."""


class Folder:
    """An object store on this machine's disk. Written beside and moved into place: nobody reads half a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, content: bytes) -> str:
        return await asyncio.to_thread(self._write, content)

    async def get(self, sha256: str) -> bytes:
        return await asyncio.to_thread(self._read, sha256)

    async def delete(self, sha256: str) -> None:
        await asyncio.to_thread(self._file(sha256).unlink, missing_ok=True)

    def _write(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        file = self._file(sha256)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as beside:
            try:
                beside.write(content)
                beside.flush()
                os.fsync(beside.fileno())
                os.replace(beside.name, file)
            except BaseException:
                os.unlink(beside.name)
                raise
        return sha256

    def _read(self, sha256: str) -> bytes:
        try:
            content = self._file(sha256).read_bytes()
        except FileNotFoundError:
            raise ObjectMissing(sha256) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ObjectMissing(sha256)
        return content

    def _file(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"{sha256!r} is no SHA-256")
        return self._path / sha256[:2] / sha256[2:]


class StoredFile(Row, table=True):
    """A file of an organization. Its bytes lie in the store under `sha256`; `media_type` is what they are, not what was said."""

    __tablename__ = "stored_file"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("size_bytes >= 0", name="size"),
    )

    id: FileId = Field(default_factory=FileId.new, primary_key=True)
    org_id: OrgId = Field(index=True)
    sha256: str
    media_type: str
    size_bytes: int
    name: str = Field(max_length=200)


class FileTooLarge(Problem):
    """The file is larger than this operation takes; the detail names the limit."""

    status: ClassVar[int] = 413
    code = "file_too_large"
    title: ClassVar[str] = "The file is larger than this operation takes"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A file here has at most {limit:,} bytes.")


async def keep(
    work: UnitOfWork,
    store: ObjectStore,
    content: bytes,
    *,
    name: str,
    org_id: OrgId,
    allowed: Collection[str] = PAPERS,
    limit: int = LIMIT,
) -> StoredFile:
    """Stores the bytes and adds the row. Raises FileTooLarge, and Invalid (`/file`) for an empty file or another type."""
    if len(content) > limit:
        raise FileTooLarge(limit)
    media_type = sniff(content, allowed)
    stored = StoredFile(
        org_id=org_id,
        sha256=await store.put(content),
        media_type=media_type,
        size_bytes=len(content),
        name=name,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(stored)
    await work.session.flush()
    return stored


def sniff(content: bytes, allowed: Collection[str]) -> str:
    """The media type that the first bytes say; Invalid (`file_empty`, `file_type_not_allowed`) unless it is allowed."""
    if not content:
        raise invalid("/file", "file_empty", "The file is empty.")
    try:
        matches = puremagic.magic_string(content[:_HEAD])
    except (puremagic.PureError, ValueError):
        matches = []
    surest = max((match.confidence for match in matches), default=0)
    recognised = {match.mime_type for match in matches if match.confidence == surest}
    found = next((media_type for media_type in allowed if media_type in recognised), None)
    if found is None:
        raise invalid("/file", "file_type_not_allowed", f"The content is none of {', '.join(allowed)}.")
    return found
