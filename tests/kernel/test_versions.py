"""What every answer says of itself: its request, the version it speaks, and whether its operation is about to go."""

from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from services.app import build_app
from services.kernel.http.routing import Anybody, Runtime, UnitOfWorkRoute
from services.kernel.http.versions import VERSION, deprecated

FAREWELL = deprecated(since=date(2027, 1, 1), sunset=date(2027, 7, 1), instead="/v1/new-things")
router = APIRouter(prefix="/v1", tags=["old"], route_class=UnitOfWorkRoute)


@router.get("/old-things", summary="List things as before", **FAREWELL)
async def list_(actor: Anybody, count: int = 0) -> dict[str, int]:
    """Goes."""
    return {"things": 1 // count}


@pytest.fixture
def app(runtime: Runtime) -> FastAPI:
    """With an operation that is deprecated, and that fails when it is asked for nothing."""
    app = build_app(runtime)
    app.include_router(router)
    return app


@pytest.fixture
def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")


@pytest.mark.parametrize("path", ["/v1/sites", "/v1/nothing", "/health", "/v1/old-things?count=1"])
async def test_every_answer_names_its_version(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["backhaul-version"] == VERSION


async def test_a_request_may_pin_the_version_there_is(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health", headers={"Backhaul-Version": VERSION})).status_code == 200


async def test_a_version_that_never_was_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health", headers={"Backhaul-Version": "2019-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (400, "version_unknown")
    assert VERSION in answer.json()["detail"]


@pytest.mark.parametrize("count", ["1", "none", "0"])
async def test_a_deprecated_operation_says_so_however_it_answers(client: httpx.AsyncClient, count: str) -> None:
    headers = (await client.get(f"/v1/old-things?count={count}")).headers
    assert headers["deprecation"] == "@1798761600"
    assert headers["sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
    assert headers["link"] == '</v1/new-things>; rel="deprecation"'


async def test_the_document_calls_it_deprecated(app: FastAPI) -> None:
    told: dict[str, Any] = app.openapi()["paths"]["/v1/old-things"]["get"]
    assert (told["deprecated"], told["x-deprecation"]["sunset"]) == (True, "2027-07-01")


async def test_what_nobody_expected_is_a_problem_like_any_other(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/old-things?count=0")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/c/not-an-id", "/c/crt_00000000000000000000000000"])
async def test_the_public_face_answers_scripts_of_any_origin_also_when_it_refuses(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code in (404, 422)
    assert answer.headers["access-control-allow-origin"] == "*"
