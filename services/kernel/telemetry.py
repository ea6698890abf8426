"""Structured logs: one line of JSON per happening, each with the request id where there is one. Traces stand in `tracing`.

The line of a request is written by hand: the general logger took longer over it than all other manners together.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

from services.kernel import clock

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request being answered in this task."""

_request_lines: TextIO | None = None
"""Where the lines of requests go; None until logs are configured, or when they are of no interest."""


def configure_logs(level: str) -> None:
    global _request_lines
    numeric = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=numeric, format="%(message)s", force=True)
    for noisy in ("pgqueuer", "httpx", "httpcore", "stripe", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy == "pgqueuer" else logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    _request_lines = sys.stderr if numeric <= logging.INFO else None


def _add_request_id(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def log_request(request_id: str, method: str, path: str, operation: str, status: int, milliseconds: float) -> None:
    """One line per answer. Request id and operation hold nothing that JSON would escape."""
    if _request_lines is not None:
        _request_lines.write(
            f'{{"event": "request", "method": {_quoted(method)}, "path": {_quoted(path)}, "operation": "{operation}", '
            f'"status": {status}, "ms": {milliseconds:.1f}, "request_id": "{request_id}", "level": "info", '
            f'"timestamp": "{clock.wall_now().isoformat()}"}}\n'
        )


_quoted = json.encoder.encode_basestring_ascii
