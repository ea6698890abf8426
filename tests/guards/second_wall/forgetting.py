"""A build whose queries have forgotten whom they serve: behind the wall no SELECT names the caller or its environment."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, event, true
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression

from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.second_wall import Asker
from tests.conftest import LookingSession


class ForgetfulSession(LookingSession):
    """Takes every comparison with the caller's organization, and every one of `livemode`, out of what is asked for the caller.
    What the house asks stays as it is."""


@event.listens_for(ForgetfulSession, "do_orm_execute")
def _forget_who_asks(state: ORMExecuteState) -> None:
    asker: Asker | None = state.session.info.get("asker")
    if asker is not None and not asker.is_house and isinstance(state.statement, Select):
        forgotten: Any = visitors.replacement_traverse(state.statement, {}, partial(_forgotten, asker))
        state.statement = forgotten


def _forgotten(asker: Asker, element: Any, **_: Any) -> ColumnElement[bool] | None:
    if not isinstance(element, BinaryExpression):
        return None
    sides = (element.left, element.right)
    if any(getattr(side, "name", None) == "livemode" for side in sides):
        return true()
    is_asked_for = any(getattr(side, "name", None) == "id" for side in sides)
    return true() if asker.org_id is not None and not is_asked_for and _names(asker.org_id, sides) else None


def _names(org_id: str, sides: Iterable[Any]) -> bool:
    given = [side.value for side in sides if isinstance(side, BindParameter)]
    return any(value == org_id or value == [org_id] for value in given)


def forgetful(runtime: Runtime) -> Runtime:
    """The same runtime on the same connection."""
    sessions: Sessions = async_sessionmaker(
        class_=AsyncSession, **{**runtime.sessions.kw, "sync_session_class": ForgetfulSession}
    )
    return replace(runtime, sessions=sessions)
