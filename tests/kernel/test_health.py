"""What the market's own monitoring is told."""

from dataclasses import replace
from pathlib import Path

import httpx

from services.hosting import newest_revision
from services.kernel import database
from services.kernel.http.routing import Runtime
from services.kernel.settings import Settings
from tests.conftest import client_of
from tests.factories.parties import organization


def _nowhere(runtime: Runtime) -> Runtime:
    """Nothing listens on the port of `discard`."""
    engine = database.connect("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    return replace(runtime, sessions=database.sessions_of(engine))


async def _ask(runtime: Runtime, path: str) -> httpx.Response:
    async with client_of(runtime) as client:
        return await client.get(path)


async def test_a_process_lives_without_a_database(runtime: Runtime) -> None:
    answer = await _ask(_nowhere(runtime), "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_with_the_newest_schema(runtime: Runtime) -> None:
    answer = await _ask(replace(runtime, revision=newest_revision()), "/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_not_ready_before_the_migration(runtime: Runtime) -> None:
    answer = await _ask(replace(runtime, revision="9999_later"), "/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_the_release_before_stays_ready_after_the_migration(runtime: Runtime) -> None:
    answer = await _ask(replace(runtime, revision="0001_kernel"), "/ready")
    assert answer.status_code == 200


async def test_it_is_not_ready_without_a_database(runtime: Runtime) -> None:
    answer = await _ask(_nowhere(runtime), "/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_answers_are_counted_by_operation_and_status(runtime: Runtime) -> None:
    party = await organization(runtime.sessions, roles=["manufacturer"])
    async with client_of(runtime) as client:
        await client.get("/v1/sites", headers=party.headers)
        await client.get("/v1/sites")
        await client.get("/v1/nothing")
        told = (await client.get("/metrics")).text
    assert 'backhaul_http_answers_total{operation="sites.list",status="2xx"} 1.0' in told
    assert 'backhaul_http_answers_total{operation="sites.list",status="4xx"} 1.0' in told
    assert 'backhaul_http_answers_total{operation="unmatched",status="4xx"} 1.0' in told
    assert 'backhaul_http_seconds_bucket{le="+Inf",operation="sites.list",status="2xx"} 1.0' in told
    assert "backhaul_http_in_flight 1.0" in told
    assert party.org.id not in told


async def test_what_waits_in_the_database_is_counted(runtime: Runtime) -> None:
    await organization(runtime.sessions, roles=["manufacturer"])
    told = (await _ask(runtime, "/metrics")).text
    assert "backhaul_database_up 1.0" in told
    assert "backhaul_events_unsequenced 0.0" not in told
    assert "backhaul_jobs_open 0.0" in told


async def test_a_scrape_without_a_database_says_so(runtime: Runtime) -> None:
    told = (await _ask(_nowhere(runtime), "/metrics")).text
    assert "backhaul_database_up 0.0" in told
    assert "backhaul_jobs_open" not in told


async def test_metrics_can_be_kept_private(runtime: Runtime, tmp_path: Path) -> None:
    private = replace(runtime, settings=Settings(data_dir=tmp_path, metrics=False))
    assert (await _ask(private, "/metrics")).status_code == 404
