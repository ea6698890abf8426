"""Evidence: files others keep, known to us by their hash and size."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.certification import evidence, queries
from services.certification.models import EvidenceFile
from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Offered:
    """`sha256` in 64 hexadecimal digits, `size` in bytes."""

    sha256: str
    name: str
    media_type: str
    size: int


async def keep(work: UnitOfWork, offered: Iterable[Offered], *, subject_id: str, owner_id: OrgId) -> None:
    """One row per file and subject, however often it is offered."""
    for file in {file.sha256: file for file in offered}.values():
        digest = bytes.fromhex(file.sha256)
        if not await queries.has_evidence(work, subject_id, digest):
            work.add(_row(work, file, digest, subject_id, owner_id))
    await work.session.flush()


def _row(work: UnitOfWork, file: Offered, digest: bytes, subject_id: str, owner_id: OrgId) -> EvidenceFile:
    return EvidenceFile(
        org_id=owner_id,
        subject_id=subject_id,
        sha256=digest,
        salt=evidence.new_salt(),
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        livemode=work.livemode,
        created_at=work.now,
    )
