"""`events.py`: a class per partner event and the table that finds it by type."""

from .document import PartnerEvent
from .names import exported, is_plain, pascal
from .prose import docstring
from .resources import qualified
from .schemas import Schemas

IMPORTS = """
from __future__ import annotations

from typing import Any

from .._models import Event
from . import models
"""

ENVELOPE = {
    "id",
    "type",
    "schema_version",
    "timestamp",
    "recorded_at",
    "livemode",
    "seq",
    "subject",
    "transition",
    "data",
}


def render(schemas: Schemas) -> str:
    """The module's source, unformatted."""
    events = schemas.document.partner_events()
    table = ", ".join(f'"{event.type}": {pascal(event.type)}' for event in events)
    classes = [_event(event, schemas) for event in events]
    names = exported(["EVENTS", *(pascal(event.type) for event in events)])
    return "\n\n".join([IMPORTS, names, *classes, f"EVENTS: dict[str, type[Event]] = {{{table}}}"])


def _event(event: PartnerEvent, schemas: Schemas) -> str:
    name = pascal(event.type)
    properties = schemas.flat(event.envelope).get("properties", {})
    lines = [f"class {name}(Event):", *docstring(event.summary, fallback=f"`{event.type}`.")]
    for wire, schema in sorted(properties.items()):
        if wire == "data" or (wire not in ENVELOPE and is_plain(wire)):
            annotation = schemas.answered(schema, f"{name}{pascal(wire)}")
            lines.append(f"    {wire}: {qualified(annotation, schemas)}")
    return "\n".join(lines)
