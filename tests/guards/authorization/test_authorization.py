"""The committed matrix of operations and callers, and the leaks that no matrix may commit."""

import os
from pathlib import Path
from typing import Any

import httpx

from services.app import openapi_document
from services.kernel.http.routing import Runtime
from tests.guards.authorization import cells, leaks
from tests.guards.authorization.asking import operations
from tests.guards.authorization.calls import calls
from tests.guards.authorization.cells import Cell
from tests.guards.authorization.world import built

COMMITTED = Path(__file__).resolve().parents[3] / "openapi" / "authorization.txt"


async def test_every_operation_answers_every_caller_as_committed_and_betrays_nobody(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    async with built(runtime, client) as world:
        known = calls(world)
        asked = operations(openapi_document(_app_of(client)))
        rows = [await cells.row_of(world, client, each, known[each.id]) for each in asked if each.id in known]
        betrayed = await leaks.of_secrets(world, client)
        told = [leak for row in rows for leak in leaks.of_row(row, world)]
    unknown = {each.id for each in asked} ^ set(known)
    unlisted = [f"{name}: calls/ and the document do not both have it" for name in sorted(unknown)]
    found = [*unlisted, *_differences(rows), *told, *betrayed]
    assert not found, "\n".join(["", *found])


def _app_of(client: httpx.AsyncClient) -> Any:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    return transport.app


def _differences(rows: list[list[Cell]]) -> list[str]:
    """Lines on one side alone; none after UPDATE_AUTHORIZATION=1 has written what was found."""
    found = [cells.line_of(row) for row in rows]
    if os.environ.get("UPDATE_AUTHORIZATION"):
        COMMITTED.write_text("\n".join(found) + "\n")
    committed = COMMITTED.read_text().splitlines() if COMMITTED.exists() else []
    missing = [f"committed: {line}" for line in committed if line not in found]
    return missing + [f"answered:  {line}" for line in found if line not in committed]
