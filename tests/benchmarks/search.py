"""What searching costs: every combination of filters through the real statements, as the app's role behind row-level security.

    uv run python -m tests.benchmarks.search --listings 1000000

Counts the buffers (8 KiB pages, hit or read) of each statement against those of the page without filters.
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from services.hosting import migrate_database
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.listings.models import Listing
from services.listings.searching import Place, Seeker, Sort, Wanted, asking
from tests.benchmarks.offered import connect, fill

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
    "autovacuum": "off",
}
COLUMNS = [f"listing.{one.name}" for one in Listing.__table__.columns]  # type: ignore[attr-defined]
ASKER = "SELECT set_config('app.org_id', $1, false), set_config('app.livemode', 'false', false)"
STRANGER = "org_00000000000000000000000001"
KASSEL = Place(51.3127, 9.4797)
MOST_TIMES = 3.0
RADIUS_BUFFERS = 250

Filter = dict[str, Any]


def filters(now: datetime) -> dict[str, list[Filter]]:
    """By name: a common value, and a rare one where there is any."""
    return {
        "material": [{"material": "steel"}, {"material": "black_mass"}],
        "return_reason": [{"return_reason": "defective"}, {"return_reason": "product_recall"}],
        "condition": [{"condition": "salvage"}, {"condition": "new"}],
        "condition_floor": [{"condition_floor": "used_good"}],
        "disposition_floor": [{"disposition_floor": "recycle"}, {"disposition_floor": "reuse"}],
        "mass": [{"least_g": 1_000_000, "most_g": 5_000_000}, {"least_g": 59_000_000}],
        "price_direction": [{"price_direction": "seller_pays"}],
        "closing": [{"closes_until": now + timedelta(days=10)}, {"closes_until": now + timedelta(minutes=20)}],
        "country": [{"country": "DE"}, {"country": "GR"}],
        "text": [{"text": "word0"}, {"text": "word1900"}, {"text": "word3 word40"}],
        "mode": [{"mode": "timed"}],
        "waste_code": [{"waste_code": "000001"}, {"waste_code": "0000e0"}],
        "near": [{"near": KASSEL, "radius_km": 100.0}, {"near": KASSEL, "radius_km": 500.0}],
    }


def combinations(now: datetime, *, sample: int) -> Iterator[Wanted]:
    """Every one of up to three filters in every sort, and a sample of larger ones; values drawn common and rare."""
    known, drawn = filters(now), random.Random(4)
    for size in range(4):
        for names in itertools.combinations(known, size):
            for values in _values(names, known, drawn):
                yield from _sorted(values)
    for _ in range(sample):
        names = tuple(drawn.sample(sorted(known), drawn.randint(4, len(known))))
        yield from _sorted({key: value for name in names for key, value in drawn.choice(known[name]).items()})


def _values(names: Sequence[str], known: dict[str, list[Filter]], drawn: random.Random) -> Iterator[Filter]:
    every = list(itertools.product(*(known[name] for name in names)))
    for chosen in every if len(names) < 3 else drawn.sample(every, min(2, len(every))):
        yield {key: value for one in chosen for key, value in one.items()}


def _sorted(values: Filter) -> Iterator[Wanted]:
    sorts: list[Sort] = ["newest", "closing"]
    if "near" in values:
        sorts.append("distance")
    for sort in sorts:
        yield Wanted(**values, sort=sort)


@dataclass(frozen=True)
class Cost:
    wanted: Wanted
    buffers: int
    ms: float
    rows: int
    scans: frozenset[str]

    def __str__(self) -> str:
        asked = {name: value for name, value in vars(self.wanted).items() if value != getattr(Wanted(), name)}
        told = ", ".join(f"{name}={_short(value)}" for name, value in asked.items())
        return f"{self.buffers:6d} buffers {self.ms:7.2f} ms {self.rows:3d} rows  {told or 'no filter'}"


def _short(value: Any) -> str:
    return f"{value:%d %H:%M}" if isinstance(value, datetime) else str(value).removeprefix("Place")


async def measure(connection: asyncpg.Connection, wanted: Wanted) -> Cost:
    query = asking.listings(wanted, Seeker(STRANGER, False), COLUMNS, limit=50)
    explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {query.sql}"
    told = json.loads(await connection.fetchval(explain, *query.parameters))[0]
    plan = told["Plan"]
    buffers = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return Cost(wanted, buffers, told["Execution Time"], int(plan["Actual Rows"]), frozenset(_seq_scans(plan)))


def _seq_scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan" and plan.get("Actual Loops", 1):
        yield plan["Relation Name"]
    for inner in plan.get("Plans", []):
        yield from _seq_scans(inner)


async def seeker_at(url: str) -> asyncpg.Connection:
    """As the app's role, for an organization that has nothing to do with what is offered."""
    connection = await connect(url)
    await connection.execute(
        "SET plan_cache_mode = force_custom_plan; SET max_parallel_workers_per_gather = 0; SET jit = off"
    )
    await connection.fetch(ASKER, STRANGER)
    return connection


async def _run(listings: int, sample: int, folder: Path) -> int:
    server = EmbeddedPostgres.start(folder, settings=FAST)
    try:
        server.create_database("market")
        await asyncio.to_thread(migrate_database, server.url("market", role="backhaul_owner"))
        began = time.monotonic()
        await fill(server.url("market"), server.url("market", role="backhaul_owner"), listings)
        print(f"{listings:,} listings in {time.monotonic() - began:.0f} s")
        connection = await seeker_at(server.url("market"))
        failed = await _judge(connection, sample) + await _judge_radius(connection)
        await connection.close()
        return failed
    finally:
        server.discard()


async def _judge(connection: asyncpg.Connection, sample: int) -> int:
    now = datetime.now(UTC)
    plain = {sort: (await measure(connection, Wanted(sort=sort))).buffers for sort in ("newest", "closing")}
    plain["distance"] = plain["closing"]
    print(f"page without filters: {plain['newest']} buffers newest first, {plain['closing']} by closing time")
    costs = [await measure(connection, wanted) for wanted in combinations(now, sample=sample)]
    times = sorted(costs, key=lambda cost: -cost.buffers / plain[cost.wanted.sort])
    above = [cost for cost in times if cost.buffers > MOST_TIMES * plain[cost.wanted.sort]]
    scanned = [cost for cost in costs if cost.scans]
    print(f"{len(costs)} combinations: {len(above)} above {MOST_TIMES:g}×, {len(scanned)} with a sequential scan")
    print(f"median {statistics.median(cost.ms for cost in costs):.2f} ms, worst:")
    for cost in times[:15]:
        print(f"  {cost.buffers / plain[cost.wanted.sort]:5.2f}× {cost}")
    for cost in scanned[:5]:
        print(f"  scans {', '.join(cost.scans)}: {cost}")
    return len(above) + len(scanned)


async def _judge_radius(connection: asyncpg.Connection) -> int:
    """By closing time, as the bar says; the median and the worst of fifty places."""
    drawn, failed = random.Random(5), 0
    for radius_km in (10.0, 30.0, 100.0):
        for material in (None, "copper"):
            found = Wanted(near=KASSEL, radius_km=radius_km, sort="closing", material=material)
            places = [Place(drawn.uniform(44, 55), drawn.uniform(0, 18)) for _ in range(50)]
            costs = [await measure(connection, replace(found, near=place)) for place in places]
            buffers = [cost.buffers for cost in costs]
            failed += max(buffers) > RADIUS_BUFFERS
            print(
                f"radius {radius_km:3g} km, {material or 'anything'}: {statistics.median(buffers):g} buffers,"
                f" at most {max(buffers)},"
                f" {statistics.median(cost.ms for cost in costs):.2f} ms"
            )
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=200)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(1 if asyncio.run(_run(told.listings, told.sample, Path(folder))) else 0)


if __name__ == "__main__":
    main()
