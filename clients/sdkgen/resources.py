"""`resources.py`: a class per resource and its async twin, and the two classes the clients inherit."""

import re
from itertools import groupby

from .methods import Method
from .names import free, pascal, snake
from .schemas import Schemas

IMPORTS = """
from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Unpack

from .._answers import Answer, async_list_operation, async_operation, operation
from .._calls import Call, File, Options, WriteOptions, etag, optional, segment
from .._models import NOT_GIVEN, NotGiven
from .._paging import AsyncPage, Page
from .._streams import AsyncStream, Stream
from .._transport import AsyncResource, AsyncTransport, Resource, Transport
from . import models
"""

CLIENT_NAMES = {"close", "environment", "request", "with_account"}


def render(schemas: Schemas) -> str:
    """The module's source, unformatted. Fills `schemas` with every model and parameter the operations need."""
    methods = [Method(operation, schemas) for operation in schemas.document.operations()]
    answers = [method.answered() for method in methods]
    for method in methods:
        method.collect()
    together = list(zip(methods, answers, strict=True))
    groups = [(name, list(group)) for name, group in groupby(together, key=lambda pair: pair[0].operation.resource)]
    classes = [
        _resource(name, group, schemas, is_async=is_async) for name, group in groups for is_async in (False, True)
    ]
    names = [name for name, _ in groups]
    return "\n\n".join([IMPORTS, *classes, _all(names, is_async=False), _all(names, is_async=True)])


def _resource(name: str, group: list[tuple[Method, tuple[str, str]]], schemas: Schemas, *, is_async: bool) -> str:
    prefix = "Async" if is_async else ""
    told = f"`client.{name}`, awaited." if is_async else f"`client.{name}`."
    taken: set[str] = {"mro"}
    lines = [f"class {prefix}{pascal(name)}Resource({prefix}Resource):", f'    """{told}"""', ""]
    for method, (shape, annotation) in group:
        own_name = free(snake(method.operation.name), taken)
        lines += [*_method(own_name, method, shape, qualified(annotation, schemas), schemas, is_async=is_async), ""]
    return "\n".join(lines)


def _method(name: str, method: Method, shape: str, annotation: str, schemas: Schemas, *, is_async: bool) -> list[str]:
    prefix = "Async" if is_async else ""
    arguments = qualified(method.signature(), schemas)
    call = f"Call({', '.join(method.passed)})"
    body = method.documentation()
    if shape == "stream":
        return [
            f"    def {name}({arguments}) -> {prefix}Stream[{annotation}]:",
            *body,
            f"        return self._stream({call}, {annotation}, options, last_event_id)",
        ]
    kind = f"{prefix}Page[{annotation}]" if shape == "page" else annotation
    decorator = f"{'async_' if is_async else ''}{'list_' if is_async and shape == 'page' else ''}operation"
    return [
        f"    @{decorator}",
        f"    {'async ' if is_async else ''}def {name}({arguments}) -> Answer[{kind}]:",
        *body,
        f"        return {'await ' if is_async else ''}self._send({call}, {kind}, options)",
    ]


def qualified(text: str, schemas: Schemas) -> str:
    """Classes of models.py by module, `list` by its own, since resources have methods called list."""
    known = schemas.models.keys() | schemas.params.keys()
    named = re.sub(r"(?<=[ \[])[A-Za-z_]\w*(?![\w:])|^[A-Za-z_]\w*", lambda m: _by_module(m[0], known), text)
    return re.sub(r"\blist\[", "builtins.list[", named)


def _by_module(name: str, known: set[str]) -> str:
    return f"models.{name}" if name in known else name


def _all(names: list[str], *, is_async: bool) -> str:
    prefix = "Async" if is_async else ""
    taken = set(CLIENT_NAMES)
    lines = [
        f"class {prefix}Resources:",
        f'    """The resources of {"an async" if is_async else "a"} client."""',
        "",
        f"    def __init__(self, transport: {prefix}Transport) -> None:",
        '        """Every resource sends through the same transport."""',
    ]
    for name in names:
        lines.append(f"        self.{free(snake(name), taken)} = {prefix}{pascal(name)}Resource(transport)")
    return "\n".join(lines)
