"""Server-sent events that go on after a cut: the next connection names the last id seen (`Last-Event-ID`)."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import httpx

from ._models import read
from ._retries import pause_before

T = TypeVar("T")

CUTS_IN_A_ROW = 5
"""Connections lost without an event between them before the stream gives up."""


@dataclass(frozen=True)
class StreamEvent(Generic[T]):
    """One event of a stream. Keep `id` to resume later."""

    id: str | None
    event: str
    data: T


class Decoder:
    """Bytes to events, by the WHATWG rules; lines end with LF or CRLF."""

    def __init__(self, kind: Any, last_id: str | None) -> None:
        self._kind = kind
        self.last_id = last_id
        self.forget_partial()

    def forget_partial(self) -> None:
        """A new connection starts on a fresh line."""
        self._buffer = b""
        self._event = "message"
        self._lines: list[str] = []

    def feed(self, chunk: bytes) -> list[StreamEvent[Any]]:
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        found = [self._line(line.removesuffix(b"\r").decode("utf-8", "replace")) for line in lines]
        return [event for event in found if event is not None]

    def _line(self, line: str) -> StreamEvent[Any] | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._lines.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        return None

    def _dispatch(self) -> StreamEvent[Any] | None:
        text, event = "\n".join(self._lines), self._event
        is_empty, self._lines, self._event = not self._lines, [], "message"
        return None if is_empty else StreamEvent(self.last_id, event, self._read(text))

    def _read(self, text: str) -> Any:
        if self._kind is str:
            return text
        try:
            return read(self._kind, json.loads(text))
        except ValueError:
            return text


class Stream(Generic[T]):
    """Iterate it; it ends when the server ends it. `close()` or leaving the `with` block lets go of the connection."""

    def __init__(
        self,
        connect: Callable[[str | None], httpx.Response],
        kind: Any,
        sleep: Callable[[float], object],
        last_event_id: str | None = None,
    ) -> None:
        self._connect = connect
        self._decoder = Decoder(kind, last_event_id)
        self._sleep = sleep
        self._events = self._follow()

    def __iter__(self) -> Generator[StreamEvent[T], None, None]:
        return self._events

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        self._events.close()

    @property
    def last_event_id(self) -> str | None:
        return self._decoder.last_id

    def _follow(self) -> Generator[StreamEvent[T], None, None]:
        cuts = 0
        while True:
            response = self._connect(self._decoder.last_id)
            try:
                for chunk in response.iter_bytes():
                    for event in self._decoder.feed(chunk):
                        cuts = 0
                        yield event
                return
            except httpx.TransportError:
                cuts += 1
                if cuts > CUTS_IN_A_ROW:
                    raise
            finally:
                response.close()
            self._decoder.forget_partial()
            self._sleep(pause_before(cuts))


class AsyncStream(Generic[T]):
    """The awaited twin of Stream: `async with client.….stream(…) as events: async for event in events`."""

    def __init__(
        self,
        connect: Callable[[str | None], Awaitable[httpx.Response]],
        kind: Any,
        sleep: Callable[[float], Awaitable[object]],
        last_event_id: str | None = None,
    ) -> None:
        self._connect = connect
        self._decoder = Decoder(kind, last_event_id)
        self._sleep = sleep
        self._events = self._follow()

    def __aiter__(self) -> AsyncGenerator[StreamEvent[T], None]:
        return self._events

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._events.aclose()

    @property
    def last_event_id(self) -> str | None:
        return self._decoder.last_id

    async def _follow(self) -> AsyncGenerator[StreamEvent[T], None]:
        cuts = 0
        while True:
            response = await self._connect(self._decoder.last_id)
            try:
                async for chunk in response.aiter_bytes():
                    for event in self._decoder.feed(chunk):
                        cuts = 0
                        yield event
                return
            except httpx.TransportError:
                cuts += 1
                if cuts > CUTS_IN_A_ROW:
                    raise
            finally:
                await response.aclose()
            self._decoder.forget_partial()
            await self._sleep(pause_before(cuts))
