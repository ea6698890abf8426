"""The document as /docs shows it: the same, in the words of a reader. Generators and validators take the document itself."""

from typing import Any


def for_readers(node: Any) -> Any:
    """A copy in which `X or null` is one type, and no field is titled by its own name."""
    if isinstance(node, list):
        return [for_readers(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    told = {name: inner if name in ("example", "examples") else for_readers(inner) for name, inner in node.items()}
    if isinstance(told.get("properties"), dict):
        told["properties"] = {name: _untitled(field) for name, field in told["properties"].items()}
    return _merged(_untitled(told) if "in" in told and "schema" in told else told)


def _untitled(field: Any) -> Any:
    return {name: inner for name, inner in field.items() if name != "title"} if isinstance(field, dict) else field


def _merged(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [{type: string}, {type: null}]` reads as `string or null`; references stay alternatives."""
    options = schema.get("anyOf")
    if not isinstance(options, list) or len(options) != 2 or options[1] != {"type": "null"}:
        return schema
    kind = options[0].get("type")
    if not isinstance(kind, str):
        return schema
    rest = {name: inner for name, inner in schema.items() if name != "anyOf"}
    values = {"enum": [*options[0]["enum"], None]} if "enum" in options[0] else {}
    return {**options[0], **rest, **values, "type": [kind, "null"]}
