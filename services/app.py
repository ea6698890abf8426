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
from services.kernel.http import openapi, problems, test_clock
from services.kernel.http.middleware import BodyLimit, RequestId
from services.kernel.http.routing import Runtime
from services.listings import router as listings
from services.orders import router as orders
from services.parties import router as parties
from services.payments import router as payments
from services.pickups import router as pickups
from services.webhooks import catalogue
from services.webhooks import router as webhooks

CONTEXTS = (parties, listings, pickups, payments, webhooks, bidding, orders, certification)
VERSION = "2026-11-01"


def routers() -> list[APIRouter]:
    return [test_clock.router, *(router for context in CONTEXTS for router in context.routers)]


def operation_id(route: APIRoute) -> str:
    """`listings.publish`: the first tag and the function's name, which is also the SDK's method."""
    return f"{route.tags[0]}.{route.name.rstrip('_')}" if route.tags else route.name


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
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestId)
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
        document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        openapi.finish(document)
        catalogue.add_to(document)
        openapi.hoist(document, "Money", "Mass")
        app.openapi_schema = document
    return app.openapi_schema
