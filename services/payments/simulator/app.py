"""The simulator as an ASGI app, and as a server on loopback."""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.payments.simulator.answering import Asked, Counter, catch_up
from services.payments.simulator.calls import Behaviour, Call
from services.payments.simulator.delivery import Delivery, Endpoints
from services.payments.simulator.steering import Steering
from services.payments.simulator.store import Store

_METHODS = ["GET", "POST", "DELETE"]


class NotLoopback(ValueError):
    """A toy that answers for a bank is reached from this machine only."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the Stripe simulator listens on loopback only, not on {host}")


def build_simulator(
    state: Path | None = None,
    *,
    webhook_url_snapshots: str | None = None,
    webhook_url_thin: str | None = None,
    webhook_secret: str = "whsec_simulated",
    webhook_secret_thin: str | None = None,
    behaviour: Behaviour | None = None,
    clock: Callable[[], float] = time.time,
    clock_offset: float = 0,
    seed: str | None = None,
    webhook_client: httpx.AsyncClient | None = None,
) -> Starlette:
    """`state` is a SQLite file that one process uses at a time; None keeps everything in memory.

    Events are delivered by a task of the app's lifespan; without a lifespan `POST /_simulator/deliver` does it. `seed`
    and `clock_offset` count for a new state only. `webhook_client` replaces the connection to the receiver.
    """
    store = Store(state, clock=clock, seed=seed, clock_offset=clock_offset)
    behaves = behaviour or Behaviour()
    endpoints = Endpoints(
        webhook_url_snapshots, webhook_url_thin, webhook_secret, webhook_secret_thin or webhook_secret
    )

    def tick() -> None:
        with store.transaction():
            catch_up(Call(store, behaves))

    delivery = Delivery(store, endpoints, webhook_client, tick)
    counter = Counter(store, behaves, told=delivery.wake)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        delivering = asyncio.create_task(delivery.run())
        try:
            yield
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering
            store.close()

    async def stripe(request: Request) -> Response:
        answer, is_dropped = await counter.answer(await _asked(request))
        headers = {"request-id": f"req_{answer.status}", **answer.headers}
        kind = _Dropped if is_dropped else Response
        return kind(answer.content, answer.status, headers, "application/json")

    routes = [*Steering(counter, delivery).routes(), Route("/{path:path}", stripe, methods=_METHODS)]
    return Starlette(routes=routes, lifespan=lifespan)


def run(
    *,
    port: int,
    state: Path | None,
    deliver_to: str | None,
    secret: str,
    host: str = "127.0.0.1",
    thin_secret: str | None = None,
) -> None:
    """Serves until stopped. `deliver_to` is the address of the platform's API; NotLoopback for any other `host`."""
    require_loopback(host)
    platform = deliver_to.rstrip("/") if deliver_to else None
    app = build_simulator(
        state,
        webhook_url_snapshots=f"{platform}/stripe/platform" if platform else None,
        webhook_url_thin=f"{platform}/stripe/accounts" if platform else None,
        webhook_secret=secret,
        webhook_secret_thin=thin_secret,
    )
    uvicorn.run(app, host=host, port=port, log_level="warning")


def require_loopback(host: str) -> None:
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise NotLoopback(host)


async def _asked(request: Request) -> Asked:
    return Asked(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        body=await request.body(),
        headers={name.lower(): value for name, value in request.headers.items()},
        base_url=str(request.base_url).rstrip("/"),
    )


class _Dropped(Response):
    """Begins to answer and hangs up: the client cannot know whether the effect happened."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[:1], "more_body": True})
