"""Two partners' webhook receivers: what a partner would write, in twenty lines, with the client's verifier."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from backhaul_client import WebhookVerificationFailed, verify_webhook


class Receiver:
    """Counts what arrives and what verifies, by event id; a repeat under the same id is told apart."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.secret = ""
        self.received: list[str] = []
        self.verified: dict[str, str] = {}
        self.refused = 0

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        self.received.append(headers.get("webhook-id", ""))
        try:
            event = verify_webhook(body, headers, self.secret)
        except WebhookVerificationFailed:
            self.refused += 1
            return 400
        self.verified[event.id] = event.type
        return 204


@contextmanager
def receiving(name: str) -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(receiver.take(body, {key.lower(): value for key, value in self.headers.items()}))
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Silence: the story is told elsewhere."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(name, f"http://127.0.0.1:{server.server_address[1]}/backhaul")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
