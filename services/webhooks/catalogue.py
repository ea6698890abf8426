"""Partner events as OpenAPI `webhooks`: each type with the schema of its data."""

from typing import Any

from services.kernel.events import CATALOGUE, Event

_INSTANT = {"type": "string", "format": "date-time"}


def envelope(event_type: str) -> dict[str, Any]:
    """The JSON Schema of what is posted for this type."""
    return {
        "title": event_type,
        "type": "object",
        "required": ["id", "type", "timestamp", "livemode", "seq", "subject", "data"],
        "properties": {
            "id": {"type": "string", "description": "The event's id for ever; also the header webhook-id"},
            "type": {"type": "string", "const": event_type},
            "schema_version": {"type": "integer"},
            "timestamp": _INSTANT | {"description": "When it happened"},
            "recorded_at": _INSTANT | {"description": "When we learned of it"},
            "livemode": {"type": "boolean"},
            "seq": {"type": "integer", "description": "Its place in the feed"},
            "subject": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "sequence": {"type": "integer"}},
            },
            "transition": {
                "type": "object",
                "properties": {name: {"type": ["string", "null"]} for name in ("name", "from", "to")},
            },
            "data": {"$ref": f"#/components/schemas/{CATALOGUE[event_type].__name__}"},
        },
    }


def add_to(document: dict[str, Any]) -> None:
    """Writes every event into an OpenAPI document: `webhooks` and the schemas of their data."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    hooks = document.setdefault("webhooks", {})
    for event_type, event in sorted(CATALOGUE.items()):
        schemas[event.__name__] = _schema(event, schemas)
        hooks[event_type] = {"post": _operation(event_type, event.__doc__ or event_type)}


def _schema(event: type[Event], schemas: dict[str, Any]) -> dict[str, Any]:
    """A field that some role does not see is not required: it is absent from what that role hears."""
    schema = event.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    hidden = frozenset[str]().union(*event.hidden.values())
    schema["required"] = [name for name in schema.get("required", []) if name not in hidden]
    parts = schema.pop("$defs", {})
    names = {name: name if schemas.get(name, part) == part else event.__name__ + name for name, part in parts.items()}
    moved = {_reference(name): _reference(own) for name, own in names.items()}
    schemas |= {names[name]: _pointing(part, moved) for name, part in parts.items()}
    told: dict[str, Any] = _pointing(schema, moved)
    return told


def _reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def _pointing(node: Any, moved: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_pointing(inner, moved) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        name: moved.get(inner, inner) if name == "$ref" else _pointing(inner, moved) for name, inner in node.items()
    }


def _operation(event_type: str, description: str) -> dict[str, Any]:
    return {
        "operationId": f"on.{event_type}",
        "tags": ["partner events"],
        "summary": f"{event_type}: {description.strip().splitlines()[0].rstrip('.')}",
        "description": description,
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": envelope(event_type)}}},
        "responses": {"2XX": {"description": "Any 2xx within 15 seconds; everything else is tried again."}},
    }
