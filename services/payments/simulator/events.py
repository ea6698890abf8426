"""Events as they are told: snapshots of v1 objects, thin notices about v2 ones. Written in the effect's transaction."""

import json
from typing import Any

from services.payments.simulator.store import Store
from services.payments.simulator.wire import Json, Refusal, rfc3339, unknown_object

KEPT_SECONDS = 30 * 86_400
_SHORTEST_PAGE, _LONGEST_PAGE = 1, 100


def tell(store: Store, type: str, about: Json) -> None:
    """A snapshot of `about` as it is now, in the API version of the latest request."""
    event_id = store.new_id("evt")
    body = {
        "id": event_id,
        "object": "event",
        "account": None,
        "api_version": store.setting("api_version"),
        "context": None,
        "created": store.now,
        "data": {"object": about, "previous_attributes": None},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": store.setting("current_key")},
        "type": type,
    }
    _record(store, body, about.get("id"), is_thin=False)


def notice(store: Store, type: str, account_id: str, data: Json | None = None) -> None:
    """A thin event: which account, never what it looks like."""
    event_id = store.new_id("evt_test")
    body = {
        "id": event_id,
        "object": "v2.core.event",
        "type": type,
        "created": rfc3339(store.exact_now),
        "livemode": False,
        "context": None,
        "reason": None,
        "changes": None,
        "related_object": {"id": account_id, "type": "v2.core.account", "url": f"/v2/core/accounts/{account_id}"},
        "data": data or {},
    }
    _record(store, body, account_id, is_thin=True)


def thin_payload(body: Json) -> Json:
    """What travels to the endpoint; the rest is read back by id."""
    return {key: value for key, value in body.items() if key not in ("data", "changes")}


def retrieved(store: Store, event_id: str, *, is_thin: bool) -> Json:
    rows = store.rows("SELECT * FROM event WHERE id = ? AND is_thin = ?", event_id, is_thin)
    if not rows:
        raise unknown_object("event", event_id)
    return _shown(rows[0])


def page(
    store: Store,
    *,
    is_thin: bool,
    types: list[str] | None,
    limit: int,
    after: str | None = None,
    is_delivered: bool | None = None,
    since: float | None = None,
    until: float | None = None,
    object_id: str | None = None,
) -> tuple[list[Json], bool]:
    """Newest first, of the last 30 days; and whether there are more. `since` and `until` are inclusive."""
    clauses = ["is_thin = ?", "created > ?"]
    values: list[Any] = [is_thin, store.exact_now - KEPT_SECONDS]
    if after is not None:
        clauses.append("seq < (SELECT seq FROM event WHERE id = ?)")
        values.append(after)
    if types:
        clauses.append("(" + " OR ".join("type GLOB ?" for _ in types) + ")")
        values.extend(each.replace("[", "[[]") for each in types)
    if is_delivered is not None:
        clauses.append("state = 'delivered'" if is_delivered else "state <> 'delivered'")
    for clause, value in (("created >= ?", since), ("created <= ?", until), ("object_id = ?", object_id)):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    if not _SHORTEST_PAGE <= limit <= _LONGEST_PAGE:
        raise Refusal("Limit must be between 1 and 100.", param="limit", code="parameter_invalid_integer")
    sql = f"SELECT * FROM event WHERE {' AND '.join(clauses)} ORDER BY seq DESC LIMIT ?"
    rows = store.rows(sql, *values, limit + 1)
    return [_shown(row) for row in rows[:limit]], len(rows) > limit


def _record(store: Store, body: Json, object_id: str | None, *, is_thin: bool) -> None:
    knobs = store.setting("event_knobs", {})
    state = "lost" if store.chance() < knobs.get("lost", 0) else "pending"
    copies = 2 if store.chance() < knobs.get("duplicated", 0) else 1
    not_before = store.wall_now + knobs.get("delayed_seconds", 0)
    store.run(
        "INSERT INTO event (id, is_thin, type, object_id, created, body, state, copies, not_before)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(body["id"], is_thin, body["type"], object_id, store.exact_now, json.dumps(body), state, copies, not_before),
    )


def _shown(row: Any) -> Json:
    body: Json = json.loads(row["body"])
    if not row["is_thin"]:
        body["pending_webhooks"] = 0 if row["state"] == "delivered" else 1
    return body
