"""What a unit of work changed, seen as SQLAlchemy flushes it, and written as one entry when the unit commits.

An entry tells its organization no more than the organization may know: a row is in it when one of the row's `OrgId` columns names
the organization, or, for a table without such columns, when a row it refers to does. Operators of the house see every row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import event, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

from services.kernel.actors import Actor
from services.kernel.audit.model import AuditEntry
from services.kernel.audit.shapes import shape_of
from services.kernel.audit.values import plain
from services.kernel.ids import AuditEntryId, MemberId, OrgId

_INSERT = insert(AuditEntry.__table__)  # type: ignore[attr-defined]
_FARTHEST_PARENT = 4
_TRAIL = "audit_trail"


@dataclass
class Touched:
    """`kind` is added, changed or removed; `old` holds the values before the unit began, of the columns that were set."""

    row: Any
    kind: str
    old: dict[str, Any] = field(default_factory=dict)


class Trail:
    """The changes of one unit of work."""

    def __init__(self) -> None:
        self._touched: dict[int, Touched] = {}
        self._noted: list[dict[str, Any]] = []
        self._parents: dict[tuple[type[Any], Any], bool] = {}
        self._org_id: OrgId | None = None
        self._member_id: MemberId | None = None

    def follow(self, session: AsyncSession) -> None:
        session.info[_TRAIL] = self

    def is_of(self, org_id: OrgId, member_id: MemberId | None = None) -> None:
        """Names whom an anonymous caller turned out to be: who registers, accepts an invitation or signs in."""
        self._org_id, self._member_id = org_id, member_id

    @property
    def is_empty(self) -> bool:
        return not (self._touched or self._noted)

    @property
    def is_of_a_stranger(self) -> bool:
        """Nobody has authenticated, and yet it is known whose the act is."""
        return self._org_id is not None

    def note(self, table: str, id: str, fields: dict[str, tuple[Any, Any]]) -> None:
        """A change by a statement written by hand: `fields` maps columns to (old, new)."""
        told = {name: [plain(old), plain(new)] for name, (old, new) in fields.items()}
        self._noted.append({"table": table, "id": id, "kind": "changed", "fields": told, "withheld": []})

    async def write(
        self, session: AsyncSession, actor: Actor, *, operation: str | None, request_id: str | None, at: datetime
    ) -> None:
        """One INSERT, if the actor has an organization and anything changed. After the last flush."""
        org_id = actor.org_id or self._org_id
        changed = [touched for touched in self._touched.values() if _has_changed(touched)]
        if org_id is None or not (changed or self._noted):
            return
        sees_all = actor.is_operator
        shown = [touched for touched in changed if sees_all or await self._concerns(session, touched.row, org_id)]
        entry = entry_of(actor, shown, operation=operation, request_id=request_id, at=at) | {"org_id": org_id}
        entry["member_id"] = actor.member_id or self._member_id
        entry["changes"] += self._noted
        entry["subject_ids"] = sorted({*entry["subject_ids"], *(change["id"] for change in self._noted)})
        await session.execute(_INSERT, entry)

    def observe(self, session: Session) -> None:
        """Before a flush, while the session still knows the old values."""
        for row in session.new:
            self._touch(row, "added")
        for row in session.dirty:
            touched = self._touch(row, "changed")
            touched.old = _old_values(row) | touched.old
        for row in session.deleted:
            self._remove(row)

    def _touch(self, row: Any, kind: str) -> Touched:
        return self._touched.setdefault(id(row), Touched(row, kind))

    def _remove(self, row: Any) -> None:
        touched = self._touch(row, "removed")
        if touched.kind == "added":
            touched.kind = "nothing"
        else:
            touched.kind = "removed"
            touched.old = _values(row) | _old_values(row) | touched.old

    async def _concerns(self, session: AsyncSession, row: Any, org_id: OrgId, depth: int = 0) -> bool:
        shape = shape_of(row)
        before = self._touched[id(row)].old if id(row) in self._touched else {}
        if any(org_id in (row.__dict__.get(name), before.get(name)) for name in shape.org_columns):
            return True
        if shape.org_columns or depth == _FARTHEST_PARENT:
            return False
        for name, kind in shape.parents:
            if await self._concerns_by(session, kind, row.__dict__.get(name), org_id, depth + 1):
                return True
        return False

    async def _concerns_by(self, session: AsyncSession, kind: type[Any], key: Any, org_id: OrgId, depth: int) -> bool:
        """Asked once for each parent, however many children it has."""
        if key is not None and (kind, key) not in self._parents:
            parent = await session.get(kind, key)
            self._parents[kind, key] = parent is not None and await self._concerns(session, parent, org_id, depth)
        return self._parents.get((kind, key), False)


def entry_of(
    actor: Actor, shown: Sequence[Touched], *, operation: str | None, request_id: str | None, at: datetime
) -> dict[str, Any]:
    """The entry's row, as values by column, of what the actor may be told."""
    subjects = {part for touched in shown for part in _key(touched.row) if isinstance(part, str)}
    return {
        "id": AuditEntryId.new(),
        "livemode": actor.livemode,
        "created_at": at,
        "org_id": actor.org_id,
        "acting_org_id": actor.acting_org_id,
        "delegation_id": actor.delegation_id,
        "actor_kind": actor.kind,
        "member_id": actor.member_id,
        "key_id": actor.key_id,
        "session_id": actor.session_id,
        "operation": operation,
        "request_id": request_id,
        "changes": [_told(touched) for touched in shown],
        "subject_ids": sorted(subjects),
    }


@event.listens_for(Session, "before_flush")
def _observe(session: Session, context: object, instances: object) -> None:
    trail: Trail | None = session.info.get(_TRAIL)
    if trail is not None:
        trail.observe(session)


def _has_changed(touched: Touched) -> bool:
    if not shape_of(touched.row).is_audited or touched.kind == "nothing":
        return False
    now = touched.row.__dict__
    return touched.kind != "changed" or any(now.get(name) != old for name, old in touched.old.items())


def _told(touched: Touched) -> dict[str, Any]:
    row, shape = touched.row, shape_of(touched.row)
    pairs = dict(_pairs(touched))
    shown = {name: [plain(old), plain(new)] for name, (old, new) in pairs.items() if name not in shape.hidden}
    return {
        "table": shape.table,
        "id": ":".join(map(str, _key(row))),
        "kind": touched.kind,
        "fields": shown,
        "withheld": sorted(shape.hidden & pairs.keys()),
    }


def _pairs(touched: Touched) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """(column, (old, new)) wherever the two differ."""
    now = {} if touched.kind == "removed" else _values(touched.row)
    old = {} if touched.kind == "added" else touched.old
    names = now.keys() if touched.kind == "added" else old.keys()
    for name in names:
        if old.get(name) != now.get(name) and name != "livemode":
            yield name, (old.get(name), now.get(name))


def _values(row: Any) -> dict[str, Any]:
    """The columns' values as they are loaded: what the database computes itself is not asked for."""
    found = {name: row.__dict__.get(name) for name in shape_of(row).columns}
    return {name: None if isinstance(value, ClauseElement) else value for name, value in found.items()}


def _old_values(row: Any) -> dict[str, Any]:
    state = inspect(row)
    histories = {name: state.attrs[name].history for name in shape_of(row).columns if name not in state.unmodified}
    changed = {name: history for name, history in histories.items() if history.has_changes()}
    return {name: history.deleted[0] if history.deleted else None for name, history in changed.items()}


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(row.__dict__.get(name) for name in shape_of(row).key)
