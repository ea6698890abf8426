"""Sending a call: settings to headers, attempts under one idempotency key, answers to models or errors."""

import asyncio
import platform
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args, get_origin

import httpx

from ._answers import Answer, read_body
from ._calls import Call, Options, WriteOptions, encode_body, encode_query, given
from ._errors import BackhaulError, ConnectionFailed, Timeout, error_for
from ._paging import AsyncPage, Page
from ._retries import may_follow_answer, may_follow_failure, pause_before
from ._streams import AsyncStream, Stream
from ._version import API_VERSION, __version__

USER_AGENT = f"backhaul-python/{__version__} (Python {platform.python_version()}; httpx {httpx.__version__})"


@dataclass(frozen=True)
class Settings:
    """What every request of one client has in common. `timeout` is seconds per attempt."""

    base_url: str
    api_key: str | None
    account: str | None
    timeout: float
    max_retries: int

    def prepare(self, http: httpx.Client | httpx.AsyncClient, call: Call, options: Mapping[str, Any]) -> httpx.Request:
        """The request all attempts share, its body read into memory."""
        _refuse_unknown(call, options)
        headers = self._headers(call, options)
        body = encode_body(call, headers.get("idempotency-key"))
        if body.content_type:
            headers["Content-Type"] = body.content_type
        request = http.build_request(
            call.method,
            self.base_url + call.path,
            params=encode_query(call.query) or None,
            headers=headers,
            content=body.content,
            data=body.form,
            files=body.files,
            timeout=options.get("timeout", self.timeout),
        )
        request.read()
        return request

    def _headers(self, call: Call, options: Mapping[str, Any]) -> httpx.Headers:
        headers = httpx.Headers({"User-Agent": USER_AGENT, "Accept": call.accept, "Backhaul-Version": API_VERSION})
        headers.update({name: str(value) for name, value in given(call.headers).items() if value is not None})
        if not call.is_public:
            headers["Authorization"] = f"Bearer {self._key()}"
        account = options.get("account", self.account)
        if account is not None:
            headers["Backhaul-Account"] = account
        if call.is_keyed:
            headers["Idempotency-Key"] = options.get("idempotency_key") or str(uuid.uuid4())
        headers.update(options.get("extra_headers"))
        return headers

    def _key(self) -> str:
        if self.api_key is None:
            raise BackhaulError("this operation needs an API key", code="api_key_missing")
        return self.api_key


class Transport:
    """Sends calls and waits; safe to share between threads, as httpx.Client is."""

    def __init__(self, settings: Settings, http: httpx.Client, sleep: Callable[[float], object] = time.sleep) -> None:
        self.settings = settings
        self.http = http
        self.sleep = sleep

    def send(self, call: Call, kind: Any, options: Options | WriteOptions) -> Answer[Any]:
        response = self._exchange(call, options)
        if get_origin(kind) is not Page:
            return Answer(response, partial(read_body, kind))

        def fetch(cursor: str) -> Any:
            return self.send(_at(call, cursor), kind, options).parsed

        return Answer(response, lambda got: Page(read_body(Any, got), get_args(kind)[0], fetch))

    def stream(self, call: Call, kind: Any, options: Options, last_event_id: str | None = None) -> Stream[Any]:
        def connect(last_id: str | None) -> httpx.Response:
            return self._exchange(_resumed(call, last_id), options, stream=True)

        return Stream(connect, kind, self.sleep, last_event_id)

    def _exchange(self, call: Call, options: Mapping[str, Any], *, stream: bool = False) -> httpx.Response:
        request = self.settings.prepare(self.http, call, options)
        attempts_left = options.get("max_retries", self.settings.max_retries)
        attempt = 1
        while True:
            try:
                response = self.http.send(request, auth=None, follow_redirects=False, stream=stream)
                if response.is_success:
                    return response
                response.read()
            except httpx.RequestError as failure:
                if attempt > attempts_left or not may_follow_failure(call, failure):
                    raise _no_answer(request, failure) from failure
                self.sleep(pause_before(attempt))
            else:
                if attempt > attempts_left or not may_follow_answer(call, response):
                    raise _refused(request, response)
                self.sleep(pause_before(attempt, response))
            attempt += 1


class AsyncTransport:
    """The awaited twin of Transport."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self.settings = settings
        self.http = http
        self.sleep = sleep

    async def send(self, call: Call, kind: Any, options: Options | WriteOptions) -> Answer[Any]:
        response = await self._exchange(call, options)
        if get_origin(kind) is not AsyncPage:
            return Answer(response, partial(read_body, kind))

        async def fetch(cursor: str) -> Any:
            return (await self.send(_at(call, cursor), kind, options)).parsed

        return Answer(response, lambda got: AsyncPage(read_body(Any, got), get_args(kind)[0], fetch))

    def stream(self, call: Call, kind: Any, options: Options, last_event_id: str | None = None) -> AsyncStream[Any]:
        def connect(last_id: str | None) -> Awaitable[httpx.Response]:
            return self._exchange(_resumed(call, last_id), options, stream=True)

        return AsyncStream(connect, kind, self.sleep, last_event_id)

    async def _exchange(self, call: Call, options: Mapping[str, Any], *, stream: bool = False) -> httpx.Response:
        request = self.settings.prepare(self.http, call, options)
        attempts_left = options.get("max_retries", self.settings.max_retries)
        attempt = 1
        while True:
            try:
                response = await self.http.send(request, auth=None, follow_redirects=False, stream=stream)
                if response.is_success:
                    return response
                await response.aread()
            except httpx.RequestError as failure:
                if attempt > attempts_left or not may_follow_failure(call, failure):
                    raise _no_answer(request, failure) from failure
                await self.sleep(pause_before(attempt))
            else:
                if attempt > attempts_left or not may_follow_answer(call, response):
                    raise _refused(request, response)
                await self.sleep(pause_before(attempt, response))
            attempt += 1


class Resource:
    """A group of operations on a client."""

    def __init__(self, transport: Transport) -> None:
        self._send = transport.send
        self._stream = transport.stream


class AsyncResource:
    """A group of operations on an async client."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._send = transport.send
        self._stream = transport.stream


def _refuse_unknown(call: Call, options: Mapping[str, Any]) -> None:
    known = (WriteOptions if call.is_keyed else Options).__annotations__
    for name in options:
        if name not in known:
            raise TypeError(f"unexpected keyword argument {name!r}")


def _at(call: Call, cursor: str) -> Call:
    return replace(call, query={**call.query, "cursor": cursor})


def _resumed(call: Call, last_id: str | None) -> Call:
    return call if last_id is None else replace(call, headers={**call.headers, "Last-Event-ID": last_id})


def _no_answer(request: httpx.Request, failure: httpx.RequestError) -> ConnectionFailed:
    kind = Timeout if isinstance(failure, httpx.TimeoutException) else ConnectionFailed
    told = f"{request.method} {request.url.path}: {failure or type(failure).__name__}"
    return kind(told, idempotency_key=request.headers.get("idempotency-key"))


def _refused(request: httpx.Request, response: httpx.Response) -> BackhaulError:
    return error_for(
        response.status_code,
        response.headers,
        response.content,
        idempotency_key=request.headers.get("idempotency-key"),
    )
