"""GET /health and GET /ready: does the process live, can it serve. No credential, no partner's data."""

import asyncio

import structlog
from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.errors import Problem
from services.kernel.http.routing import Runtime, runtime_of
from services.kernel.http.schemas import Response

router = APIRouter(tags=["service"])
PATIENCE = 3.0
"""Seconds that the database has to answer."""
log = structlog.get_logger(__name__)


class NotReady(Problem):
    """The database does not answer, or its schema is older than this release."""

    status = 503
    code = "not_ready"
    title = "This process cannot serve now"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class Health(Response):
    status: str = "ok"


@router.get("/health", summary="Ask whether the process lives")
async def health() -> Health:
    """Answers as long as the process does; asks nothing of the database. For the supervisor that restarts what is dead."""
    return Health()


@router.get("/ready", summary="Ask whether the process can serve")
async def ready(request: Request) -> Health:
    """For a load balancer: the database answers and its schema is not older than this release; otherwise 503 `not_ready`."""
    runtime = runtime_of(request)
    try:
        async with asyncio.timeout(PATIENCE):
            found = await _revision(runtime)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("not ready", error=repr(error))
        raise NotReady("The database does not answer.") from error
    if (found or "") < runtime.revision:
        raise NotReady(f"The database is at revision {found}; this release needs {runtime.revision}.")
    return Health()


async def _revision(runtime: Runtime) -> str | None:
    async with runtime.sessions() as session:
        return (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
