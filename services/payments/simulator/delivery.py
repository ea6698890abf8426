"""Events on their way to the receiver: signed, at least once, tried again with growing pauses while it is down."""

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from services.payments.simulator import events
from services.payments.simulator.store import Store

ATTEMPTS = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_BATCH = 50
_IDLE_SECONDS = 0.5


@dataclass(frozen=True)
class Endpoints:
    """Where events go; without an address they wait in the list, undelivered."""

    snapshots: str | None
    thin: str | None
    secret: str
    thin_secret: str


class Delivery:
    """One at a time, oldest first. `tick` runs before each look: what the clock has made due."""

    def __init__(
        self, store: Store, endpoints: Endpoints, client: httpx.AsyncClient | None, tick: Callable[[], None]
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._client = client
        self._tick = tick
        self._one_at_a_time = asyncio.Lock()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with self._client or httpx.AsyncClient(timeout=10, trust_env=False) as client:
            while True:
                self._wake.clear()
                await self._deliver(client)
                try:
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
                except TimeoutError:
                    continue

    async def deliver_now(self) -> int:
        """Everything that is due; how many reached their receiver."""
        if self._client is not None:
            return await self._deliver(self._client)
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            return await self._deliver(client)

    async def _deliver(self, client: httpx.AsyncClient) -> int:
        reached = 0
        async with self._one_at_a_time:
            self._tick()
            while batch := self._due():
                for row in batch:
                    reached += await self._attempt(client, row["id"])
        return reached

    def _due(self) -> list[dict[str, str]]:
        addressed = [is_thin for is_thin, url in ((0, self._endpoints.snapshots), (1, self._endpoints.thin)) if url]
        if not addressed:
            return []
        rows = self._store.rows(
            "SELECT id FROM event WHERE state = 'pending' AND not_before <= ?"
            f" AND is_thin IN ({', '.join(map(str, addressed))}) ORDER BY seq LIMIT ?",
            *(self._store.wall_now, _BATCH),
        )
        batch = [dict(row) for row in rows]
        if batch and self._store.setting("event_knobs", {}).get("shuffled"):
            with self._store.transaction():
                random.Random(self._store.chance()).shuffle(batch)
        return batch

    async def _attempt(self, client: httpx.AsyncClient, event_id: str) -> int:
        row = self._store.rows("SELECT * FROM event WHERE id = ?", event_id)[0]
        is_thin = bool(row["is_thin"])
        body = json.loads(row["body"])
        shown = events.thin_payload(body) if is_thin else {**body, "pending_webhooks": 1}
        url = self._endpoints.thin if is_thin else self._endpoints.snapshots
        secret = self._endpoints.thin_secret if is_thin else self._endpoints.secret
        is_received = await self._post(client, str(url), json.dumps(shown).encode(), secret)
        with self._store.transaction():
            self._note(event_id, is_received=is_received, attempts=row["attempts"] + 1, copies=row["copies"])
        return int(is_received)

    async def _post(self, client: httpx.AsyncClient, url: str, body: bytes, secret: str) -> bool:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": signature(body, secret, int(self._store.wall_now)),
            "user-agent": "Stripe/1.0 (simulated)",
        }
        try:
            response = await client.post(url, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        return response.is_success

    def _note(self, event_id: str, *, is_received: bool, attempts: int, copies: int) -> None:
        if is_received:
            state = "delivered" if copies <= 1 else "pending"
            self._store.run("UPDATE event SET state = ?, copies = ? WHERE id = ?", state, copies - 1, event_id)
            return
        pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
        state = "pending" if attempts < ATTEMPTS else "failed"
        self._store.run(
            "UPDATE event SET state = ?, attempts = ?, not_before = ? WHERE id = ?",
            *(state, attempts, self._store.wall_now + pause, event_id),
        )


def signature(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `{t}.{body}`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
