"""The graph behind a batch or a certificate, and what follows from it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from services.certification.models import BatchCode, CustodyEvent, CustodyLine, MaterialBatch
from services.certification.models.shared import UNWEIGHED
from services.kernel.reference import operations, waste_codes


@dataclass(frozen=True)
class Trace:
    """Custody events with their lines and all batches these name, by id."""

    events: Mapping[str, CustodyEvent]
    lines: Mapping[str, Sequence[CustodyLine]]
    batches: Mapping[str, MaterialBatch]
    codes: Mapping[str, Sequence[BatchCode]]

    def taken(self, event_id: str) -> list[CustodyLine]:
        return [line for line in self.lines.get(event_id, ()) if line.direction == "in"]

    def borne(self, event_id: str, *dispositions: str) -> list[CustodyLine]:
        out = [line for line in self.lines.get(event_id, ()) if line.direction == "out"]
        return [line for line in out if not dispositions or line.disposition in dispositions]

    def code_of(self, batch_id: str) -> str | None:
        """The waste code as printed, "16 06 07*"; None for what is no waste."""
        codes = self.codes.get(batch_id, ())
        return next((waste_codes.render(c.code, is_hazardous=bool(c.is_hazardous)) for c in codes), None)

    def parties(self) -> set[str]:
        """Everybody who owned, kept, sent, received or reported."""
        of_events = {org for event in self.events.values() for org in _parties(event)}
        of_batches = {org for batch in self.batches.values() for org in (batch.owner_id, batch.custodian_id)}
        return {str(org) for org in of_events | of_batches}

    def senders(self) -> list[str]:
        """Those who gave goods to be treated: the owners of what was loaded and accepted."""
        loaded = {line.batch_id for id in self.events for line in self.borne(id, "loaded")}
        return sorted({self.batches[id].owner_id for id in loaded})

    def order_ids(self) -> list[str]:
        """The orders under which its goods were accepted."""
        accepted = {line.batch_id for id in self.events for line in self.borne(id, "accepted")}
        return sorted({order for id in accepted if (order := self.batches[id].order_id) is not None})

    def is_unweighed(self) -> bool:
        """Whether a figure after the loading was declared or estimated instead of weighed."""
        weighed = [event for event in self.events.values() if event.type != "modify" and event.received_g is not None]
        made = [event for event in self.events.values() if event.type in ("make", "adjust")]
        return any(event.mass_method in UNWEIGHED for event in (*weighed, *made))


def _parties(event: CustodyEvent) -> Iterable[str]:
    return (org for org in (event.reported_by, event.sender_id, event.receiver_id) if org is not None)


def day_of(event: CustodyEvent) -> date:
    """The day it happened, where it happened."""
    return local_day(event.occurred_at, event.timezone)


def local_day(instant: datetime, timezone: str) -> date:
    return instant.astimezone(ZoneInfo(timezone)).date()


def origins(trace: Trace, taken: Mapping[str, int]) -> dict[str, Fraction]:
    """How many grams of each loaded batch stand behind these masses of batches: a batch of which a half was taken brings a
    half of all that made it. What a final operation bore brings nothing: that operation's own certificate carries it."""
    shares: dict[str, Fraction] = defaultdict(Fraction)
    for batch_id, mass_g in taken.items():
        _climb(trace, batch_id, Fraction(mass_g), shares)
    return dict(shares)


def _climb(trace: Trace, batch_id: str, mass: Fraction, shares: dict[str, Fraction]) -> None:
    event_id = trace.batches[batch_id].born_in
    birth = next(line for line in trace.borne(event_id) if line.batch_id == batch_id)
    if birth.disposition == "loaded":
        shares[batch_id] += mass
        return
    if is_final(trace.events[event_id]):
        return
    whole = _borne_whole(trace, birth)
    for line in trace.taken(event_id):
        _climb(trace, line.batch_id, mass / whole * line.mass_g, shares)


def is_final(event: CustodyEvent) -> bool:
    return event.type == "make" and event.operation is not None and operations.find(event.operation).is_final


def _borne_whole(trace: Trace, birth: CustodyLine) -> int:
    """What shares an event's inputs with this line: all outputs of a make, the accepted mass alone of a delivery, so that
    what was refused on arrival weighs on what was accepted."""
    if birth.disposition == "accepted":
        return birth.mass_g
    return sum(line.mass_g for line in trace.borne(birth.event_id))


@dataclass(frozen=True)
class Leg:
    """One lorry's run with goods of a certificate: grams on the road, packaging included, and from where to where."""

    pickup_id: str | None
    event_id: str
    mass_g: int
    from_site_id: str
    to_site_id: str


def legs(trace: Trace, taken: Mapping[str, int]) -> list[Leg]:
    """Every haulage behind these masses. A lorry that also carried other goods counts by the share of its load."""
    behind = origins(trace, taken)
    found = []
    for event in trace.events.values():
        loaded = trace.borne(event.id, "loaded")
        whole = sum(line.mass_g for line in loaded)
        own = sum((behind.get(line.batch_id, Fraction(0)) for line in loaded), Fraction(0))
        if own and event.from_site_id and event.to_site_id:
            on_the_road = own + Fraction(event.packaging_g or 0) * own / whole
            found.append(Leg(event.pickup_id, event.id, round(on_the_road), event.from_site_id, event.to_site_id))
    return found
