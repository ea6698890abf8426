"""How a SELECT becomes rows."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select

from services.kernel.errors import NotFound
from services.kernel.unit_of_work import UnitOfWork

T = TypeVar("T")


async def one(work: UnitOfWork, query: Select[T], thing: str, id: str) -> T:
    """NotFound where there is none."""
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(thing, id)
    return row


async def maybe(work: UnitOfWork, query: Select[T]) -> T | None:
    return (await work.session.execute(query)).scalar_one_or_none()


async def every(work: UnitOfWork, query: Select[T]) -> Sequence[T]:
    return (await work.session.execute(query)).scalars().all()


def locked(query: Select[T]) -> Select[T]:
    """FOR UPDATE, and read afresh."""
    return query.with_for_update().execution_options(populate_existing=True)


def grouped(rows: Iterable[T], key: str) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for row in rows:
        name: Any = getattr(row, key)
        found.setdefault(name, []).append(row)
    return found
