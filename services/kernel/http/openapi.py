"""What FastAPI's document lacks: problem answers, the headers every operation takes, the permission each needs."""

from typing import Any

from services.kernel.http.problems import MEDIA_TYPE, ProblemDocument

Document = dict[str, Any]

PROBLEMS = {
    400: "The JSON cannot be read.",
    401: "No valid credential was presented.",
    403: "The credential may not do this.",
    404: "There is nothing here that the caller may see.",
    409: "The world forbids it now; `errors` holds every reason.",
    412: "It has changed since it was read; the answer's ETag is current.",
    413: "The body is too large.",
    422: "What was sent is not valid; `errors` points at each place.",
    428: "Send If-Match: this moves money or makes an award.",
    500: "We failed; nothing was changed.",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "One effect for any number of sends; a replay carries Idempotency-Replayed: true. Kept 48 hours.",
}


def finish(document: Document) -> Document:
    """Completes the document in place and answers it."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _problem_schema()
    components["responses"] = {f"Problem{status}": _response(text) for status, text in PROBLEMS.items()}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _complete(path, method, operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


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


def _problem_schema() -> Document:
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs")["ProblemError"]
    schema["properties"]["errors"] = {"type": "array", "items": inner}
    return schema


def _response(text: str) -> Document:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _complete(path: str, method: str, operation: Document) -> None:
    permission = permission_of(operation)
    if permission is None:
        operation["security"] = []
    elif permission:
        operation["x-permission"] = permission
    if method == "post":
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    for status in _statuses(path, method, operation):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def permission_of(operation: Document) -> str | None:
    """What the credential must hold; None for a public operation."""
    for scheme in operation.get("security", []):
        for scopes in scheme.values():
            return str(scopes[0]) if scopes else ""
    return None


def _statuses(path: str, method: str, operation: Document) -> list[int]:
    takes_version = any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", []))
    expected = [422, 500]
    expected += [401, 403] if permission_of(operation) is not None else []
    expected += [404] if "{" in path else []
    expected += [409] if method in ("post", "patch", "delete") else []
    expected += [400, 413] if "requestBody" in operation else []
    expected += [412, 428] if takes_version else []
    return sorted(expected)


def endpoint_lines(document: Document) -> str:
    """One line per operation with its permission: what a reviewer reads in a diff."""
    lines = [
        f"{method.upper():7}{path:64}{operation['operationId']:36}{permission_of(operation) or 'public'}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return "\n".join(sorted(lines)) + "\n"
