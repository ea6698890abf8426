"""No table without a wall, and no way around it."""

import re
from pathlib import Path

from sqlalchemy import text

from services.kernel.database import Sessions

SERVICES = Path(__file__).resolve().parents[3] / "services"
WITHOUT_A_WALL = {
    "alembic_version": "which migrations have run",
    "idempotency_record": "hashes, and answers sealed under their sender's own key",
    "pgqueuer": "the queue of its library; the worker alone reads it",
    "pgqueuer_log": "the queue of its library",
    "pgqueuer_schedules": "the queue of its library",
    "pgqueuer_statistics": "the queue of its library",
    "test_clock": "the sandbox's time is everybody's",
    "timer": "which rule acts when; no operation answers from it",
}
OUTSIDE_A_UNIT_OF_WORK = {
    "kernel/unit_of_work.py": "opens them, and names who asks",
    "kernel/second_wall.py": "opens them as the house",
    "kernel/http/health.py": "asks which migrations have run",
}
_TABLES = text(
    "SELECT relname AS name, relrowsecurity AND relforcerowsecurity AND EXISTS"
    " (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) AS has_wall"
    " FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
)
_BYPASSES = text(
    "SELECT rolname FROM pg_roles WHERE rolname IN ('backhaul_app', 'backhaul_owner') AND (rolsuper OR rolbypassrls)"
)


async def test_every_table_has_a_wall_or_a_reason(sessions: Sessions) -> None:
    async with sessions() as session:
        tables = {row.name: row.has_wall for row in (await session.execute(_TABLES)).all()}
    assert {name for name, has_wall in tables.items() if not has_wall} == set(WITHOUT_A_WALL) & set(tables)


async def test_nobody_who_connects_walks_through_walls(sessions: Sessions) -> None:
    async with sessions() as session:
        assert (await session.execute(_BYPASSES)).all() == []


def test_every_session_names_who_asks() -> None:
    opened = {
        str(file.relative_to(SERVICES))
        for file in SERVICES.rglob("*.py")
        if "simulator" not in file.parts and re.search(r"sessions\(\)", file.read_text())
    }
    assert opened <= set(OUTSIDE_A_UNIT_OF_WORK)
