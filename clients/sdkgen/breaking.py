"""What a partner's program written against one document would stumble over in a later one.

`python -m clients.sdkgen.breaking` compares the committed document with the last released one and exits 1 for every break
that CHANGELOG.md does not name; `--release` makes the committed document the released one.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .document import METHODS, Document, Schema, load
from .narrowing import enum_breaks, limit_breaks, type_breaks
from .schemas import Schemas

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "openapi" / "backhaul.v1.json"
RELEASED = ROOT / "openapi" / "released" / "backhaul.v1.json"
CHANGELOG = ROOT / "CHANGELOG.md"


class Break(NamedTuple):
    """`name` is what the changelog has to name: an operationId, `operation.parameter`, `Component.field` or an event type."""

    name: str
    what: str


@dataclass
class Comparison:
    """Of an older with a newer document. Components are compared once per direction, however many operations use them."""

    older: Document
    newer: Document
    _seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def breaks(self) -> list[Break]:
        found = [*self._operations(), *self._events()]
        return list(dict.fromkeys(found))

    def _operations(self) -> Iterator[Break]:
        later = dict(_operations(self.newer))
        names = {operation.get("operationId") for operation in later.values()}
        for place, old in _operations(self.older):
            name, new = old["operationId"], later.get(place)
            if new is None:
                yield Break(name, "it has another path or method" if name in names else "the operation is gone")
            elif new["operationId"] != name:
                yield Break(name, f"the operation is called {new['operationId']}")
            else:
                yield from self._operation(name, old, new)

    def _operation(self, name: str, old: Schema, new: Schema) -> Iterator[Break]:
        if old.get("security") == [] and new.get("security") != []:
            yield Break(name, "it needs a credential")
        yield from self._parameters(name, old, new)
        yield from self._body(name, old, new)
        yield from self._answers(name, old, new)

    def _parameters(self, name: str, old: Schema, new: Schema) -> Iterator[Break]:
        before, after = _parameters(self.older, old), _parameters(self.newer, new)
        for key, parameter in before.items():
            called = f"{name}.{parameter['name']}"
            if key not in after:
                yield Break(called, "the parameter is gone")
                continue
            if after[key].get("required") and not parameter.get("required"):
                yield Break(called, "the parameter is required")
            yield from self.schema(called, parameter.get("schema", {}), after[key].get("schema", {}), is_sent=True)
        for key, parameter in after.items():
            if key not in before and parameter.get("required"):
                yield Break(f"{name}.{parameter['name']}", "a new parameter is required")

    def _body(self, name: str, old: Schema, new: Schema) -> Iterator[Break]:
        before = self.older.resolve(old.get("requestBody", {}))
        after = self.newer.resolve(new.get("requestBody", {}))
        if after.get("required") and not before.get("required"):
            yield Break(name, "it needs a body")
        yield from self._contents(name, before, after, is_sent=True)

    def _answers(self, name: str, old: Schema, new: Schema) -> Iterator[Break]:
        for status, answer in old.get("responses", {}).items():
            if not status.startswith("2"):
                continue
            if status not in new.get("responses", {}):
                yield Break(name, f"it does not answer {status} any more")
                continue
            before, after = self.older.resolve(answer), self.newer.resolve(new["responses"][status])
            yield from self._contents(name, before, after, is_sent=False)

    def _contents(self, name: str, before: Schema, after: Schema, *, is_sent: bool) -> Iterator[Break]:
        later = after.get("content", {})
        for media_type, content in before.get("content", {}).items():
            if media_type not in later:
                yield Break(name, f"{media_type} is {'not taken' if is_sent else 'not answered'} any more")
                continue
            old, new = (one.get("schema", one.get("itemSchema", {})) for one in (content, later[media_type]))
            yield from self.schema(name, old, new, is_sent=is_sent)

    def _events(self) -> Iterator[Break]:
        later = {event.type: event for event in self.newer.partner_events()}
        for event in self.older.partner_events():
            if event.type not in later:
                yield Break(event.type, "the event is gone")
            else:
                yield from self.schema(event.type, event.envelope, later[event.type].envelope, is_sent=False)

    def schema(self, name: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[Break]:
        """What is sent may only become more, what is answered only more precise and more complete."""
        if "$ref" in old:
            name = _component(old)
            key = (old["$ref"], str(new.get("$ref", id(new))), is_sent)
            if key in self._seen:
                return
            self._seen.add(key)
        before, was_nullable = Schemas(self.older).without_null(old)
        after, is_nullable = Schemas(self.newer).without_null(new)
        if was_nullable and not is_nullable and is_sent:
            yield Break(name, "null is not taken any more")
        if is_nullable and not was_nullable and not is_sent:
            yield Break(name, "it may be null")
        if name != _component(old) and "$ref" in (reference := _reference(old)):
            yield from self.schema(name, reference, _reference(new), is_sent=is_sent)
            return
        yield from self._flat(name, before, after, is_sent=is_sent)

    def _flat(self, name: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[Break]:
        for told in (
            *type_breaks(old, new, is_sent),
            *enum_breaks(old, new, is_sent),
            *limit_breaks(old, new, is_sent),
        ):
            yield Break(name, told)
        yield from self._fields(name, old, new, is_sent=is_sent)
        if "items" in old and "items" in new:
            yield from self.schema(name, old["items"], new["items"], is_sent=is_sent)
        before, after = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.schema(name, before, after, is_sent=is_sent)
        yield from self._arms(name, old, new, is_sent=is_sent)

    def _fields(self, name: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        if not before and not after:
            return
        were_required, are_required = set(old.get("required", [])), set(new.get("required", []))
        for wire, schema in before.items():
            if wire not in after:
                yield Break(f"{name}.{wire}", f"the field is not {'taken' if is_sent else 'answered'} any more")
                continue
            if not is_sent and wire in were_required - are_required:
                yield Break(f"{name}.{wire}", "the field may be missing")
            yield from self.schema(f"{name}.{wire}", schema, after[wire], is_sent=is_sent)
        if is_sent:
            yield from (
                Break(f"{name}.{wire}", "the field is required") for wire in sorted(are_required - were_required)
            )

    def _arms(self, name: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[Break]:
        """Of a union each known shape has to stay, by its component's name or, without one, by its position."""
        before, after = (_shapes(one) for one in (old, new))
        for key, shape in before.items():
            if key not in after:
                yield Break(name, f"it is never {key} any more")
            else:
                yield from self.schema(name, shape, after[key], is_sent=is_sent)


def _operations(document: Document) -> Iterator[tuple[tuple[str, str], Schema]]:
    """By method and path; the names of path parameters are not on the wire."""
    for path, item in document.raw.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield (method, re.sub(r"\{[^}]*\}", "{}", path)), {"_path": path, **item[method]}


def _parameters(document: Document, operation: Schema) -> dict[tuple[str, str], Schema]:
    """By place and name; those of the path by their position."""
    order = re.findall(r"\{([^}]*)\}", operation["_path"])
    found = [document.resolve(node) for node in operation.get("parameters", [])]
    return {
        (one["in"], str(order.index(one["name"])) if one["in"] == "path" else one["name"].lower()): one for one in found
    }


def _component(node: Schema) -> str:
    name = str(node.get("$ref", "")).rpartition("/")[2]
    return re.sub(r"-(Input|Output)$", "", name)


def _reference(node: Schema) -> Schema:
    """The one component a nullable stands for, so that its fields are named after it."""
    arms = [arm for arm in node.get("anyOf") or node.get("oneOf") or [] if arm.get("type") != "null"]
    return arms[0] if len(arms) == 1 else node


def _shapes(node: Schema) -> dict[str, Schema]:
    arms = [arm for arm in node.get("anyOf") or node.get("oneOf") or [] if arm.get("type") != "null"]
    return {_component(arm) or f"shape {number}": arm for number, arm in enumerate(arms, 1)}


def unannounced(found: list[Break], changelog: str) -> list[Break]:
    """Those whose name does not stand, as `code`, under a heading Breaking of the changelog's newest section."""
    newest = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:2]
    sections = [part for part in re.split(r"^### ", "".join(newest), flags=re.MULTILINE) if part.startswith("Breaking")]
    named = {name for section in sections for name in re.findall(r"`([^`]+)`", section)}
    return [one for one in found if one.name not in named]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m clients.sdkgen.breaking", description=__doc__)
    parser.add_argument("--release", action="store_true", help="the committed document is the released one from now on")
    if parser.parse_args(arguments).release:
        shutil.copyfile(DOCUMENT, RELEASED)
        return 0
    found = unannounced(Comparison(load(RELEASED), load(DOCUMENT)).breaks(), CHANGELOG.read_text("utf-8"))
    for one in found:
        print(f"`{one.name}`: {one.what}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
