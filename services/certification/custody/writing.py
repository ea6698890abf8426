"""How an event of custody becomes rows and news."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.certification import events
from services.certification.custody.sources import Described
from services.certification.models import BatchCode, CustodyEvent, CustodyLine, MaterialBatch
from services.kernel.ids import BatchId, CustodyEventId
from services.kernel.reference import lists, materials, waste_codes
from services.kernel.reference.errors import CodeIsNotValid, ReferenceDataMissing
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Site

SCHEME = "LoW"
"""The European List of Waste and what became of it in Great Britain."""


@dataclass
class Draft:
    """An event in the making: its own id is known before it is written, so that batches can name it."""

    id: CustodyEventId = field(default_factory=CustodyEventId.new)
    lines: list[CustodyLine] = field(default_factory=list)
    born: list[MaterialBatch] = field(default_factory=list)
    codes: list[BatchCode] = field(default_factory=list)


def take(work: UnitOfWork, draft: Draft, batch: MaterialBatch, mass_g: int) -> None:
    """The event takes grams of a batch; more than are left is refused by the database."""
    batch.remaining_g -= mass_g
    note(work, draft, batch, mass_g)


def note(work: UnitOfWork, draft: Draft, batch: MaterialBatch, mass_g: int) -> None:
    """The event happens to a batch and leaves its mass alone."""
    draft.lines.append(_line(work, draft, batch.id, "in", mass_g, None))


def bear(work: UnitOfWork, draft: Draft, batch: MaterialBatch, disposition: str) -> None:
    draft.born.append(batch)
    draft.lines.append(_line(work, draft, batch.id, "out", batch.mass_g, disposition))


def _line(
    work: UnitOfWork, draft: Draft, batch_id: BatchId, direction: str, mass_g: int, disposition: str | None
) -> CustodyLine:
    return CustodyLine(
        event_id=draft.id,
        batch_id=batch_id,
        direction=direction,
        mass_g=mass_g,
        disposition=disposition,
        livemode=work.livemode,
        created_at=work.now,
    )


def batch_of(work: UnitOfWork, draft: Draft, goods: Described, mass_g: int, **where: Any) -> MaterialBatch:
    """A new batch of goods as they are described. One material makes it that material, anything else is mixed."""
    known = [share["material"] for share in goods.composition]
    return MaterialBatch(
        born_in=draft.id,
        title=goods.title,
        material=known[0] if len(known) == 1 and known[0] != "unknown" else materials.find("mixed").code,
        composition=list(goods.composition),
        mass_g=mass_g,
        remaining_g=mass_g,
        hp_codes=list(goods.hp_codes),
        un_number=goods.un_number,
        line_id=goods.line_id,
        livemode=work.livemode,
        created_at=work.now,
        **where,
    )


def code(work: UnitOfWork, draft: Draft, batch: MaterialBatch, waste_code: str | None, site: Site, on: date) -> None:
    """Notes the batch's waste code as it holds at the site on that day, unconfirmed where our lists do not have it."""
    if not waste_code:
        return
    jurisdiction = jurisdiction_of(site.country)
    try:
        found: waste_codes.WasteCode | None = waste_codes.find(waste_code, jurisdiction=jurisdiction, on=on)
    except (CodeIsNotValid, ReferenceDataMissing):
        found = None
    draft.codes.append(
        BatchCode(
            batch_id=batch.id,
            scheme=SCHEME,
            jurisdiction=jurisdiction,
            code=waste_codes.normalise(waste_code),
            valid_on=on,
            list_version=lists.read("waste_codes").version if found else None,
            is_hazardous=found.is_hazardous if found else None,
            livemode=work.livemode,
            created_at=work.now,
        )
    )


def jurisdiction_of(country: str) -> str:
    """EU or GB; a country whose list we do not have stands for itself."""
    try:
        return waste_codes.jurisdiction_of(country)
    except ReferenceDataMissing:
        return country


def tell(
    work: UnitOfWork,
    event: CustodyEvent,
    lines: Sequence[CustodyLine],
    batches: Mapping[str, MaterialBatch],
    to: Mapping[Any, str],
) -> None:
    """custody.recorded, to these organizations in their roles."""
    told = events.CustodyRecorded(
        custody_event_id=event.id,
        kind=event.type,
        lines=_told_lines(lines, batches),
        **{name: getattr(event, name) for name in events.CustodyRecorded.model_fields if hasattr(event, name)},
    )
    work.emit(told, subject=event.id, audience=dict(to), occurred_at=event.occurred_at)


def _told_lines(lines: Iterable[CustodyLine], batches: Mapping[str, MaterialBatch]) -> list[events.Line]:
    return [
        events.Line(
            batch_id=line.batch_id,
            direction=line.direction,
            material=batches[line.batch_id].material,
            mass_g=line.mass_g,
            disposition=line.disposition,
        )
        for line in lines
    ]
