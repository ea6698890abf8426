"""Status lists: a version draws a bit at random, and whoever takes the version out of force sets it."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from services.certification import documents, queries, status_lists
from services.certification.keys import Signer, signer
from services.certification.models import CertificateVersion, StatusList
from services.kernel import jobs, timers
from services.kernel.actors import system
from services.kernel.ids import StatusListId
from services.kernel.jobs import Tools, job
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork

PUBLISH = "certification.publish_status_list"
RENEW = "status_list.renew"
FULL = 100_000
VALID_FOR = timedelta(days=60)
RENEWED_AFTER = timedelta(days=30)


def url_of(host: str, status_list_id: str) -> str:
    return f"https://{host}/status-lists/{status_list_id}"


async def draw(work: UnitOfWork, signing: Signer) -> tuple[StatusList, int]:
    """A free index of the open list, drawn at random so that it tells nothing about order or number."""
    listed = await queries.open_list_for_update(work)
    if listed is not None and listed.entries >= FULL:
        listed.is_open = False
        await work.session.flush()
        listed = None
    listed = listed or await _begin(work, signing)
    index = secrets.randbelow(status_lists.SIZE)
    while await queries.is_index_taken(work, listed.id, index):
        index = secrets.randbelow(status_lists.SIZE)
    listed.entries += 1
    return listed, index


async def _begin(work: UnitOfWork, signing: Signer) -> StatusList:
    """Two who begin at once collide on the one open list; the second is told to try again."""
    id, bits = StatusListId.new(), status_lists.empty()
    listed = StatusList(
        id=id,
        bits=bits,
        token=_sealed(signing, id, bits, work.now),
        published_at=work.now,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(listed)
    await work.session.flush()
    await timers.schedule(work, RENEW, listed.id, work.now + RENEWED_AFTER)
    return listed


def _sealed(signing: Signer, status_list_id: str, bits: bytes, now: datetime) -> str:
    document = documents.status_list_document(
        did=signing.did,
        url=url_of(signing.host, status_list_id),
        bits=bits,
        valid_from=now,
        valid_until=now + VALID_FOR,
    )
    return signing.seal(document)


async def set_bit(work: UnitOfWork, version: CertificateVersion) -> None:
    """In the transition's own transaction; a job publishes the list anew."""
    listed = await queries.status_list_for_update(work, version.status_list_id)
    listed.bits = status_lists.set_bit(listed.bits, version.status_index)
    listed.revision += 1
    await jobs.enqueue(work, PUBLISH, {"status_list_id": listed.id, "livemode": listed.livemode})


@job(PUBLISH)
async def publish(tools: Tools, payload: dict[str, Any]) -> None:
    """Signs the list as it is now. Twice does no harm."""
    livemode = bool(payload["livemode"])
    async with UnitOfWork(tools.sessions, system(livemode), cause=PUBLISH) as work:
        listed = await queries.status_list_for_update(work, payload["status_list_id"])
        listed.token = _sealed(signer(tools.settings, livemode=livemode), listed.id, listed.bits, work.now)
        listed.published_at, listed.published_revision = work.now, listed.revision


@timer(RENEW)
async def renew(work: UnitOfWork, subject_id: str) -> None:
    """A published list is valid for a time; it is signed again before that is over."""
    await jobs.enqueue(work, PUBLISH, {"status_list_id": subject_id, "livemode": work.livemode})
    await timers.schedule(work, RENEW, subject_id, work.now + RENEWED_AFTER)
