"""The sandbox's clock: read it, move it forward, and see whether everything that became due is done."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import text

from services.kernel import clock, jobs, timers
from services.kernel.actors import Actor
from services.kernel.errors import Conflict, invalid
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding
from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1", tags=["test_clock"], route_class=UnitOfWorkRoute)
MOST = timedelta(days=366)
_UNSEQUENCED = text("SELECT count(*) FROM event WHERE seq IS NULL")


class LiveHasNoTestClock(Conflict):
    """In live mode the market's time is the time."""

    code = "live_has_no_test_clock"

    def __init__(self) -> None:
        super().__init__("In live mode the market's time is the time.")


class Advance(Request):
    """Forward to an instant, or by seconds: exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "2027-01-15T14:00:00Z"}]})

    to: UtcDatetime | None = None
    seconds: Annotated[int | None, Field(gt=0, le=int(MOST.total_seconds()))] = None


class TestClock(Response):
    """`is_settled`: no timer is due, no event unread, no job could run: the market has caught up with its clock."""

    now: UtcDatetime
    due_timers: int
    open_jobs: int
    is_settled: bool


@router.get("/test-clock", summary="Read the sandbox's clock")
async def get(work: Work, actor: Annotated[Actor, holding("test_clock:advance")]) -> TestClock:
    """Poll it after `advance` until `is_settled`."""
    return await _answer(work)


@router.post("/test-clock/advance", summary="Move the sandbox's clock forward")
async def advance(body: Advance, work: Work, actor: Annotated[Actor, holding("test_clock:advance")]) -> TestClock:
    """Everything that becomes due fires in order of its due time. Never backwards, at most a year at a time
    (`not_forward`, `one_of`). All sandbox organizations share this clock; `live_has_no_test_clock`."""
    if actor.livemode:
        raise LiveHasNoTestClock()
    await clock.advance(work.session, _distance(work, body))
    moved = await _answer(work)
    work.note_change("test_clock", "sandbox", now=(work.now, moved.now))
    return moved


def _distance(work: UnitOfWork, body: Advance) -> timedelta:
    if (body.to is None) == (body.seconds is None):
        raise invalid("", "one_of", "Give either `to` or `seconds`.")
    by = body.to - work.now if body.to is not None else timedelta(seconds=body.seconds or 0)
    if not timedelta(0) < by <= MOST:
        raise invalid("/to" if body.to else "/seconds", "not_forward", "The clock moves forward, by a year at most.")
    return by


async def _answer(work: UnitOfWork) -> TestClock:
    now = await clock.market_now(work.session, livemode=work.livemode)
    due = await timers.count_due(work.session, livemode=work.livemode)
    busy = await jobs.count_open(work.session)
    async with work.as_house(of_both=True):
        unread = (await work.session.execute(_UNSEQUENCED)).scalar_one()
    return TestClock(now=now, due_timers=due, open_jobs=busy, is_settled=not (due or busy or unread))
