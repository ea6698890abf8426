"""A hundred thousand rows: how long, in how much memory, sent again, and with the worker killed half-way.

    uv run python -m tests.benchmarks.imports [--rows 100000] [--formats csv,xlsx,jsonl] [--returns FOLDER]

A worker of its own process for each import; its peak memory is what the kernel says of it (`VmHWM`). Exits 1 where a bar is
missed. The yardstick is PostgreSQL's own COPY of the rows that land, in the same run.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url, text

from services.hosting import TOP, migrate_database
from services.kernel import database
from services.kernel.database import Sessions
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.listings.manifests.mapping import Mapping as ManifestMapping
from services.listings.manifests.profiles import PROFILES
from tests.benchmarks.manifest_makers import MAKERS, bad
from tests.factories.listings import received_import
from tests.factories.parties import organization

DATABASE = "backhaul_imports"
RETURNS = TOP.parent / "shared" / "data" / "returns"
MOST_SECONDS = 60.0
MOST_MEMORY = 300
"""MB, of the worker."""
PATIENCE = 240.0


@dataclass
class Bench:
    sessions: Sessions
    url: str
    root_url: str
    environment: Mapping[str, str]
    folder: Path
    missed: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.missed.append(f"{what}: {found!r} instead of {wanted!r}")
            print(f"   MISSED {self.missed[-1]}", flush=True)

    async def row(self, sql: str, **values: Any) -> Any:
        async with self.sessions() as session:
            return (await session.execute(text(sql), values)).one()


@dataclass(frozen=True)
class Outcome:
    """`cpu` are the worker's own seconds, its start left out; `counts` are (rows, added, updated, unchanged, refused); `digest` is
    of all the seller's units and items, without ids."""

    seller: str
    import_id: str
    seconds: float
    cpu: float
    memory: int
    counts: tuple[int, ...]
    digest: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--formats", default="csv,xlsx,jsonl")
    parser.add_argument("--returns", type=Path, default=RETURNS)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    with _place() as (server, folder):
        bench_missed = asyncio.run(_measure(server, folder, given))
    print(f"{len(bench_missed)} bars missed", *bench_missed, sep="\n   ")
    return int(bool(bench_missed))


def _stop(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


@contextmanager
def _place() -> Iterator[tuple[EmbeddedPostgres, Path]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backhaul-imports-")))
        folder.chmod(0o711)
        server = EmbeddedPostgres.start(folder)
        stack.callback(server.discard)
        server.create_database(DATABASE)
        migrate_database(server.url(DATABASE, role="backhaul_owner"))
        yield server, folder


async def _measure(server: EmbeddedPostgres, folder: Path, given: argparse.Namespace) -> list[str]:
    app, root = server.url(DATABASE), server.url(DATABASE, role="postgres")
    engine, witness = database.connect(app, pool_size=4), database.connect(root, pool_size=4)
    bench = Bench(database.sessions_of(engine), app, root, _environment(app, folder), folder)
    bench_root = Bench(database.sessions_of(witness), app, root, bench.environment, folder, bench.missed)
    try:
        for name in given.formats.split(","):
            await _format(bench, bench_root, name, given.rows)
        await _returns(bench, bench_root, given.returns)
    finally:
        await engine.dispose()
        await witness.dispose()
    return bench.missed


def _environment(url: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BACKHAUL_", "DATABASE_"))}
    return kept | {
        "DATABASE_URL": url,
        "BACKHAUL_DATA_DIR": str(folder),
        "BACKHAUL_STRIPE_SECRET_KEY": "sk_test_imports",
        "BACKHAUL_STRIPE_API_BASE": "http://127.0.0.1:9",
    }


async def _format(bench: Bench, root: Bench, name: str, rows: int) -> None:
    """Once calmly, the same file again, and once by a worker that is killed while it lands."""
    content, wrong = MAKERS[name](rows), bad(rows)
    print(f"{name}: {rows:,} rows, {len(content) / 1e6:.1f} MB, {wrong:,} of them bad", flush=True)
    calm = await _import(bench, root, content)
    _report(bench, "first", calm, rows)
    bench.expect(f"{name} counts", calm.counts, (rows, rows - wrong, 0, 0, wrong))
    bench.expect(f"{name} rows sent back", await _sent_back(root, calm, name), wrong)
    again = await _import(bench, root, content, seller=calm.seller)
    _report(bench, "again", again, rows)
    bench.expect(f"{name} counts of the replay", again.counts, (rows, 0, 0, rows - wrong, wrong))
    bench.expect(f"{name} goods after the replay", again.digest, calm.digest)
    killed = await _import(bench, root, content, kill=True)
    _report(bench, "killed half-way and run again", killed, rows, is_timed=False)
    bench.expect(f"{name} counts after a kill", killed.counts, calm.counts)
    bench.expect(f"{name} goods after a kill", killed.digest, calm.digest)
    if name == "csv":
        copied = await _copy(root, calm)
        print(
            f"   yardstick: COPY of the {calm.counts[1]:,} units {copied:.2f} s; the import took {calm.seconds / copied:.1f}x"
        )


def _report(bench: Bench, what: str, outcome: Outcome, rows: int, *, is_timed: bool = True) -> None:
    speed = rows / outcome.seconds
    print(
        f"   {what}: {outcome.seconds:.1f} s ({speed:,.0f} rows/s), worker's CPU {outcome.cpu:.1f} s, peak {outcome.memory} MB",
        flush=True,
    )
    if is_timed:
        bench.expect(f"{what} within {MOST_SECONDS:g} s", outcome.seconds <= MOST_SECONDS, True)
    bench.expect(f"{what} within {MOST_MEMORY} MB", outcome.memory <= MOST_MEMORY, True)


async def _import(
    bench: Bench,
    root: Bench,
    content: bytes,
    *,
    seller: str | None = None,
    mapping: ManifestMapping = PROFILES["backhaul-1"],
    kill: bool = False,
) -> Outcome:
    """By a worker that starts with it; seconds run from when the worker is ready. A killed one is followed by another."""
    party = _PARTIES[seller] if seller else await organization(bench.sessions)
    _PARTIES[party.org.id] = party
    row = await received_import(bench.sessions, party, content, mapping=mapping)
    if kill:
        with _worker(bench) as first:
            await _until(root, "status = 'landing' AND rows_landed > 0", row.id, first)
            os.kill(first.pid, signal.SIGKILL)
            first.wait(10)
        found = await root.row("SELECT status, imported FROM import WHERE id = :id", id=row.id)
        bench.expect("an import whose worker was killed", tuple(found), ("landing", 0))
    with _worker(bench) as worker:
        started, before = time.perf_counter(), _cpu(worker.pid)
        await _until(root, "status IN ('completed', 'failed')", row.id, worker)
        seconds, cpu = time.perf_counter() - started, _cpu(worker.pid) - before
        memory = _peak(worker.pid)
    counts = await root.row("SELECT rows, added, updated, unchanged, refused FROM import WHERE id = :id", id=row.id)
    return Outcome(party.org.id, row.id, seconds, cpu, memory, tuple(counts), await _digest(root, party.org.id))


_PARTIES: dict[str, Any] = {}


@contextmanager
def _worker(bench: Bench) -> Iterator[subprocess.Popen[bytes]]:
    log = bench.folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "work"],
            env=dict(bench.environment),
            cwd=TOP,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while "worker is ready" not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the worker did not start:\n{log.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait(10)


async def _until(root: Bench, condition: str, import_id: str, worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (await root.row(f"SELECT {condition} FROM import WHERE id = :id", id=import_id))[0]:
        if worker.poll() is not None or time.monotonic() > deadline:
            log = (root.folder / "worker.log").read_text(errors="replace")
            raise SystemExit(f"not within {PATIENCE:g} s: {condition}\n{log[-3_000:]}")
        await asyncio.sleep(0.05)


def _cpu(pid: int) -> float:
    """Seconds of the processor, the kernel's on its behalf included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> int:
    """MB that were resident at once, at most, since the process began."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


_DIGEST = """
    SELECT md5(coalesce(string_agg(said, '|' ORDER BY said COLLATE "C"), '')) FROM (
        SELECT concat_ws('/', unit.external_id, item.key, unit.quantity, unit.serial, unit.mass_g, unit.fault, unit.details) AS said
        FROM unit JOIN item ON item.id = unit.item_id WHERE unit.seller_id = :seller
        UNION ALL
        SELECT concat_ws('/', item.key, item.position, item.title, item.quantity, item.mass_g, item.composition, item.gtin)
        FROM item JOIN listing ON listing.id = item.listing_id WHERE listing.seller_id = :seller
        UNION ALL
        SELECT concat_ws('/', item_count, total_mass_g, materials) FROM listing WHERE seller_id = :seller AND item_count > 0
    ) told
"""


async def _digest(root: Bench, seller: str) -> str:
    return str((await root.row(_DIGEST, seller=seller))[0])


async def _sent_back(root: Bench, outcome: Outcome, name: str) -> int:
    """Rows in the file that went back, read as what it says it is."""
    from services.listings.manifests.files import opened

    found = await root.row("SELECT refused_csv, file_format FROM import WHERE id = :id", id=outcome.import_id)
    file = opened(found[0])
    assert (file.format, found[1], file.header[0]) == (name, name, "reason")
    return sum(1 for _ in file.rows())


async def _copy(root: Bench, outcome: Outcome) -> float:
    plain = make_url(root.root_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        units = await connection.fetch(
            "SELECT external_id, item_id, quantity, serial, mass_g, fault, details::text FROM unit WHERE seller_id = $1",
            outcome.seller,
        )
        await connection.execute(
            "CREATE TABLE yardstick (external_id text PRIMARY KEY, item_id text, quantity int, serial text, mass_g bigint,"
            " fault text, details text)"
        )
        started = time.perf_counter()
        await connection.copy_records_to_table("yardstick", records=[tuple(unit) for unit in units])
        return time.perf_counter() - started
    finally:
        await connection.close()


async def _returns(bench: Bench, root: Bench, folder: Path) -> None:
    """Files that nobody here wrote: every row lands or goes back."""
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    if not files:
        print(f"{folder} is not here: no foreign file was read")
    for file in files:
        read = await _import(bench, root, file.read_bytes(), mapping=PROFILES["ords-0.3"])
        rows, added, updated, unchanged, refused = read.counts
        print(
            f"{file.name}: {rows:,} rows, {added:,} added, {refused:,} refused, {read.seconds:.1f} s, {read.memory} MB"
        )
        bench.expect(f"rows of {file.name}", added + updated + unchanged + refused, rows)
        bench.expect(f"{file.name} has rows", rows > 0, True)


if __name__ == "__main__":
    sys.exit(main())
