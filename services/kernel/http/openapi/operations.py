"""The document's operations, each with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
MEDIA_TYPE_JSON = "application/json"


@dataclass(frozen=True)
class Operation:
    """`told` is the operation's own part of the document: what is changed there is changed in it."""

    path: str
    method: str
    told: Document

    @property
    def id(self) -> str:
        return str(self.told["operationId"])

    @property
    def permission(self) -> str | None:
        return permission_of(self.told)

    @property
    def description(self) -> str:
        return str(self.told.get("description", ""))

    @property
    def is_write(self) -> bool:
        return self.method in ("post", "put", "patch", "delete")

    def takes(self, name: str) -> bool:
        return any(parameter["name"] == name for parameter in self.told.get("parameters", []))

    def demands(self, name: str) -> bool:
        return any(one["name"] == name and one.get("required") for one in self.told.get("parameters", []))


def operations(document: Document) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, told in item.items():
            yield Operation(path, method, told)


def permission_of(told: Document) -> str | None:
    """What the credential must hold; None for a public operation."""
    if "x-permission" in told:
        return str(told["x-permission"])
    for scheme in told.get("security", []):
        for scopes in scheme.values():
            return str(scopes[0]) if scopes else ""
    return None


def endpoint_lines(document: Document) -> str:
    """One line per operation with its permission: what a reviewer reads in a diff."""
    lines = [
        f"{one.method.upper():7}{one.path:64}{one.id:36}{one.permission or 'public'}" for one in operations(document)
    ]
    return "\n".join(sorted(lines)) + "\n"
