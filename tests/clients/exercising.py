"""Every operation with a realistic request, and a door to the real app that keeps what a client sent through it.

The app stands in a world where there is something to be done to (`tests/guards/authorization`). A client of any language calls
the door; each request goes to the app and is undone, so that the next one finds the same world.
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.datastructures import UploadFile
from starlette.requests import Request

from services.app import openapi_document
from services.kernel.http.routing import Runtime
from tests.guards.authorization import world
from tests.guards.authorization.asking import Call, Caller, Operation, operations, owner_of, request
from tests.guards.authorization.calls import calls
from tests.guards.authorization.cells import rolled_back
from tests.guards.authorization.world import World

Message = MutableMapping[str, Any]
PASSED_ON = {"content-type", "etag", "location", "x-request-id", "idempotency-replayed", "content-disposition"}


@dataclass(frozen=True)
class Exercise:
    """An operation, and the request its owner would write by hand. `is_open` says it is asked for without a key, `is_stream` that
    it answers events, `is_file` bytes."""

    operation: Operation
    call: Call
    token: str
    expected: httpx.Request
    is_open: bool
    is_stream: bool
    is_file: bool

    @property
    def path(self) -> list[str]:
        """The path arguments in their order."""
        return [self.call.path[name] for name in re.findall(r"\{(\w+)\}", self.operation.template)]

    @property
    def params(self) -> dict[str, Any]:
        """Query and body of a client's call; a value that is given several times is a list. A form's file is not among them."""
        query = {name: self.expected.url.params.get_list(name) for name in self.expected.url.params}
        plain = {name: values if len(values) > 1 else values[0] for name, values in query.items()}
        if self.call.form is not None:
            return plain | dict(self.call.form)
        content = self.expected.read()
        return plain | (json.loads(content) if content else {})


@dataclass(frozen=True)
class Exchange:
    """What came through the door, and what it was answered."""

    sent: httpx.Request
    answer: httpx.Response


@dataclass
class Door:
    """An ASGI app before the app."""

    world: World
    app: httpx.AsyncClient
    exchanges: list[Exchange] = field(default_factory=list)
    url: str = ""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        came = Request(scope, receive)
        headers = [(name, value) for name, value in came.headers.items() if name != "host"]
        target = f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}".removesuffix("?")
        sent = self.app.build_request(came.method, target, headers=headers, content=await came.body())
        async with self._turn:
            answer = await rolled_back(self.world, self.app, sent)
        self.exchanges.append(Exchange(sent, answer))
        kept = [(name, value) for name, value in answer.headers.raw if name.decode().lower() in PASSED_ON]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        await send({"type": "http.response.body", "body": answer.content})

    async def asked_by_hand(self, exercise: Exercise) -> httpx.Response:
        async with self._turn:
            return await rolled_back(self.world, self.app, exercise.expected)


@asynccontextmanager
async def opened(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[tuple[Door, list[Exercise]]]:
    """The door on a free loopback port, and the exercise of every operation of the app's document."""
    async with world.built(runtime, client) as built:
        door = Door(built, client)
        async with _served(door) as door.url:
            yield door, list(_exercises(built, client))


def _exercises(built: World, client: httpx.AsyncClient) -> list[Exercise]:
    transport: Any = client._transport
    document = openapi_document(transport.app)
    known = calls(built)
    return [_exercise(built, client, document, one, known[one.id]) for one in operations(document)]


def _exercise(
    built: World, client: httpx.AsyncClient, document: dict[str, Any], operation: Operation, call: Call
) -> Exercise:
    owner = owner_of(built, call)
    told = document["paths"][operation.template][operation.method.lower()]
    is_open = told.get("security") == []
    expected = request(client, operation, call, Caller("anonymous", "nobody", None) if is_open else owner)
    answered = told["responses"].get("200", {}).get("content", {})
    is_file = any(kind.get("schema", {}).get("format") == "binary" for kind in answered.values())
    return Exercise(operation, call, owner.token or "", expected, is_open, "text/event-stream" in answered, is_file)


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listening.close()


async def differences(exercise: Exercise, sent: httpx.Request) -> list[str]:
    """How what a client sent is not what its owner would have written by hand."""
    expected = exercise.expected
    pairs: dict[str, tuple[object, object]] = {
        "method": (sent.method, expected.method),
        "path": (sent.url.path, expected.url.path),
        "query": (sorted(sent.url.params.multi_items()), sorted(expected.url.params.multi_items())),
        "body": (await _content(sent), await _content(expected)),
        "authorization": (sent.headers.get("authorization"), expected.headers.get("authorization")),
        "if-match": (sent.headers.get("if-match"), expected.headers.get("if-match")),
        "keyed": ("idempotency-key" in sent.headers, sent.method == "POST"),
        "version": ("backhaul-version" in sent.headers, True),
    }
    return [
        f"{exercise.operation.id}: {name} was {given!r}, not {wanted!r}"
        for name, (given, wanted) in pairs.items()
        if given != wanted
    ]


async def _content(sent: httpx.Request) -> object:
    """JSON as values, a form as its fields, an empty body as nothing."""
    body = sent.read()
    named = sent.headers.get("content-type", "")
    if named.startswith(("multipart/", "application/x-www-form-urlencoded")):
        return await _form(named, body)
    return json.loads(body) if named == "application/json" and body else body.decode()


async def _form(content_type: str, body: bytes) -> dict[str, object]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}
    form = await Request(scope, receive).form()
    return {
        name: (value.filename, await value.read()) if isinstance(value, UploadFile) else value
        for name, value in form.multi_items()
    }
