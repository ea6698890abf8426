"""The OpenAPI document as operations and partner events, references resolved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
HANDLED_HEADERS = {"idempotency-key", "backhaul-account", "backhaul-version", "last-event-id", "authorization"}
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"
EVENT_STREAM = "text/event-stream"


class DocumentError(Exception):
    """The document breaks a convention the client relies on."""


@dataclass(frozen=True)
class Parameter:
    name: str
    where: str
    schema: Schema
    required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """One method of one resource. `body` is (media type, schema, required); `answer` is (media type, schema)."""

    resource: str
    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Parameter]
    body: tuple[str, Schema, bool] | None
    answer: tuple[str, Schema] | None
    may_be_empty: bool
    is_public: bool
    is_keyed: bool


@dataclass(frozen=True)
class PartnerEvent:
    type: str
    summary: str
    envelope: Schema


@dataclass(frozen=True)
class Document:
    raw: dict[str, Any] = field(default_factory=dict)

    def resolve(self, node: Schema) -> Schema:
        """The node a reference points to; other nodes as they are."""
        while "$ref" in node:
            node = self._at(node["$ref"])
        return node

    def _at(self, reference: str) -> Schema:
        node: Any = self.raw
        for part in reference.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or key not in node:
                raise DocumentError(f"{reference} points nowhere")
            node = node[key]
        found: Schema = node
        return found

    def operations(self) -> list[Operation]:
        """Every operation, by resource and name."""
        found = [
            self._operation(path, method, item)
            for path, item in self.raw.get("paths", {}).items()
            for method in METHODS
            if method in item
        ]
        ordered = sorted(found, key=lambda operation: (operation.resource, operation.name))
        for one, other in pairwise(ordered):
            if (one.resource, one.name) == (other.resource, other.name):
                raise DocumentError(f"operationId {one.resource}.{one.name} is used twice")
        return ordered

    def partner_events(self) -> list[PartnerEvent]:
        """Every webhook, by type."""
        return [self._partner_event(name, item) for name, item in sorted(self.raw.get("webhooks", {}).items())]

    def _partner_event(self, name: str, item: Schema) -> PartnerEvent:
        operation: Schema = next((item[method] for method in METHODS if method in item), {})
        content = self.resolve(operation.get("requestBody", {})).get("content", {})
        return PartnerEvent(name, operation.get("summary", ""), content.get("application/json", {}).get("schema", {}))

    def _operation(self, path: str, method: str, item: Schema) -> Operation:
        raw = item[method]
        resource, _, name = raw.get("operationId", "").rpartition(".")
        if not resource or not name:
            raise DocumentError(f"{method.upper()} {path}: operationId must be resource.method")
        parameters = list(self._parameters([*item.get("parameters", []), *raw.get("parameters", [])]))
        answer, may_be_empty = self._answer(raw.get("responses", {}))
        names = {parameter.name.lower() for parameter in parameters if parameter.where == "header"}
        return Operation(
            resource=resource.replace(".", "_"),
            name=name,
            method=method.upper(),
            path=path,
            summary=raw.get("summary", ""),
            description=raw.get("description", ""),
            parameters=[one for one in parameters if not self._is_handled(one)],
            body=self._body(raw),
            answer=answer,
            may_be_empty=may_be_empty,
            is_public=raw.get("security", self.raw.get("security")) == [],
            is_keyed=method == "post" or "idempotency-key" in names,
        )

    def _is_handled(self, parameter: Parameter) -> bool:
        return parameter.where == "cookie" or (
            parameter.where == "header" and parameter.name.lower() in HANDLED_HEADERS
        )

    def _parameters(self, nodes: list[Schema]) -> Iterator[Parameter]:
        latest = {(node["in"], node["name"]): node for node in map(self.resolve, nodes)}
        for (where, name), node in latest.items():
            yield Parameter(
                name, where, node.get("schema", {}), bool(node.get("required")), node.get("description", "")
            )

    def _body(self, raw: Schema) -> tuple[str, Schema, bool] | None:
        node = self.resolve(raw.get("requestBody", {}))
        content = node.get("content", {})
        if not content:
            return None
        media_type = preferred(content)
        return media_type, content[media_type].get("schema", {}), bool(node.get("required"))

    def _answer(self, responses: Schema) -> tuple[tuple[str, Schema] | None, bool]:
        """What the successes carry, as one schema, and whether one of them carries nothing."""
        contents = [
            self.resolve(responses[status]).get("content", {}) for status in sorted(responses) if status.startswith("2")
        ]
        filled = [content for content in contents if content]
        if not filled:
            return None, True
        media_type = preferred(filled[0])
        media = [content[media_type] for content in filled if media_type in content]
        schemas = [one.get("schema", one.get("itemSchema", {})) for one in media]
        unique = list({json.dumps(schema, sort_keys=True): schema for schema in schemas}.values())
        merged = unique[0] if len(unique) == 1 else {"anyOf": unique}
        return (media_type, merged), len(filled) < len(contents)


def preferred(content: dict[str, Any]) -> str:
    """JSON before streams, uploads and forms, then what is listed first."""
    order = ("application/json", EVENT_STREAM, MULTIPART, FORM)
    return next((name for name in order if name in content), next(iter(content)))


def load(path: Path) -> Document:
    """The document; an absent one is an empty one."""
    return Document(json.loads(path.read_text("utf-8"))) if path.exists() else Document()
