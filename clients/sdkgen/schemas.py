"""Schemas as Python types: Model classes for what is answered, TypedDicts for what is sent.

Softened on the way, so that an older client reads a newer server: constraints are dropped, enums are plain strings with
their known values in the documentation, objects keep unknown fields.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from .document import Document, Schema
from .names import SHADOWED, is_plain, pascal
from .prose import comment, docstring

SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
RESERVED = {"get", "to_dict"} | SHADOWED
IMPORTED = {"Model", "Any", "File", "Mapping", "Sequence", "NotRequired", "TypedDict"}


@dataclass
class Schemas:
    """Collects the classes while annotations are asked for.

    Ask for everything that is answered first, then for what is sent: a parameter also takes the model of its schema.
    """

    document: Document
    models: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def answered(self, schema: Schema, hint: str) -> str:
        """The annotation of what the server sends; classes it needs are written under names after the hint."""
        return self._annotation(schema, hint, is_sent=False)

    def sent(self, schema: Schema, hint: str) -> str:
        """The annotation of what the client sends."""
        return self._annotation(schema, hint, is_sent=True)

    def flat(self, schema: Schema) -> Schema:
        """References and allOf resolved into one schema."""
        node = self.document.resolve(schema)
        parts = node.get("allOf")
        if not parts:
            return node
        merged: Schema = {key: value for key, value in node.items() if key != "allOf"}
        for part in map(self.flat, parts):
            merged["properties"] = {**merged.get("properties", {}), **part.get("properties", {})}
            merged["required"] = [*merged.get("required", []), *part.get("required", [])]
            merged = {**part, **merged}
        return merged if merged["properties"] else {key: merged[key] for key in merged if key != "properties"}

    def without_null(self, schema: Schema) -> tuple[Schema, bool]:
        """The one schema a nullable stands for, flat, and whether it was nullable; other unions as they are."""
        node = self.flat(schema)
        arms = node.get("anyOf") or node.get("oneOf") or []
        filled = [arm for arm in arms if arm.get("type") != "null"]
        is_nullable = len(filled) < len(arms)
        return (self.flat(filled[0]) if is_nullable and len(filled) == 1 else node), is_nullable

    def item_of_page(self, schema: Schema) -> Schema | None:
        """The item schema of a page of a list, None for anything else."""
        properties = self.flat(schema).get("properties", {})
        if not {"data", "has_more", "next_cursor"} <= properties.keys():
            return None
        items: Schema = self.flat(properties["data"]).get("items", {})
        return items

    def _annotation(self, schema: Schema, hint: str, *, is_sent: bool) -> str:
        hint = _component(schema) or hint
        node = self.flat(schema)
        arms = node.get("anyOf") or node.get("oneOf")
        if arms:
            return self._union(arms, hint, is_sent=is_sent)
        if "enum" in node or "const" in node:
            return _join([_type_of(value) for value in node.get("enum", [node.get("const")])])
        kinds = node.get("type", "object" if "properties" in node else None)
        if isinstance(kinds, list):
            return _join([self._annotation({**node, "type": kind}, hint, is_sent=is_sent) for kind in kinds])
        if kinds == "array":
            item = self._annotation(node.get("items", {}), f"{hint}Item", is_sent=is_sent)
            return f"Sequence[{item}]" if is_sent else f"list[{item}]"
        if kinds == "object":
            return self._object(node, hint, is_sent=is_sent)
        return _scalar(node, kinds, is_sent=is_sent)

    def _union(self, arms: list[Schema], hint: str, *, is_sent: bool) -> str:
        several = len([arm for arm in arms if arm.get("type") != "null"]) > 1
        return _join(
            [
                self._annotation(arm, f"{hint}{number}" if several else hint, is_sent=is_sent)
                for number, arm in enumerate(arms, 1)
            ]
        )

    def _object(self, node: Schema, hint: str, *, is_sent: bool) -> str:
        if node.get("properties"):
            return self._param(node, hint) if is_sent else self._model(node, hint)
        values = node.get("additionalProperties")
        value = "Any"
        if isinstance(values, dict) and values:
            value = self._annotation(values, f"{hint}Value", is_sent=is_sent)
        return f"Mapping[str, {value}]" if is_sent else f"dict[str, {value}]"

    def _model(self, node: Schema, hint: str) -> str:
        name = self._name(node, pascal(hint), "answered")
        if name not in self.models:
            self.models[name] = ""
            self.models[name] = self._write_model(node, name)
        return name

    def _write_model(self, node: Schema, name: str) -> str:
        lines = [f"class {name}(Model):", *docstring(node.get("description", ""), fallback="An object of the API.")]
        required = node.get("required", [])
        constants = {}
        for wire, schema in sorted(node["properties"].items()):
            attribute = wire if is_plain(wire) and wire not in RESERVED else f"{wire}_"
            if not is_plain(attribute):
                continue
            annotation = self.answered(schema, f"{name}{pascal(wire)}")
            lines.append(f"    {attribute}: {_optional(annotation, wire in required)}")
            lines += [f"    {line}" for line in comment(self.told(schema))]
            if isinstance(self.flat(schema).get("const"), str):
                constants[wire] = self.flat(schema)["const"]
        if constants:
            lines.append(f"    _constants = {constants!r}")
        return "\n".join(lines)

    def _param(self, node: Schema, hint: str) -> str:
        model = self._name(node, pascal(hint), "sent")
        name = model if model.endswith("Param") else f"{model}Param"
        if name not in self.params:
            self.params[name] = ""
            self.params[name] = self._write_param(node, name)
        return f"{name} | {model}" if model in self.models and model != name else name

    def _write_param(self, node: Schema, name: str) -> str:
        required = node.get("required", [])
        fields = {
            wire: self.sent(schema, f"{name.removesuffix('Param')}{pascal(wire)}")
            for wire, schema in sorted(node["properties"].items())
            if not self.flat(schema).get("readOnly")
        }
        marked = {wire: kind if wire in required else f"NotRequired[{kind}]" for wire, kind in fields.items()}
        if not all(is_plain(wire) for wire in marked):
            inside = ", ".join(f'{wire!r}: "{kind}"' for wire, kind in marked.items())
            return f'{name} = TypedDict("{name}", {{{inside}}})'
        lines = [f"class {name}(TypedDict):", *docstring(node.get("description", ""), fallback="An object to send.")]
        for wire, kind in marked.items():
            lines.append(f"    {wire}: {kind}")
            lines += [f"    {line}" for line in comment(self.told(node["properties"][wire]))]
        return "\n".join(lines)

    def _name(self, node: Schema, wanted: str, side: str) -> str:
        """One name per schema and side: a second schema that wants the same one gets a number."""
        base = f"{wanted}Object" if wanted in IMPORTED else wanted
        signature = _signature(node)
        name, number = base, 1
        while self._names.setdefault((side, name), signature) != signature:
            number += 1
            name = f"{base}{number}"
        return name

    def told(self, schema: Schema) -> str:
        """What the document says of a field, with the values known today."""
        node = self.flat(schema)
        arms = [self.flat(arm) for arm in node.get("anyOf") or node.get("oneOf") or [node]]
        values = [str(value) for arm in arms for value in arm.get("enum", []) if value is not None]
        known = f"Known values: {', '.join(values)}." if values else ""
        return " ".join(part for part in (schema.get("description") or node.get("description", ""), known) if part)


def _component(schema: Schema) -> str | None:
    if "$ref" not in schema:
        return None
    name: str = schema["$ref"].rpartition("/")[2]
    return name.removesuffix("-Input").removesuffix("-Output")


def _signature(node: Schema) -> str:
    return json.dumps(node, sort_keys=True)


def _scalar(node: Schema, kind: Any, *, is_sent: bool) -> str:
    if kind == "string" and (node.get("format") == "binary" or "contentMediaType" in node):
        return "File" if is_sent else "bytes"
    if kind == "string" and is_sent and node.get("format") in ("date-time", "date"):
        return "str | datetime" if node["format"] == "date-time" else "str | date"
    return SCALARS.get(kind, "Any")


def _type_of(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def _join(annotations: list[str]) -> str:
    arms = list(dict.fromkeys(arm for annotation in annotations for arm in _split(annotation)))
    if "Any" in arms:
        return "Any"
    return " | ".join([arm for arm in arms if arm != "None"] + (["None"] if "None" in arms else []))


def _split(annotation: str) -> list[str]:
    """The arms of a union, leaving brackets whole."""
    arms, depth = [""], 0
    for character in annotation:
        depth += (character == "[") - (character == "]")
        if character == "|" and not depth:
            arms.append("")
        else:
            arms[-1] += character
    return [arm.strip() for arm in arms]


def _optional(annotation: str, is_required: bool) -> str:
    if is_required or annotation == "Any" or "None" in _split(annotation):
        return annotation
    return f"{annotation} | None"
