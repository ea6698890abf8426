"""The simulator's state: one SQLite file. Effect, saved answer and events commit together."""

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.payments.simulator.wire import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    saved_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, is_thin INTEGER NOT NULL, type TEXT NOT NULL,
    object_id TEXT, created REAL NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, copies INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS due (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, step TEXT NOT NULL, object_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, operation TEXT NOT NULL, kind TEXT NOT NULL, times INTEGER NOT NULL,
    probability REAL NOT NULL, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS not_imitated (operation TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS event_state ON event (state, not_before);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
"""
_API_VERSION = "2026-10-28.endive"
_INDEXED = (
    "charge",
    "customer_account",
    "destination",
    "payment_intent",
    "source",
    "source_transaction",
    "transfer",
    "transfer_group",
)


class Store:
    """Synchronous on purpose: a request is one short transaction, and nothing awaits inside it."""

    def __init__(self, path: Path | None, *, clock: Callable[[], float], seed: str | None, clock_offset: float) -> None:
        self._clock = clock
        self._db = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        for field in _INDEXED:
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS object_{field} ON object (kind, json_extract(body, '$.{field}'))"
            )
        with self.transaction():
            self._first("seed", seed or secrets.token_hex(8))
            self._first("clock_offset", clock_offset)
            self._first("api_version", _API_VERSION)
        self._seed = self.setting("seed")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @property
    def now(self) -> int:
        return int(self.exact_now)

    @property
    def exact_now(self) -> float:
        """The simulator's own clock: the given one plus an offset that only grows."""
        return self._clock() + float(self.setting("clock_offset", 0))

    @property
    def wall_now(self) -> float:
        """Signatures and retries live in the receiver's time, whatever the simulator's clock says."""
        return self._clock()

    def setting(self, name: str, default: Any = None) -> Any:
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row["value"])

    def set(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    def add(self, name: str, amount: int) -> int:
        """A running sum under this name; answers the new one."""
        total = int(self.setting(name, 0)) + amount
        self.set(name, total)
        return total

    def settings_below(self, prefix: str) -> dict[str, Any]:
        rows = self._db.execute("SELECT * FROM setting WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
        return {row["name"][len(prefix) :]: json.loads(row["value"]) for row in rows}

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{self._draw()[:24]}"

    def chance(self) -> float:
        """Between 0 and 1, repeatable by seed and order, and not repeated after a restart."""
        return int(self._draw()[:13], 16) / 16**13

    def get(self, object_id: str, kind: str) -> Json | None:
        row = self._db.execute("SELECT body FROM object WHERE id = ? AND kind = ?", (object_id, kind)).fetchone()
        return None if row is None else json.loads(row["body"])

    def anything(self, object_id: str) -> Json | None:
        row = self._db.execute("SELECT body FROM object WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else json.loads(row["body"])

    def put(self, body: Json) -> Json:
        self._db.execute(
            "INSERT INTO object (id, kind, created, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (body["id"], body["object"], self.now, json.dumps(body)),
        )
        return body

    def find(
        self,
        kind: str,
        equal: Mapping[str, Any] | None = None,
        *,
        where: str = "1",
        bound: tuple[Any, ...] = (),
        limit: int = -1,
    ) -> list[Json]:
        """Newest first; `equal` compares top-level fields, `where` is SQL over seq, created and body."""
        clauses, values = [where], list(bound)
        for field, value in (equal or {}).items():
            if not re.fullmatch(r"[a-z_]+", field):
                raise ValueError(f"{field} is no field name")
            clauses.append(f"json_extract(body, '$.{field}') = ?")
            values.append(value)
        sql = f"SELECT body FROM object WHERE kind = ? AND {' AND '.join(clauses)} ORDER BY seq DESC LIMIT ?"
        return [json.loads(row["body"]) for row in self._db.execute(sql, (kind, *values, limit))]

    def position(self, object_id: str) -> int | None:
        row = self._db.execute("SELECT seq FROM object WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else int(row["seq"])

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """How many rows it touched."""
        return self._db.execute(sql, values).rowcount

    def _first(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    def _draw(self) -> str:
        return hashlib.sha256(f"{self._seed}:{self.add('drawn', 1)}".encode()).hexdigest()
