"""`events.ts`: an interface per partner event, their union, and the set of their types."""

from typing import Any

from ..document import PartnerEvent, Schema
from ..names import pascal
from .names import literal
from .prose import field, jsdoc
from .schemas import Types, entry

IMPORTS = 'import type * as models from "./models.js";'
OWN = ("type", "data")


def render(types: Types) -> list[str]:
    """The blocks of the module."""
    events = types.document.partner_events()
    envelopes = [types.reading.flat(event.envelope) for event in events]
    common = _common(envelopes)
    union = "\n".join(f"  | {pascal(event.type)}" for event in events)
    names = "".join(f"\n  {literal(event.type)}," for event in events)
    return [
        _envelope(common, types),
        *(_event(event, envelope, common, types) for event, envelope in zip(events, envelopes, strict=True)),
        f"/** Every event this release knows. */\nexport type KnownEvent ={chr(10) + union if union else ' never'};",
        f"export const EVENT_TYPES: ReadonlySet<string> = new Set([{names}{chr(10) if names else ''}]);",
    ]


def _common(envelopes: list[Schema]) -> dict[str, Any]:
    """The fields that are the same in every event, by name: (schema, whether it always comes)."""
    each = [
        {
            name: (schema, name in envelope.get("required", []))
            for name, schema in envelope.get("properties", {}).items()
        }
        for envelope in envelopes
    ]
    first = each[0] if each else {"id": ({"type": "string"}, True)}
    return {
        name: told for name, told in first.items() if name not in OWN and all(other.get(name) == told for other in each)
    }


def _envelope(common: dict[str, Any], types: Types) -> str:
    lines = ["/** What every event carries, of whatever type. */", "export interface Envelope {"]
    for name, (schema, must) in sorted(common.items()):
        arms = types.answered(schema, f"Event{pascal(name)}")
        lines += [*jsdoc(types.told(schema), "  "), *entry(name, arms, must=must, is_sent=False)]
    return "\n".join([*lines, "  type: string;", "  data: unknown;", "}"])


def _event(event: PartnerEvent, envelope: Schema, common: dict[str, Any], types: Types) -> str:
    name = pascal(event.type)
    properties = envelope.get("properties", {})
    lines = [*jsdoc(event.summary or f"`{event.type}`."), f"export interface {name} extends Envelope {{"]
    lines += field("type", [literal(event.type)])
    for wire, schema in sorted(properties.items()):
        if wire == "data" or (wire not in common and wire not in OWN):
            must = wire == "data" or wire in envelope.get("required", [])
            lines += entry(wire, types.answered(schema, f"{name}{pascal(wire)}"), must=must, is_sent=False)
    return "\n".join([*lines, "}"])
