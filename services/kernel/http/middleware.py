"""Pure ASGI middleware: request ids, the body limit, one log line per request. (BaseHTTPMiddleware costs 0.65 ms of CPU.)"""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel.http.problems import problem_answer

log = structlog.get_logger("http")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
MiB = 1024 * 1024


class RequestId:
    """Takes the caller's X-Request-ID or makes one; echoes it, and puts it on every log line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else f"req_{uuid.uuid4().hex}"
        scope["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, answer)
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            log.info("request", method=scope["method"], path=scope["path"], status=status, ms=milliseconds)


class BodyLimit:
    """Answers 413 to a body above the limit: at once by its declared length, or as soon as it has grown too large."""

    def __init__(self, app: ASGIApp, *, limit: int = 1 * MiB, manifest_limit: int = 32 * MiB) -> None:
        self.app = app
        self.limit_of: Callable[[str], int] = lambda path: manifest_limit if path == "/v1/imports" else limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            await self._refuse(scope, receive, send, limit)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, f"The limit is {limit:,} bytes.")
            return message

        await self.app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        refusal = problem_answer(
            scope["path"],
            scope.get("request_id"),
            status=413,
            code="body_too_large",
            title="The body is larger than this operation takes",
            detail=f"The limit is {limit:,} bytes.",
            headers={"Connection": "close"},
        )
        await refusal(scope, receive, send)
