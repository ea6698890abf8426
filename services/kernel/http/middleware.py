"""The one ASGI middleware, around everything: request id, version, body limit, the headers of every answer, the answer to what
nobody expected, counters, one log line, a span. One instead of one each: every layer of its own costs a coroutine and a wrapped
`send` per request. (BaseHTTPMiddleware would cost 0.65 ms of CPU.)
"""

import os
import re

import structlog
from fastapi.routing import APIRoute
from opentelemetry.trace import Span, Status, StatusCode
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import clock, tracing
from services.kernel.errors import Problem
from services.kernel.http.limits import QUOTA
from services.kernel.http.problems import Unexpected, refusal
from services.kernel.http.routing import ARRIVED, UnitOfWorkRoute, operation_id
from services.kernel.http.tally import Tally
from services.kernel.http.versions import KNOWN, VERSION, VersionUnknown, farewell
from services.kernel.telemetry import REQUEST_ID, log_request

log = structlog.get_logger("http")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
MiB = 1024 * 1024
BODY_LIMIT = 1 * MiB
LARGE_BODIES = {"/v1/imports": 48 * MiB, "/v1/imports/propose": 48 * MiB, "/v1/documents": 11 * MiB}
"""Limits of the paths that take files."""
LARGE_ENDS = {"photos": 11 * MiB}
"""The same by the last part of the path, where the rest names a thing."""
_VERSION = (b"backhaul-version", VERSION.encode())
_KNOWN = frozenset(version.encode() for version in KNOWN)
Headers = dict[bytes, bytes]
Extra = list[tuple[bytes, bytes]]


class BodyTooLarge(Problem):
    """The body is larger than this operation takes; the detail names the limit in bytes."""

    status = 413
    code = "body_too_large"
    title = "The body is larger than this operation takes"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The limit is {limit:,} bytes.", headers={"Connection": "close"})


class Manners:
    """Wraps the app. Counters, logs and spans call a route by its operation id."""

    def __init__(self, app: ASGIApp, *, tally: Tally) -> None:
        self.app = app
        self.tally = tally
        self._known: dict[int, tuple[str, Extra]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given: Headers = dict(scope["headers"])
        if not tracing.is_on():
            await self._answer(scope, receive, send, given, None)
            return
        carrier = {name: given[name.encode()].decode("latin-1") for name in _TRACE if name.encode() in given}
        with tracing.request_span(carrier) as span:
            await self._answer(scope, receive, send, given, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, given: Headers, span: Span | None) -> None:
        request_id = scope["request_id"] = _request_id(given, span)
        started, status = clock.ticks(), 0
        scope[ARRIVED] = started

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                always = self._of_route(scope)[1]
                name = (b"x-request-id", request_id.encode())
                message["headers"] = [*message["headers"], name, _VERSION, *scope.get(QUOTA, ()), *always]
            await send(message)

        self.tally.in_flight += 1
        token = REQUEST_ID.set(request_id)
        try:
            limit = _limit(scope["path"])
            refused = _refused(given, limit)
            if refused is not None:
                await refusal(scope, refused)(scope, receive, answered)
            elif b"content-length" in given:
                await self.app(scope, receive, answered)
            else:
                await self.app(scope, _counted(receive, limit), answered)
        except Exception as error:
            log.error("unhandled", error=repr(error), exc_info=error)
            if status:
                raise
            await refusal(scope, Unexpected())(scope, receive, answered)
        finally:
            REQUEST_ID.reset(token)
            self.tally.in_flight -= 1
            self._note(scope, request_id, status, clock.ticks() - started, span)

    def _of_route(self, scope: Scope) -> tuple[str, Extra]:
        """Its operation id, and the headers of its every answer."""
        route = scope.get("route")
        found = self._known.get(id(route))
        if found is None:
            found = self._known[id(route)] = self._describe(route)
        return found

    def _describe(self, route: object) -> tuple[str, Extra]:
        if not isinstance(route, APIRoute):
            return "unmatched", []
        always = route.always if isinstance(route, UnitOfWorkRoute) else {}
        headers = [(name.lower().encode(), value.encode()) for name, value in always.items()]
        return operation_id(route), headers + farewell(route)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float, span: Span | None) -> None:
        operation = self._of_route(scope)[0]
        self.tally.add(operation, status, seconds)
        log_request(request_id, scope["method"], scope["path"], operation, status, seconds * 1000)
        if span is not None:
            _describe_span(span, scope, request_id, operation, status)


_TRACE = ("traceparent", "tracestate")


def _request_id(given: Headers, span: Span | None) -> str:
    wished = given.get(b"x-request-id")
    if wished is not None and _REQUEST_ID.fullmatch(wished):
        return wished.decode()
    return tracing.request_id_of(span) if span is not None else f"req_{os.urandom(16).hex()}"


def _limit(path: str) -> int:
    return LARGE_BODIES.get(path) or LARGE_ENDS.get(path.rpartition("/")[2], BODY_LIMIT)


def _refused(given: Headers, limit: int) -> Problem | None:
    """What the headers alone are refused for."""
    version = given.get(b"backhaul-version")
    if version is not None and version not in _KNOWN:
        return VersionUnknown(version.decode("latin-1"))
    length = given.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > limit:
        return BodyTooLarge(limit)
    return None


def _counted(receive: Receive, limit: int) -> Receive:
    """For a body that does not say how long it is."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, f"The limit is {limit:,} bytes.")
        return message

    return counted


def _describe_span(span: Span, scope: Scope, request_id: str, operation: str, status: int) -> None:
    span.update_name(operation)
    span.set_attributes(
        {
            "http.request.method": scope["method"],
            "http.route": getattr(scope.get("route"), "path", ""),
            "http.response.status_code": status,
            "backhaul.request_id": request_id,
        }
    )
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
