"""No search reads a table from end to end: the plans of filter combinations, in a small market behind row-level security."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from services.kernel.embedded_postgres import EmbeddedPostgres
from services.listings.searching import Wanted
from tests.benchmarks.offered import fill
from tests.benchmarks.search import combinations, measure, seeker_at

LISTINGS = 4_000
COMBINATIONS = 120


@pytest.fixture(scope="module")
async def small_market(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[asyncpg.Connection]:
    name = f"{template}_offered"
    postgres.create_database(name, template=template)
    async with asyncio.timeout(120):
        await fill(postgres.url(name), postgres.url(name, role="backhaul_owner"), LISTINGS)
    connection = await seeker_at(postgres.url(name))
    yield connection
    await connection.close()
    postgres.drop_database(name)


async def test_no_combination_of_filters_reads_a_table_from_end_to_end(small_market: asyncpg.Connection) -> None:
    every = list(combinations(datetime.now(UTC), sample=60))
    costs = [await measure(small_market, wanted) for wanted in random.Random(6).sample(every, COMBINATIONS)]
    assert [str(cost) for cost in costs if cost.scans] == []
    assert max(cost.buffers for cost in costs) < 1_000


async def test_a_plan_that_reads_a_table_from_end_to_end_is_seen(small_market: asyncpg.Connection) -> None:
    await small_market.execute(
        "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off"
    )
    cost = await measure(small_market, Wanted(material="copper"))
    await small_market.execute("RESET ALL; SET max_parallel_workers_per_gather = 0")
    assert any(table.startswith("offer") for table in cost.scans)
