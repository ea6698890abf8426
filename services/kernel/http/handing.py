"""The lane of what is written: requests of one operation that arrive while a commit is under way go into the next one together,
each answered after it.

An operation says so where it is declared (`@by_hand(make)`); path, permission, document and SDKs are those of its route. What the
desk does not take (None), the route answers as if nobody had looked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from starlette.types import Message, Receive

from services.kernel.actors import Actor
from services.kernel.errors import Problem
from services.kernel.http.routing import Known, Runtime
from services.kernel.idempotency import Claim

E = TypeVar("E", bound=Callable[..., Any])
DESK = "__desk__"
LONGEST = 16_384
"""Bytes of a body; longer ones are the route's."""


@dataclass(frozen=True)
class Handed:
    """A request. `arrived` by `clock.ticks`; `claim` for its Idempotency-Key, not yet taken; `unknown` is called when the
    credential no longer stands as it was known."""

    known: Known
    body: bytes
    claim: Claim | None
    operation: str
    cause: str | None
    arrived: float
    unknown: Callable[[], None]

    @property
    def actor(self) -> Actor:
        return self.known.actor


@dataclass(frozen=True)
class Told:
    """`body` is JSON; `version` becomes the ETag."""

    body: bytes
    version: int | None = None
    status: int = 200

    @property
    def headers(self) -> dict[str, str]:
        tagged = {} if self.version is None else {"etag": f'"{self.version}"'}
        return {"content-type": "application/json"} | tagged


class Desk(Protocol):
    async def take(self, handed: Handed) -> Told | Problem | None:
        """The answer once its effect is committed, a refusal that has had none, or None for what is the route's."""


def by_hand(make: Callable[[Runtime], Desk]) -> Callable[[E], E]:
    """Declares that the operation of this endpoint has a desk; it is made once per app."""

    def marked(endpoint: E) -> E:
        setattr(endpoint, DESK, make)
        return endpoint

    return marked


async def read_body(receive: Receive) -> tuple[bytes | None, Receive]:
    """The body, or None where it is too long or breaks off; and what the route receives instead: the same from its beginning."""
    seen: list[Message] = []
    length, is_whole = 0, False
    while not is_whole and length <= LONGEST:
        message = await receive()
        seen.append(message)
        if message["type"] != "http.request":
            break
        length += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
    again = iter(seen)

    async def replayed() -> Message:
        message = next(again, None)
        return await receive() if message is None else message

    body = b"".join(message.get("body", b"") for message in seen) if is_whole and length <= LONGEST else None
    return body, replayed
