"""The lane of the few operations the whole market waits on: one statement written by hand, below FastAPI and the ORM.

An operation takes it by saying so where it is declared (`@by_lane(…)`); path, permission, document and SDKs are those of its
route. The lane answers what it can answer whole with 200; whatever else comes (a first call, a credential that is no key, a
delegation, a refusal) it leaves to the route, which answers the same. Who calls was found out by the door before and is
remembered; the statement itself asks whether that still holds, and names the asker for the row-level policies.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any, TypeVar

import asyncpg
from fastapi import params
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, create_model
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.errors import Problem
from services.kernel.http.handing import DESK, Desk, Handed, Told, read_body
from services.kernel.http.limits import RateLimited
from services.kernel.http.problems import refusal
from services.kernel.http.routing import (
    ARRIVED,
    Runtime,
    fingerprint,
    key_scope,
    operation_id,
    permission_of,
)
from services.kernel.idempotency import Claim

E = TypeVar("E", bound=Callable[..., Any])
_SHORTCUT = "__shortcut__"
_ID = r"([a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25})"


class Row(asyncpg.Record):  # type: ignore[misc]
    """A record whose columns are also attributes, for functions that read a model."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Asked:
    """`ids` are those of the path, `query` is what stands behind the question mark."""

    actor: Actor
    ids: tuple[str, ...]
    query: bytes


@dataclass(frozen=True)
class Statement:
    """`sql` takes the parameters of who asks first (`Known.parameters`); its rows hold `is_known` beside what was read."""

    sql: str
    parameters: Sequence[Any] = ()


@dataclass(frozen=True)
class Shortcut:
    """`ask` makes the statement, or None where this question is not one for the lane; `tell` makes the answer of its rows, or
    None where the route must."""

    ask: Callable[[Asked], Statement | None]
    tell: Callable[[Asked, Sequence[Row]], Told | None]


def by_lane(shortcut: Shortcut) -> Callable[[E], E]:
    """Declares that the operation of this endpoint may take the lane."""

    def marked(endpoint: E) -> E:
        setattr(endpoint, _SHORTCUT, shortcut)
        return endpoint

    return marked


def model_of(*endpoints: Callable[..., Any]) -> type[BaseModel]:
    """What these take in a query, validated as FastAPI does; a name that none of them knows is refused."""
    fields: dict[str, Any] = {
        name: (told.annotation, told.default)
        for endpoint in endpoints
        for name, told in signature(endpoint).parameters.items()
        if any(isinstance(one, params.Query) for one in getattr(told.annotation, "__metadata__", ()))
    }
    made: type[BaseModel] = create_model("Asked", __config__=ConfigDict(extra="forbid"), **fields)
    return made


@dataclass(frozen=True)
class _Handing:
    """An operation that has a desk."""

    route: APIRoute
    desk: Desk
    permission: str
    operation: str


@dataclass(frozen=True)
class _Entry:
    route: APIRoute
    shortcut: Shortcut
    pattern: re.Pattern[str]
    permission: str


class ShortWay:
    """Wraps the app inside the manners."""

    def __init__(self, app: ASGIApp, *, runtime: Runtime, routes: Sequence[APIRoute]) -> None:
        self.app = app
        self.runtime = runtime
        self._entries = [_entry(route) for route in routes if hasattr(route.endpoint, _SHORTCUT)]
        self._desks = {route.path: _handing(route, runtime) for route in routes if hasattr(route.endpoint, DESK)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.runtime.lane is None or scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] == "POST":
            await self._take(scope, receive, send)
        else:
            found = self._find(scope)
            if found is None or not await self._serve(scope, receive, send, *found):
                await self.app(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What its desk takes, if it has one; the rest is the route's, its body included."""
        handing = self._desks.get(scope["path"])
        token = _token(scope) if handing is not None and not scope["query_string"] else None
        if handing is not None and token is not None:
            body, receive = await read_body(receive)
            try:
                answer = None if body is None else await self._hand(scope, handing, token, body)
            except RateLimited as limited:
                answer = limited
            if answer is not None:
                scope["route"] = handing.route
                if isinstance(answer, Problem):
                    await refusal(scope, answer)(scope, receive, send)
                else:
                    await _send(answer, send)
                return
        await self.app(scope, receive, send)

    async def _hand(self, scope: Scope, handing: _Handing, token: str, body: bytes) -> Told | Problem | None:
        """Raises RateLimited."""
        assert self.runtime.lane is not None
        known = await self.runtime.lane.known(token)
        if known is None or handing.permission not in known.actor.permissions:
            return None
        given = dict(scope["headers"])
        if given.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
            return None
        self.runtime.limiter.take(scope, known.actor)
        key = given.get(b"idempotency-key")
        try:
            claim = None if key is None else _claim(scope, known.actor, key.decode("latin-1"), body)
        except Problem:
            return None
        forget = partial(self.runtime.lane.forget, token)
        arrived = scope.get(ARRIVED) or clock.ticks()
        return await handing.desk.take(
            Handed(known, body, claim, handing.operation, scope.get("request_id"), arrived, forget)
        )

    def _find(self, scope: Scope) -> tuple[_Entry, tuple[str, ...]] | None:
        if scope["method"] != "GET":
            return None
        path = scope["path"]
        for entry in self._entries:
            match = entry.pattern.fullmatch(path)
            if match is not None:
                return entry, match.groups()
        return None

    async def _serve(self, scope: Scope, receive: Receive, send: Send, entry: _Entry, ids: tuple[str, ...]) -> bool:
        """Whether it has answered."""
        assert self.runtime.lane is not None
        token = _token(scope)
        known = await self.runtime.lane.known(token) if token is not None else None
        if token is None or known is None or entry.permission not in known.actor.permissions:
            return False
        asked = Asked(known.actor, ids, scope["query_string"])
        statement = entry.shortcut.ask(asked)
        if statement is None:
            return False
        parameters = (*known.parameters, *statement.parameters)
        try:
            async with self.runtime.lane.connect() as connection:
                rows = await connection.fetch(statement.sql, *parameters, record_class=Row)
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        if not rows or not rows[0]["is_known"]:
            self.runtime.lane.forget(token)
            return False
        answer = entry.shortcut.tell(asked, rows)
        if answer is None:
            return False
        scope["route"] = entry.route
        try:
            self.runtime.limiter.take(scope, known.actor)
        except RateLimited as limited:
            await refusal(scope, limited)(scope, receive, send)
        else:
            await _send(answer, send)
        return True


def _entry(route: APIRoute) -> _Entry:
    pattern = re.compile(re.sub(r"\{[a-z_]+\}", _ID, route.path))
    permission = permission_of(route.dependant)
    assert permission is not None, f"{route.path} takes the lane and asks for no permission"
    return _Entry(route, getattr(route.endpoint, _SHORTCUT), pattern, permission)


def _handing(route: APIRoute, runtime: Runtime) -> _Handing:
    permission = permission_of(route.dependant)
    assert permission is not None, f"{route.path} has a desk and asks for no permission"
    return _Handing(route, getattr(route.endpoint, DESK)(runtime), permission, operation_id(route))


def _claim(scope: Scope, actor: Actor, key: str, body: bytes) -> Claim:
    return Claim(key_scope(actor, key), key, fingerprint("POST", scope["path"], "", body))


def _token(scope: Scope) -> str | None:
    """The bearer token of a request that names neither an account to act for nor anything else the lane does not know."""
    token = None
    for name, value in scope["headers"]:
        if name == b"backhaul-account":
            return None
        if name == b"authorization":
            token = value
    if token is None or token[:7].lower() != b"bearer ":
        return None
    return str(token[7:].strip().decode("latin-1"))


async def _send(answer: Told, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", b"%d" % len(answer.body)))
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": answer.body})
