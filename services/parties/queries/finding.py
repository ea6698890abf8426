"""What every SELECT of the parties shares."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.unit_of_work import UnitOfWork

T = TypeVar("T")


def seen_by(table: Any, actor: Actor) -> list[ColumnElement[bool]]:
    """Rows of the actor's organization; operators see every organization's."""
    here = col(table.livemode) == actor.livemode
    return [here] if actor.is_operator else [here, col(table.org_id) == actor.org_id]


async def one(work: UnitOfWork, query: Select[T], thing: str, id: str) -> T:
    """The row, or NotFound."""
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(thing, id)
    return row
