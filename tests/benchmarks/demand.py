"""What it costs to hold a published listing against standing orders: database time, statement by statement.

    uv run python -m tests.benchmarks.demand --listings 100000 --orders 10000

Orders of many organizations look from anywhere in Europe, 50 to 500 km around. Each round publishes one listing through the
verbs, matches it, and rolls back what it wrote.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.bidding.demanding import matching, queries
from services.bidding.models import DemandCell, DemandOrder
from services.bidding.models.demands import NEAR
from services.hosting import migrate_database
from services.kernel import database
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.ids import DemandId
from services.kernel.reference import materials
from services.kernel.unit_of_work import UnitOfWork
from services.listings.searching.places import Place, cells_within
from services.parties import sites
from tests.benchmarks.offered import EAST, NORTH, SOUTH, WEST, as_house, fill
from tests.benchmarks.search import FAST
from tests.factories.listings import motors, open_listing
from tests.factories.parties import Party, organization, yard

BAR_MS = 50.0
BUYERS = 20


@dataclass
class DatabaseTime:
    """Milliseconds between sending a statement and having its rows, summed."""

    ms: float = 0.0
    statements: int = 0
    began: list[float] = field(default_factory=list)
    by_statement: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


@contextmanager
def timed(engine: AsyncEngine) -> Iterator[DatabaseTime]:
    told = DatabaseTime()

    def before(*_: Any) -> None:
        told.began.append(time.perf_counter())

    def after(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        took = (time.perf_counter() - told.began.pop()) * 1_000
        told.ms += took
        told.statements += 1
        told.by_statement[statement[:60]] += took

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    try:
        yield told
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", before)
        event.remove(engine.sync_engine, "after_cursor_execute", after)


async def give(sessions: Sessions, url: str, orders: int) -> None:
    drawn = random.Random(7)
    codes = [one.code for one in materials.every()]
    buyers = [await organization(sessions, ["recycler"], name=f"Recycler {n}") for n in range(BUYERS)]
    async with UnitOfWork(sessions, system(False)) as work:
        for _ in range(orders // 500):
            rows = [_order(work, drawn.choice(buyers), drawn, codes) for _ in range(500)]
            await work.session.execute(insert(DemandOrder), [row.model_dump() for row in rows])
            await work.session.execute(insert(DemandCell), [cell for row in rows for cell in _cells(work, row)])
    async with as_house(url) as owner:
        for table in ("demand_order", "demand_cell", "demand_match"):
            await owner.execute(f"VACUUM (ANALYZE) {table}")


def _order(work: UnitOfWork, buyer: Party, drawn: random.Random, codes: list[str]) -> DemandOrder:
    return DemandOrder(
        id=DemandId.new(),
        org_id=buyer.org.id,
        site_id=buyer.site.id,
        name="Drawn",
        material=codes[int(len(codes) * drawn.random() ** 2.5)],
        least_share_bps=drawn.choice([2_000, 5_000, 9_000]),
        condition_floor=drawn.choice([None, "salvage", "damaged", "used_good"]),
        waste_codes=drawn.choice([[], [], ["160214", "160216"]]),
        weekly_g=drawn.choice([5, 20, 100]) * 1_000_000,
        radius_km=drawn.uniform(50, 500),
        latitude=drawn.uniform(SOUTH, NORTH),
        longitude=drawn.uniform(WEST, EAST),
        price_limit_minor=drawn.randint(-10_000, 30_000),
        currency="EUR",
        disposition="recycle",
        livemode=False,
        created_at=work.now,
    )


def _cells(work: UnitOfWork, order: DemandOrder) -> list[dict[str, Any]]:
    reach_km = order.radius_km * NEAR
    found = cells_within(Place(order.latitude, order.longitude), reach_km, queries.CELLS[0 if reach_km <= 200 else 1])
    here = {"livemode": False, "material": order.material, "demand_order_id": order.id, "created_at": work.now}
    return [here | {"cell": one} for one in found]


async def rounds(engine: AsyncEngine, sessions: Sessions, seller: Party, count: int) -> list[tuple[float, int, int]]:
    """Database milliseconds, matches, near misses of each."""
    drawn, found, cpu_ms = random.Random(8), [], 0.0
    for _ in range(count):
        place = yard(latitude=drawn.uniform(44, 55), longitude=drawn.uniform(0, 18))
        async with UnitOfWork(sessions, seller.actor) as work:
            site = await sites.create(work, place, by=seller.actor)
        listing = await open_listing(sessions, seller, [motors()], site_id=site.id)
        async with UnitOfWork(sessions, system(False), dry_run=True) as work:
            backend = (await work.session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            before_ms = _cpu_ms(backend)
            with timed(engine) as told:
                await matching.match(work, listing.id)
                await work.session.flush()
            cpu_ms += _cpu_ms(backend) - before_ms
            counted = text("SELECT count(*) FILTER (WHERE is_match), count(*) FROM demand_match WHERE listing_id = :id")
            row = (await work.session.execute(counted, {"id": listing.id})).one()
            found.append((told.ms, row[0], row[1] - row[0]))
    print(f"  the database's own CPU: {cpu_ms / count:.1f} ms a listing")
    for statement, ms in sorted(told.by_statement.items(), key=lambda pair: -pair[1])[:6]:
        print(f"  last round: {ms:6.2f} ms {' '.join(statement.split())}")
    return found


async def _run(listings: int, orders: int, folder: Path) -> int:
    server = EmbeddedPostgres.start(folder, settings=FAST)
    try:
        server.create_database("market")
        url, owner_url = server.url("market"), server.url("market", role="backhaul_owner")
        await asyncio.to_thread(migrate_database, owner_url)
        seller = await fill(url, owner_url, listings)
        engine = database.connect(url)
        sessions = database.sessions_of(engine)
        await give(sessions, owner_url, orders)
        measured = await rounds(engine, sessions, seller, 60)
        await engine.dispose()
        return _judge(listings, orders, measured)
    finally:
        server.discard()


def _cpu_ms(backend: int) -> float:
    """User and system time of a process, in the kernel's ticks."""
    told = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) * 1_000 / os.sysconf("SC_CLK_TCK")


def _judge(listings: int, orders: int, measured: list[tuple[float, int, int]]) -> int:
    times = sorted(ms for ms, _, _ in measured)
    told = {
        "listings": listings,
        "orders": orders,
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(times[int(len(times) * 0.95)], 2),
        "worst_ms": round(times[-1], 2),
        "matches": round(statistics.mean(matches for _, matches, _ in measured), 1),
        "near_misses": round(statistics.mean(near for _, _, near in measured), 1),
    }
    print(json.dumps(told))
    return int(told["p95_ms"] > BAR_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=10_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(asyncio.run(_run(told.listings, told.orders, Path(folder))))


if __name__ == "__main__":
    main()
