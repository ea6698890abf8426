"""`x-events`: the partner events that an operation causes, as its docstring names them."""

import re

from services.kernel.events import CATALOGUE
from services.kernel.http.openapi.operations import Operation

_TYPE = re.compile(r"`([a-z_]+\.[a-z_]+)`")


def complete(operation: Operation) -> None:
    caused = named_in(operation.description)
    if operation.is_write and caused:
        operation.told["x-events"] = caused


def named_in(text: str) -> list[str]:
    """Types of the catalogue in backticks, in the order of the text."""
    return list(dict.fromkeys(name for name in _TYPE.findall(text) if name in CATALOGUE))
