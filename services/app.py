"""Builds the FastAPI app: every router, the manners, the OpenAPI document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from services.bidding import router as bidding
from services.certification import router as certification
from services.kernel.database import refuse_unfit_role
from services.kernel.http import audit, docs, expanding, health, metrics, openapi, problems, reference, test_clock
from services.kernel.http.lane import ShortWay
from services.kernel.http.middleware import Manners
from services.kernel.http.routing import Runtime, operation_id
from services.kernel.http.versions import VERSION
from services.listings import router as listings
from services.orders import router as orders
from services.parties import router as parties
from services.payments import router as payments
from services.pickups import router as pickups
from services.webhooks import catalogue
from services.webhooks import router as webhooks

CONTEXTS = (parties, listings, pickups, payments, webhooks, bidding, orders, certification)


def routers() -> list[APIRouter]:
    of_the_kernel = [docs.router, health.router, metrics.router, test_clock.router, audit.router, reference.router]
    return [*of_the_kernel, *(router for context in CONTEXTS for router in context.routers)]


def _routes() -> list[APIRoute]:
    return [route for router in routers() for route in router.routes if isinstance(route, APIRoute)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    runtime: Runtime = app.state.runtime
    if runtime.engine is not None:
        await refuse_unfit_role(runtime.engine)
    yield
    for close in runtime.closers:
        await close()


def build_app(runtime: Runtime) -> FastAPI:
    app = FastAPI(
        title="Backhaul",
        version=VERSION,
        lifespan=_lifespan,
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
    )
    app.state.runtime = runtime
    for router in routers():
        app.include_router(router)
    problems.install(app)
    app.add_middleware(ShortWay, runtime=runtime, routes=_routes())
    app.add_middleware(Manners, tally=runtime.tally)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document that is committed under `openapi/`; made once per app."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            summary="The open marketplace for everything that travels backwards through industry.",
            routes=app.routes,
            servers=[{"url": "http://localhost:8000", "description": "backhaul serve"}],
        )
        openapi.finish(document)
        catalogue.add_to(document)
        expanding.describe(document)
        openapi.hoist(document, "Money", "Mass")
        openapi.illustrate(document)
        app.openapi_schema = document
    return app.openapi_schema
