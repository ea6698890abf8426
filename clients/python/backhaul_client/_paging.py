"""Pages of a list. Iterating one goes on through all that follow; `data` holds this page alone."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from ._models import Model, read

T = TypeVar("T")


class BasePage(Model, Generic[T]):
    """What both kinds of page hold: `data`, `has_more`, `next_cursor` and whatever else the server sent."""

    has_more: bool
    next_cursor: str | None

    def __init__(self, data: Mapping[str, Any], item_kind: Any = Any) -> None:
        super().__init__(data)
        self.data: list[T] = [read(item_kind, item) for item in data.get("data") or []]

    @property
    def _next_cursor(self) -> str | None:
        cursor = self.get("next_cursor")
        return cursor if self.get("has_more") and isinstance(cursor, str) else None


class Page(BasePage[T]):
    """A page; `for item in page` asks for the following pages as it goes."""

    def __init__(self, data: Mapping[str, Any], item_kind: Any, fetch: Callable[[str], "Page[T]"]) -> None:
        super().__init__(data, item_kind)
        self._fetch = fetch

    def __iter__(self) -> Iterator[T]:
        page: Page[T] | None = self
        while page is not None:
            yield from page.data
            page = page.next_page()

    def next_page(self) -> "Page[T] | None":
        """The page after this one, or None after the last."""
        cursor = self._next_cursor
        return None if cursor is None else self._fetch(cursor)


class AsyncPage(BasePage[T]):
    """A page; `async for item in page` asks for the following pages as it goes."""

    def __init__(
        self, data: Mapping[str, Any], item_kind: Any, fetch: Callable[[str], Awaitable["AsyncPage[T]"]]
    ) -> None:
        super().__init__(data, item_kind)
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        page: AsyncPage[T] | None = self
        while page is not None:
            for item in page.data:
                yield item
            page = await page.next_page()

    async def next_page(self) -> "AsyncPage[T] | None":
        """The page after this one, or None after the last."""
        cursor = self._next_cursor
        return None if cursor is None else await self._fetch(cursor)
