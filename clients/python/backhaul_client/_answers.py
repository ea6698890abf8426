"""An answer with its status and headers, and the methods that hand out either it or what was read from it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import cached_property, partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, get_args, overload

import httpx

from ._errors import UnexpectedAnswer
from ._models import read
from ._paging import AsyncPage

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A raw answer. `parsed` reads the body on first use."""

    response: httpx.Response
    reader: Callable[[httpx.Response], T]

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def content(self) -> bytes:
        return self.response.content

    @property
    def request_id(self) -> str | None:
        """Name this to support."""
        return header(self.response, "x-request-id")

    @property
    def etag(self) -> str | None:
        """What `if_match` wants for the version that was answered."""
        return header(self.response, "etag")

    @cached_property
    def parsed(self) -> T:
        return self.reader(self.response)


def header(response: httpx.Response, name: str) -> str | None:
    value: str | None = response.headers.get(name)
    return value


def read_body(kind: Any, response: httpx.Response) -> Any:
    """The body as the kind an operation promises: a model, plain JSON, text, bytes or None."""
    if kind is None or (not response.content and type(None) in get_args(kind)):
        return None
    if kind is bytes:
        return response.content
    if not _is_json(response):
        return response.text
    return read(kind, _json(response))


def _is_json(response: httpx.Response) -> bool:
    named = header(response, "content-type") or "application/json"
    media_type = named.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError as error:
        told = f"{response.status_code} with a body that is not JSON"
        raise UnexpectedAnswer(told, request_id=header(response, "x-request-id")) from error


class operation(Generic[S, P, T]):
    """A method that answers what was read; its `.raw(...)` takes the same arguments and answers the Answer."""

    def __init__(self, function: Callable[Concatenate[S, P], Answer[T]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> "Bound[P, T]": ...
    def __get__(self, instance: S | None, owner: type) -> Any:
        if instance is None:
            return self
        return update_wrapper(Bound(partial(self._function, instance)), self._function)


class Bound(Generic[P, T]):
    """An operation of one client."""

    def __init__(self, send: Callable[P, Answer[T]]) -> None:
        self._send = send

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._send(*args, **kwargs).parsed

    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """The same call, answering status and headers beside what was read."""
        return self._send(*args, **kwargs)


class async_operation(Generic[S, P, T]):
    """The awaited twin of `operation`."""

    def __init__(self, function: Callable[Concatenate[S, P], Awaitable[Answer[T]]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> "AsyncBound[P, T]": ...
    def __get__(self, instance: S | None, owner: type) -> Any:
        if instance is None:
            return self
        return update_wrapper(AsyncBound(partial(self._function, instance)), self._function)


class AsyncBound(Generic[P, T]):
    """An operation of one async client."""

    def __init__(self, send: Callable[P, Awaitable[Answer[T]]]) -> None:
        self._send = send

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return (await self._send(*args, **kwargs)).parsed

    async def raw(self, *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """The same call, answering status and headers beside what was read."""
        return await self._send(*args, **kwargs)


class async_list_operation(Generic[S, P, T]):
    """A list: awaited it is the first page, under `async for` it is every item of every page."""

    def __init__(self, function: Callable[Concatenate[S, P], Awaitable[Answer[AsyncPage[T]]]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> "AsyncListBound[P, T]": ...
    def __get__(self, instance: S | None, owner: type) -> Any:
        if instance is None:
            return self
        return update_wrapper(AsyncListBound(partial(self._function, instance)), self._function)


class AsyncListBound(Generic[P, T]):
    """A list operation of one async client."""

    def __init__(self, send: Callable[P, Awaitable[Answer[AsyncPage[T]]]]) -> None:
        self._send = send

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> "AsyncPager[T]":
        return AsyncPager(lambda: self._send(*args, **kwargs))

    async def raw(self, *args: P.args, **kwargs: P.kwargs) -> Answer[AsyncPage[T]]:
        """The same call, answering status and headers beside the first page."""
        return await self._send(*args, **kwargs)


class AsyncPager(Generic[T]):
    """A list that has not been asked for yet."""

    def __init__(self, send: Callable[[], Awaitable[Answer[AsyncPage[T]]]]) -> None:
        self._send = send

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        return self._first_page().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._first_page():
            yield item

    async def _first_page(self) -> AsyncPage[T]:
        return (await self._send()).parsed
