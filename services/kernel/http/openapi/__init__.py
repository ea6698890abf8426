"""What FastAPI's document lacks: problem codes, events, examples, groups, the headers of every operation, its permission.

An operation's docstring is its declaration: every problem code and every event type that it names in backticks is listed by machine
as well (`x-problem-codes`, `x-events`). The tests compare every answer of the app with it.
"""

from typing import Any

from services.kernel.http.openapi import events, examples, groups, introduction, parameters, problems
from services.kernel.http.openapi.operations import endpoint_lines, operations, permission_of

__all__ = ["endpoint_lines", "finish", "hoist", "illustrate", "permission_of"]

Document = dict[str, Any]


def finish(document: Document) -> Document:
    """Completes the document in place and answers it."""
    document["info"] |= introduction.INFO
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operation in operations(document):
        parameters.complete(operation)
        events.complete(operation)
    problems.complete(document)
    groups.complete(document)
    return document


def illustrate(document: Document) -> None:
    """Puts the recorded examples into the finished document, webhooks included."""
    examples.complete(document)


def hoist(document: Document, *titles: str) -> None:
    """Schemas that are written out wherever they are used become components, once: `Money`, `Mass`."""
    schemas = document["components"]["schemas"]

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        if node.get("title") in titles and node.get("type") == "object":
            schemas.setdefault(node["title"], {key: node[key] for key in node if key != "description"})
            return {"$ref": f"#/components/schemas/{node['title']}"}
        return {key: walk(inner) for key, inner in node.items()}

    for part in ("paths", "webhooks"):
        document[part] = walk(document[part])
    for name in [name for name in schemas if name not in titles]:
        schemas[name] = walk(schemas[name])
