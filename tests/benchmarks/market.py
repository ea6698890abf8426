"""The hot paths against the database's own ceiling: pgbench sends the same statement, prepared, in turns within one run. For a bid,
whose path is several statements for many bids, it sends one that leaves the same rows of one bid, and another that appends the bid
and nothing else.

    uv run python -m tests.benchmarks.market [--listings 1000000] [--rounds 5] [--seconds 4] [--processes 2] [--only search]

API processes and a durable PostgreSQL of its own on this machine's cores, CONNECTIONS keep-alive connections over loopback. What is
read is asked by wrk where it is installed, what is written from Python; pgbench keeps one thread.
Printed per path: requests/s of both and their ratio, CPU per request of the app and of PostgreSQL from /proc; medians.
"""

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, text

from services.kernel.embedded_postgres.places import Binaries
from services.kernel.http.lane import Asked
from services.kernel.http.routing import Known
from services.kernel.pagination import cursor_of
from services.kernel.settings import Settings
from services.listings import reading
from services.listings.searching import Seeker, Wanted
from services.parties.authenticating import door
from services.parties.recognizing import Acquaintances
from tests.benchmarks import hot_bids, wrk
from tests.benchmarks.hot import BIDDING, Hot, get, listing_id
from tests.benchmarks.market_of_races import Market, Place, running, visited
from tests.factories import parties
from tests.factories.bidding import processor
from tests.factories.parties import Party

ITEMS = 5
TICKS = 100
WARM_UP = 1.0


async def fill(market: Market, seller: Party, listings: int) -> None:
    """Open listings with five items each, in ids that count."""
    values = {"seller": seller.org.id, "site": seller.site.id, "many": listings, "items": ITEMS}
    async with market.witness() as session:
        await session.execute(text("SET session_replication_role = replica"))
        for statement in (_LISTINGS, _ITEMS, _OFFERS):
            await session.execute(statement, values)
        await session.execute(text("SET session_replication_role = DEFAULT"))
        await session.commit()
    async with market.witness() as session:
        connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        await connection.exec_driver_sql("VACUUM ANALYZE listing, item, offer, api_key, member, organization")


_LISTINGS = text(
    """
INSERT INTO listing (id, seller_id, site_id, livemode, created_at, version, title, mode, price_unit, currency,
    disposition_floor, status, opens_at, closes_at, effective_end_at, published_at, visibility, invited, tolerance_bps,
    inspection_days, dispute_days, goods_vat_bps, gate_fee_vat_bps, haulage_vat_bps, country, latitude, longitude,
    item_count, total_mass_g, materials)
SELECT 'lst_' || lpad(CAST(n AS text), 26, '0'), :seller, :site, false, now(), 3, 'Electric motors, lot ' || n, 'timed',
    'tonne', 'EUR', 'recycle', 'open', now(), now() + n * interval '1 second' + interval '1 day',
    now() + n * interval '1 second' + interval '1 day', now(), 'public', '{}', 500, 3, 5, 0, 1900, 1900, 'DE',
    47 + random() * 8, 6 + random() * 9, :items, 5000000,
    jsonb_build_array(jsonb_build_object('material', 'steel', 'mass_g', 3100000 + n),
        jsonb_build_object('material', 'copper', 'mass_g', 900000 + n))
FROM generate_series(1, :many) n"""
)
_ITEMS = text(
    """
INSERT INTO item (id, listing_id, livemode, created_at, position, key, title, quantity, mass_g, mass_method,
    condition_grade, return_reason, waste_code, is_hazardous, hp_codes, composition, is_data_bearing, photos)
SELECT 'itm_' || lpad(CAST(n * :items + i AS text), 26, '0'), 'lst_' || lpad(CAST(n AS text), 26, '0'), false, now(), i,
    'item ' || i, 'Motors of frame size ' || i, 40, 1000000, 'weighed', 'salvage', 'end_of_life', '160214', false, '[]',
    '[{"material": "steel", "ppm": 620000}, {"material": "copper", "ppm": 180000}, {"material": "unknown", "ppm": 200000}]',
    false, '[]'
FROM generate_series(1, :many) n, generate_series(0, :items - 1) i"""
)


_OFFERS = text(
    """
INSERT INTO offer (listing_id, place, term, status, closes_at, grade, return_reason, disposition_floor, mode, direction, materials,
    country, waste_code, mass_g, h3_res3, h3_res5, latitude, longitude, livemode, created_at)
SELECT l.id, t.place, t.term, l.status, l.effective_end_at, 7, 3, 5, 2, 0, NULL, l.country, '160214', l.total_mass_g, 1, 1,
    l.latitude, l.longitude, false, now()
FROM listing l, (VALUES (0, ''), (1, 'm:steel'), (2, 'm:copper')) t (place, term)"""
)


_DRAWN = "lst_' || lpad(:n::text, 26, '0') || '"
"""Inside a literal: the listing that pgbench draws."""


def paths(buyers: Sequence[Party], known: Known, listings: int) -> list[Hot]:
    buyer = buyers[0]
    read = [_detail(buyer, known, listings), _search(buyer, known, listings)]
    return [*read, *hot_bids.anywhere(buyer, listings), hot_bids.on_one(buyers)]


def _detail(buyer: Party, known: Known, listings: int) -> Hot:
    statement = reading.detail(Asked(known.actor, (_DRAWN,), b""))
    assert statement is not None
    return Hot(
        "listing detail",
        lambda number: get(buyer, f"/v1/listings/{listing_id(number)}"),
        for_pgbench(statement.sql, (*known.parameters, *statement.parameters), listings),
        bar=0.45,
        cpu=0.30,
    )


def _search(buyer: Party, known: Known, listings: int) -> Hot:
    """A page from anywhere in the list."""
    page = reading.page(Wanted(), Seeker.of(known.actor), limit=50, after=(_DRAWN,))
    return Hot(
        "search of 50",
        lambda number: get(buyer, f"/v1/listings/search?limit=50&cursor={cursor_of(listing_id(number + 51))}"),
        for_pgbench(page.sql, (*known.parameters, *page.parameters), listings, least=51),
        bar=0.20,
        cpu=0.40,
    )


def for_pgbench(sql: str, parameters: tuple[object, ...], listings: int, *, least: int = 1) -> str:
    """The lane's own statement. Prepared, pgbench sends `:n` as a parameter; who asks stands in it as literals."""
    literals = [str(value) if isinstance(value, int) else f"'{value}'" for value in parameters]
    written = re.sub(r"\$(\d+)", lambda found: literals[int(found[1]) - 1], sql)
    written = re.sub(r"(k|m|o)\.xmin = (\d+)", r"\1.xmin = '\2'", written)
    return f"\\set n random({least}, {listings})\n{' '.join(written.split())};\n"


class Load:
    """Closed loops over keep-alive connections, each asking for listings by chance."""

    def __init__(self, ports: Sequence[int], listings: int) -> None:
        self._ports, self._listings = ports, listings

    async def run(self, hot: Hot, seconds: float) -> tuple[int, float]:
        """How many were answered, in how many seconds."""
        if wrk.PROGRAM is not None and self._draw(hot).startswith(b"GET "):
            return await wrk.run(self._ports, lambda: self._draw(hot), connections=hot.connections, seconds=seconds)
        started = time.perf_counter()
        ports = (self._ports[number % len(self._ports)] for number in range(hot.connections))
        done = await asyncio.gather(*(self._loop(hot, port, started + seconds) for port in ports))
        return sum(done), time.perf_counter() - started

    def _draw(self, hot: Hot) -> bytes:
        return hot.request(random.randint(1, self._listings - 51))

    async def _loop(self, hot: Hot, port: int, until: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < until:
            writer.write(self._draw(hot))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201", b"HTTP/1.1 409")), head
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
            done += 1
        writer.close()
        await writer.wait_closed()
        return done


@dataclass(frozen=True)
class Bench:
    """Where both are measured. `servers` and `postmaster` are process ids."""

    load: Load
    servers: Sequence[int]
    postmaster: int
    app_url: str

    async def ours(self, hot: Hot, seconds: float) -> None:
        await self.load.run(hot, WARM_UP)
        app, database = self._app(), ticks_of_children(self.postmaster)
        done, lasted = await self.load.run(hot, seconds)
        hot.ours.rate.append(done / lasted)
        hot.ours.app_cpu.append((self._app() - app) / TICKS / done * 1000)
        hot.ours.database_cpu.append((ticks_of_children(self.postmaster) - database) / TICKS / done * 1000)

    def _app(self) -> int:
        return sum(ticks(server) for server in self.servers)

    async def theirs(self, hot: Hot, seconds: float) -> None:
        """pgbench's backends are gone when it ends: what they used is the postmaster's by then."""
        before = ticks_of_children(self.postmaster)
        told = await asyncio.to_thread(pgbench, self.app_url, hot, seconds)
        await asyncio.sleep(0.5)
        rate = float(re.search(r"tps = ([0-9.]+)", told)[1])  # type: ignore[index]
        done = int(re.search(r"transactions actually processed: (\d+)", told)[1])  # type: ignore[index]
        hot.theirs.rate.append(rate)
        hot.theirs.database_cpu.append((ticks_of_children(self.postmaster) - before) / TICKS / done * 1000)


def pgbench(url: str, hot: Hot, seconds: float) -> str:
    place = make_url(url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(hot.script)
        file.flush()
        command = [str(Binaries.of_the_wheel().program("pgbench")), "-n", "-M", "prepared", "-f", file.name]
        command += [
            "-c",
            str(hot.connections),
            "-j",
            "1",
            "-T",
            str(round(seconds)),
            "-U",
            hot.role or str(place.username),
        ]
        command += ["-h", str(place.query["host"]), "-p", str(place.query["port"]), str(place.database)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ticks(process: int, *, with_ended_children: bool = False) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[number]) for number in ((11, 12, 13, 14) if with_ended_children else (11, 12)))


def ticks_of_children(process: int) -> int:
    """Of a postmaster with its backends, those that have ended included."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return ticks(process, with_ended_children=True) + sum(ticks(int(child)) for child in children)


async def known_to_the_lane(market: Market, buyer: Party) -> Known:
    settings = Settings()
    lane = Acquaintances(nullcontext, market.sessions, door(settings), serves_live=False)
    await lane.known(buyer.key)
    lane.forget(buyer.key)
    known = await lane.known(buyer.key)
    assert known is not None
    return known


def main() -> int:
    given = argparse.ArgumentParser()
    given.add_argument("--listings", type=int, default=100_000)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--seconds", type=float, default=4)
    given.add_argument("--processes", type=int, default=1)
    given.add_argument("--only", default="", help="a part of the path's name")
    wanted = given.parse_args()
    with running(api_processes=wanted.processes, worker=False) as place:
        asyncio.run(measure(place, wanted.listings, wanted.rounds, wanted.seconds, wanted.only))
    return 0


async def measure(place: Place, listings: int, rounds: int, seconds: float, only: str) -> None:
    async with visited(place) as market:
        seller = await parties.organization(market.sessions, ["manufacturer"])
        buyers = [await processor(market.sessions, f"Recycler {number}") for number in range(BIDDING)]
        started = time.perf_counter()
        await fill(market, seller, listings)
        print(f"{listings:,} listings, {listings * ITEMS:,} items in {time.perf_counter() - started:.0f} s")
        servers = [process.pid for process in place.processes.values()]
        ports = [int(base.rpartition(":")[2]) for base in place.bases]
        bench = Bench(Load(ports, listings), servers, place.postmaster, place.app_url)
        for hot in paths(buyers, await known_to_the_lane(market, buyers[0]), listings):
            if only not in hot.name:
                continue
            for _ in range(rounds):
                await bench.ours(hot, seconds)
                await bench.theirs(hot, seconds)
            print(hot.told())


if __name__ == "__main__":
    sys.exit(main())
