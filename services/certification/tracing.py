"""The chain behind a certificate as anybody may read it: grams, operation, country and parties by role.

Never a name, and nobody's free text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.certification import chain, queries
from services.certification.models import Certificate, CustodyEvent
from services.certification.trace import Trace, day_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties.models import Site


@dataclass(frozen=True)
class Step:
    """One event, the latest first. `country` is where it happened; a move's `mass_g` is what was accepted, or loaded."""

    kind: str
    on: date
    country: str
    operation: str | None
    by: tuple[str, ...]
    mass_g: int
    loss_g: int
    is_intact: bool


async def steps(work: UnitOfWork, certificate: Certificate) -> list[Step]:
    """Down to every origin. `is_intact`: the event still gives the hash it was recorded with."""
    async with work.as_house(of_both=True):
        links = await queries.events_of(work, certificate.id)
        trace = await queries.trace_back(work, [link.event_id for link in links])
        sites = await parties.sites(work, {event.site_id for event in trace.events.values()})
    ordered = sorted(trace.events.values(), key=lambda event: (event.occurred_at, event.id), reverse=True)
    return [_step(event, trace, sites) for event in ordered]


def _step(event: CustodyEvent, trace: Trace, sites: Mapping[str, Site]) -> Step:
    return Step(
        kind=event.type,
        on=day_of(event),
        country=sites[event.site_id].country,
        operation=event.operation,
        by=_roles(event),
        mass_g=_mass(event, trace),
        loss_g=event.loss_g,
        is_intact=not chain.faults([event], trace.lines),
    )


def _roles(event: CustodyEvent) -> tuple[str, ...]:
    if event.type != "move":
        return ("processor",)
    receiver = "processor" if event.received_g is not None else "carrier"
    sender = "carrier" if event.received_g is not None else "holder"
    return (sender, receiver)


def _mass(event: CustodyEvent, trace: Trace) -> int:
    if event.type == "move":
        return event.accepted_g if event.accepted_g is not None else event.announced_g or 0
    return sum(line.mass_g for line in trace.taken(event.id))
