"""The committed matrix of operations and callers, and the leaks that no matrix may commit."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.app import openapi_document
from services.kernel.http.routing import Runtime
from tests.guards.authorization import cells, leaks
from tests.guards.authorization.asking import operations
from tests.guards.authorization.calls import calls
from tests.guards.authorization.cells import Cell
from tests.guards.authorization.world import built

COMMITTED = Path(__file__).resolve().parents[3] / "openapi" / "authorization.txt"


SHARDS = 4
"""Each builds the market anew, so that the workers of a run share the sweep."""


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_every_operation_answers_every_caller_as_committed_and_betrays_nobody(
    runtime: Runtime, client: httpx.AsyncClient, shard: int
) -> None:
    async with built(runtime, client) as world:
        known = calls(world)
        asked = operations(openapi_document(_app_of(client)))
        here = [each for each in asked[shard::SHARDS] if each.id in known]
        rows = [await cells.row_of(world, client, each, known[each.id]) for each in here]
        betrayed = await leaks.of_secrets(world, client) if shard == 0 else []
        told = [leak for row in rows for leak in leaks.of_row(row, world)]
    unknown = {each.id for each in asked} ^ set(known)
    unlisted = [f"{name}: calls/ and the document do not both have it" for name in sorted(unknown)]
    found = [*unlisted, *_differences(rows, {each.id for each in asked}), *told, *betrayed]
    assert not found, "\n".join(["", *found])


def _app_of(client: httpx.AsyncClient) -> Any:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    return transport.app


def _differences(rows: list[list[Cell]], operations: set[str]) -> list[str]:
    """Lines of these operations, or of none that there is, on one side alone; none after UPDATE_AUTHORIZATION=1 has written
    what was found."""
    found = {row[0].operation.id: cells.line_of(row) for row in rows}
    committed = _committed()
    if os.environ.get("UPDATE_AUTHORIZATION"):
        committed = {name: line for name, line in {**committed, **found}.items() if name in operations}
        COMMITTED.write_text("\n".join(committed[name] for name in sorted(committed)) + "\n")
    here = {name: line for name, line in committed.items() if name in found or name not in operations}
    missing = [f"committed: {line}" for name, line in here.items() if found.get(name) != line]
    return missing + [f"answered:  {line}" for name, line in found.items() if committed.get(name) != line]


def _committed() -> dict[str, str]:
    """Lines by operation."""
    lines = COMMITTED.read_text().splitlines() if COMMITTED.exists() else []
    return {line.split(maxsplit=1)[0]: line for line in lines}
