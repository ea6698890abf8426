"""Schemas as TypeScript interfaces: one for what is answered, and one named `…Param` for what is sent.

Softened as in Python, so that an older client reads a newer server: constraints are dropped and enums are open. Fields
keep their names of the wire, so that an answer is the very JSON that came, unknown fields included, and what is read in
the reference, in a log or in a webhook is what is written in a program.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from ..document import Document, Schema
from ..names import pascal
from ..schemas import Schemas
from .names import key, literal
from .prose import field as written
from .prose import jsdoc

SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
GLOBAL = {"Array", "Date", "Error", "Event", "Object", "Readonly", "ReadonlyArray", "Record", "Uint8Array", "Upload"}
OPEN = "(string & {})"
MARK = "\0"
"""Stands before the name of an interface, until the file it is written into says how to name it."""

Arms = list[str]


@dataclass
class Types:
    """Collects the interfaces while types are asked for. A type is a list of arms, one for what is no union."""

    document: Document
    interfaces: dict[str, list[str]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    @property
    def reading(self) -> Schemas:
        return Schemas(self.document)

    def answered(self, schema: Schema, hint: str) -> Arms:
        """The type of what the server sends; interfaces it needs are written under names after the hint."""
        return self._type(schema, hint, is_sent=False)

    def sent(self, schema: Schema, hint: str) -> Arms:
        """The type of what the client sends."""
        return self._type(schema, hint, is_sent=True)

    def told(self, schema: Schema) -> str:
        """What the document says of a field."""
        text: str = schema.get("description") or self.reading.flat(schema).get("description", "")
        return text

    def _type(self, schema: Schema, hint: str, *, is_sent: bool) -> Arms:
        hint = _component(schema) or hint
        node = self.reading.flat(schema)
        arms = node.get("anyOf") or node.get("oneOf")
        if arms:
            return self._union(arms, hint, is_sent=is_sent)
        if "const" in node:
            is_enum_of_one = is_sent and isinstance(node["const"], str)
            return _enum([node["const"]]) if is_enum_of_one else [literal(node["const"])]
        if "enum" in node:
            return _enum(node["enum"])
        kinds = node.get("type", "object" if "properties" in node else None)
        if isinstance(kinds, list):
            return _joined([self._type({**node, "type": kind}, hint, is_sent=is_sent) for kind in kinds])
        if kinds == "array":
            item = " | ".join(self._type(node.get("items", {}), f"{hint}Item", is_sent=is_sent))
            return [f"{'ReadonlyArray' if is_sent else 'Array'}<{item}>"]
        if kinds == "object":
            return [self._object(node, hint, is_sent=is_sent)]
        return _scalar(node, kinds, is_sent=is_sent)

    def _union(self, arms: list[Schema], hint: str, *, is_sent: bool) -> Arms:
        several = len([arm for arm in arms if arm.get("type") != "null"]) > 1
        return _joined(
            [
                self._type(arm, f"{hint}{number}" if several else hint, is_sent=is_sent)
                for number, arm in enumerate(arms, 1)
            ]
        )

    def _object(self, node: Schema, hint: str, *, is_sent: bool) -> str:
        if node.get("properties"):
            return MARK + self._interface(node, hint, is_sent=is_sent)
        values = node.get("additionalProperties")
        value = ["unknown"]
        if isinstance(values, dict) and values:
            value = self._type(values, f"{hint}Value", is_sent=is_sent)
        record = f"Record<string, {' | '.join(value)}>"
        return f"Readonly<{record}>" if is_sent else record

    def _interface(self, node: Schema, hint: str, *, is_sent: bool) -> str:
        wanted = pascal(hint)
        name = self._name(node, f"{wanted.removesuffix('Param')}Param" if is_sent else wanted)
        if name not in self.interfaces:
            self.interfaces[name] = []
            self.interfaces[name] = self._written(node, name, is_sent=is_sent)
        return name

    def _written(self, node: Schema, name: str, *, is_sent: bool) -> list[str]:
        required = node.get("required", [])
        stem = name.removesuffix("Param")
        lines = [*jsdoc(node.get("description", "")), f"export interface {name} {{"]
        for wire, schema in sorted(node["properties"].items()):
            if is_sent and self.reading.flat(schema).get("readOnly"):
                continue
            arms = self._type(schema, f"{stem}{pascal(wire)}", is_sent=is_sent)
            lines += [*jsdoc(self.told(schema), "  "), *entry(wire, arms, must=wire in required, is_sent=is_sent)]
        return [*lines, "}"]

    def _name(self, node: Schema, wanted: str) -> str:
        """One name per schema: a second schema that wants the same one gets a number."""
        base = f"{wanted}Object" if wanted in GLOBAL else wanted
        signature = json.dumps(node, sort_keys=True)
        name, number = base, 1
        while self._names.setdefault(name, signature) != signature:
            number += 1
            name = f"{base}{number}"
        return name


def entry(name: str, arms: Arms, *, must: bool, is_sent: bool) -> list[str]:
    """A field of an interface. What is sent may be undefined by name, which leaves it out."""
    if must:
        return written(key(name), arms)
    return written(f"{key(name)}?", [*arms, "undefined"] if is_sent and arms != ["unknown"] else arms)


def _component(schema: Schema) -> str | None:
    if "$ref" not in schema:
        return None
    name: str = schema["$ref"].rpartition("/")[2]
    return name.removesuffix("-Input").removesuffix("-Output")


def _enum(values: list[Any]) -> Arms:
    """The values known today, and any other."""
    strings = [literal(value) for value in values if isinstance(value, str)]
    others = [literal(value) for value in values if not isinstance(value, str) and value is not None]
    numbers = ["number"] if any(other not in ("true", "false") for other in others) else []
    booleans = ["boolean"] if any(other in ("true", "false") for other in others) else []
    return [*strings, *([OPEN] if strings else []), *numbers, *booleans, *(["null"] if None in values else [])]


def _scalar(node: Schema, kind: Any, *, is_sent: bool) -> Arms:
    if kind == "string" and (node.get("format") == "binary" or "contentMediaType" in node):
        return ["Upload" if is_sent else "Uint8Array"]
    if kind == "string" and is_sent and node.get("format") == "date-time":
        return ["string", "Date"]
    return [SCALARS.get(kind, "unknown")]


def _joined(types: list[Arms]) -> Arms:
    arms = list(dict.fromkeys(arm for arms in types for arm in arms))
    if "unknown" in arms:
        return ["unknown"]
    if "string" in arms:
        arms = [arm for arm in arms if arm != OPEN and not arm.startswith('"')]
    return [arm for arm in arms if arm != "null"] + (["null"] if "null" in arms else [])
