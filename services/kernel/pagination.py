"""Keyset pages: `limit`, `cursor`, newest first by id (ids carry their time), no totals."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select

from services.kernel.errors import Invalid, invalid
from services.kernel.unit_of_work import UnitOfWork

T = TypeVar("T")
LIMIT = 50
_KEY = re.compile(r"[a-z0-9_:|.-]{1,150}", re.IGNORECASE)


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` is given exactly when `has_more`."""

    data: list[T]
    has_more: bool
    next_cursor: str | None = None


class PageRequest(BaseModel):
    limit: int
    cursor: str | None


def page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="How many, at most")] = LIMIT,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    """Of the parameters that every list takes."""
    return PageRequest(limit=limit, cursor=cursor)


Paging = Annotated[PageRequest, Depends(page_request)]


def cursor_of(key: str) -> str:
    """The cursor of a page that ended at this key: letters, digits, and `_:|.-`."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        key = ""
    if not _KEY.fullmatch(key):
        raise foreign_cursor()
    return key


def key_of(paging: PageRequest) -> str | None:
    """What `cursor_of` was given where the page before ended. Raises Invalid."""
    return None if paging.cursor is None else _decode(paging.cursor)


def foreign_cursor() -> Invalid:
    return invalid("/cursor", "cursor_invalid", "The cursor is not one this API gave.")


async def rows_of(
    work: UnitOfWork, query: Select[Any], key: Any, paging: PageRequest, *, ascending: bool = False
) -> tuple[Sequence[Any], str | None]:
    """The page's rows and the next cursor. `key` is the id column that orders the list; the query must not be ordered."""
    if paging.cursor is not None:
        after = _decode(paging.cursor)
        beyond: ColumnElement[bool] = key > after if ascending else key < after
        query = query.where(beyond)
    ordered = query.order_by(key.asc() if ascending else key.desc()).limit(paging.limit + 1)
    rows = (await work.session.execute(ordered)).scalars().all()
    more = len(rows) > paging.limit
    rows = rows[: paging.limit]
    return rows, cursor_of(getattr(rows[-1], key.key)) if more else None


def page_of(rows: Sequence[T], key: Callable[[T], str], paging: PageRequest) -> tuple[Sequence[T], str | None]:
    """As `rows_of`, of a table that ships with us: in its own order, `key` being each row's own."""
    first = 0
    if paging.cursor is not None:
        keys = [key(row) for row in rows]
        after = _decode(paging.cursor)
        if after not in keys:
            raise foreign_cursor()
        first = keys.index(after) + 1
    page = rows[first : first + paging.limit]
    return page, cursor_of(key(page[-1])) if first + paging.limit < len(rows) else None
