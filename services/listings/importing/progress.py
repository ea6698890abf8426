"""How far a manifest is, committed in steps of their own: whoever asks sees it while the landing is still one open transaction."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.kernel import second_wall
from services.kernel.actors import system
from services.kernel.ids import ImportId
from services.kernel.jobs import Tools
from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries
from services.listings.importing import queries as stored
from services.listings.manifests import mapping as mappings
from services.listings.manifests import rows as manifest_rows
from services.listings.manifests.files import ManifestFile, opened
from services.listings.manifests.mapping import Mapping, MappingDoesNotFit
from services.listings.manifests.raw import ManifestIsUnreadable
from services.listings.manifests.rows import Reading, Tally
from services.listings.models import IMPORT, IMPORTS_UNDER_WAY

STEP = 0.5
"""Seconds between two notes of a reading."""


@dataclass(frozen=True)
class Unreadable:
    """Why nothing of the file lands. `problems` is as on the import."""

    code: str
    detail: str
    problems: list[dict[str, Any]]


@dataclass(frozen=True)
class Progress:
    """Notes of one import, each in a unit of work of its own."""

    tools: Tools
    import_id: ImportId
    livemode: bool

    def work(self) -> UnitOfWork:
        return UnitOfWork(self.tools.sessions, system(self.livemode), cause=self.import_id)

    async def begin(self, transition: str, **counts: Any) -> bool:
        """Moves the import on; whether there was still something to do."""
        async with self.work() as work:
            row = await queries.import_for_update(work, self.import_id)
            if row.status not in IMPORTS_UNDER_WAY:
                return False
            move(IMPORT, row, transition, by="time")
            for name, value in counts.items():
                setattr(row, name, value)
            return True

    async def note(self, **counts: int) -> None:
        async with self.work() as work:
            await stored.note(work, self.import_id, **counts)


async def read(tools: Tools, import_id: ImportId) -> tuple[Progress, Reading | Unreadable] | None:
    """Reads what is waiting, in a thread and outside any transaction. None where it was read before."""
    async with second_wall.house(tools.sessions) as session:
        livemode = await queries.waiting_import(session, import_id)
    if livemode is None:
        return None
    progress = Progress(tools, import_id, livemode)
    if not await progress.begin("read", rows_read=0, rows_landed=0, rows_total=None):
        return None
    return progress, await _read(progress)


async def _read(progress: Progress) -> Reading | Unreadable:
    try:
        file, mapping = await _opened(progress)
        return await _watched(progress, file, mapping)
    except ManifestIsUnreadable as unreadable:
        return Unreadable(unreadable.code, unreadable.detail, [])
    except MappingDoesNotFit as misfit:
        told = [
            {"row": None, "pointer": one.pointer, "code": one.code, "detail": one.detail} for one in misfit.problems
        ]
        return Unreadable("mapping_does_not_fit", str(misfit), told)


async def _opened(progress: Progress) -> tuple[ManifestFile, Mapping]:
    """The bytes as they came are let go once they are opened."""
    async with progress.work() as work:
        content, document = await queries.manifest(work, progress.import_id)
    mapping = mappings.parse(document)
    assert isinstance(mapping, Mapping), "only a mapping that parses is stored"
    return await asyncio.to_thread(opened, content, mapping.decimal), mapping


async def _watched(progress: Progress, file: ManifestFile, mapping: Mapping) -> Reading:
    tally, noted = Tally(), 0
    reading = asyncio.create_task(asyncio.to_thread(manifest_rows.read, file, mapping, tally))
    while not (await asyncio.wait({reading}, timeout=STEP))[0]:
        if tally.rows > noted:
            noted = tally.rows
            await progress.note(rows_read=noted)
    return reading.result()
