"""What every operation takes besides its own parameters, the permission that it needs, and how it says that all went well."""

import re

from services.kernel.http.openapi.operations import Document, Operation
from services.kernel.http.routing import MUST_MATCH
from services.kernel.ids import Id

IDEMPOTENCY_KEY: Document = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "One effect for any number of sends; a replay carries Idempotency-Replayed: true. Kept 48 hours.",
}
WELL = {
    "200": "It went well.",
    "201": "It was made.",
    "202": "It is taken up.",
    "204": "It went well; there is no body.",
}
_PREFIX = re.compile(r"^\^([a-z]+)_")


def complete(operation: Operation) -> None:
    told = operation.told
    permission = operation.permission
    if permission is None:
        told["security"] = []
    elif permission:
        # A key has no scopes in OpenAPI's sense: the permission stands beside it.
        told["security"] = [{scheme: [] for scheme in requirement} for requirement in told["security"]]
        told["x-permission"] = permission
    for status, response in told["responses"].items():
        if response["description"] == "Successful Response":
            response["description"] = WELL.get(status, "It went well.")
    if operation.method == "post":
        told.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    for parameter in told.get("parameters", []):
        if parameter["schema"].pop(MUST_MATCH, False):
            parameter |= {"required": True, "schema": {"type": "string", "title": parameter["schema"]["title"]}}
        if not parameter.get("description"):
            _describe(parameter)


def _describe(parameter: Document) -> None:
    """An id says of what it is the id; what else is silent is found by the tests."""
    found = _PREFIX.match(parameter["schema"].get("pattern", ""))
    things = {kind.prefix: kind.__doc__ or "" for kind in Id.__subclasses__()}
    thing = things.get(found.group(1)) if found else None
    if thing:
        parameter["description"] = f"The id of {thing[0].lower()}{thing[1:].splitlines()[0].rstrip('.')}"
