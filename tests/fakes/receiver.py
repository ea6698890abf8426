"""A partner's webhook receiver on loopback: it verifies with another library, records, and answers what it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


@dataclass
class Receiver:
    """`answers` are the status codes of the next posts; afterwards 204. `secret` is set once the endpoint is registered."""

    url: str = ""
    secret: str | None = None
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    verified: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        status = self.answers.pop(0) if self.answers else 204
        if self.secret is not None and status < 300:
            self.verified.append(Webhook(self.secret).verify(body, self.headers[-1]))
        return web.Response(status=status)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers in self.headers]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    yield receiver
    await runner.cleanup()
