"""A server that dies between effect and answer: reads a request a line from stdin, answers it in a child of its own that is
killed with SIGKILL in the moment its answer would leave, and writes `{"status": …, "signal": 9}`."""

import asyncio
import base64
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from starlette.types import Message

from services.app import build_app
from services.kernel import database
from services.kernel.http.routing import Runtime
from services.kernel.settings import Settings
from services.parties.authenticating import door

Line = dict[str, Any]


def main() -> None:
    settings = Settings(
        data_dir=Path(sys.argv[1]), public_url="http://testserver", allow_loopback_webhooks=True, is_live=True
    )
    engine = database.connect("postgresql+asyncpg://nobody@localhost/none")
    sessions = database.sessions_of(engine, settings=settings)
    app = build_app(Runtime(settings=settings, sessions=sessions, authenticate=door(settings)))
    app.openapi()
    print("ready", flush=True)
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            asyncio.run(_answer(app, settings, json.loads(line), writing))
            os._exit(0)
        os.close(writing)
        _, ended = os.waitpid(child, 0)
        with os.fdopen(reading) as told:
            status = told.read()
        print(json.dumps({"status": int(status or 0), "signal": os.WTERMSIG(ended)}), flush=True)


class Links:
    """The provider's part in the one request that asks it."""

    async def account_link(self, account_id: str, refresh_url: str, return_url: str) -> str:
        return f"https://connect.example/{account_id}"


async def _answer(app: Any, settings: Settings, line: Line, told: int) -> None:
    engine = database.connect(line["url"])
    app.state.runtime = Runtime(
        settings=settings,
        sessions=database.sessions_of(engine, settings=settings),
        authenticate=door(settings),
        engine=engine,
        resources={"gateway": Links()},
    )
    body = base64.b64decode(line["body"])

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        os.write(told, str(message["status"]).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    await app(_scope(line), receive, send)


def _scope(line: Line) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": line["method"],
        "scheme": "http",
        "path": line["path"],
        "raw_path": line["path"].encode(),
        "query_string": line["query"].encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in line["headers"]],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }


if __name__ == "__main__":
    main()
