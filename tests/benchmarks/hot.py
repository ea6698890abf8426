"""A hot path of the market: what the app is asked over a raw connection, and what pgbench sends instead."""

import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.factories.parties import Party

CONNECTIONS = 16
BIDDING = 64
"""The same of those that bid."""


@dataclass
class Rounds:
    """Per second, and ms of CPU per request."""

    rate: list[float] = field(default_factory=list)
    app_cpu: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Hot:
    """A path: how the app is asked for the n-th listing, and what pgbench sends instead; `bar` and `cpu` (ms) are what is owed."""

    name: str
    request: Callable[[int], bytes]
    script: str
    bar: float
    cpu: float
    role: str | None = None
    connections: int = CONNECTIONS
    ours: Rounds = field(default_factory=Rounds)
    theirs: Rounds = field(default_factory=Rounds)

    def told(self) -> str:
        rate, ceiling = statistics.median(self.ours.rate), statistics.median(self.theirs.rate)
        ratio = statistics.median(one / other for one, other in zip(self.ours.rate, self.theirs.rate, strict=True))
        app, database = statistics.median(self.ours.app_cpu), statistics.median(self.ours.database_cpu)
        return (
            f"{self.name:16} {rate:7.0f}/s of {ceiling:7.0f}/s: {ratio:5.1%} (owed {self.bar:.0%});"
            f" app {app:.3f} ms CPU (owed {self.cpu:.2f}), PostgreSQL {database:.3f} ms"
            f" (pgbench's {statistics.median(self.theirs.database_cpu):.3f})"
        )


def listing_id(number: int) -> str:
    return f"lst_{number:026d}"


def get(buyer: Party, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n{_head(buyer)}\r\n".encode()


def post(buyer: Party, path: str, body: bytes) -> bytes:
    key = f"Idempotency-Key: {random.getrandbits(96):024x}\r\n"
    head = f"{_head(buyer)}{key}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _head(buyer: Party) -> str:
    return f"Host: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer {buyer.key}\r\n"
