"""When a call is tried again, and after how long."""

import json
import random
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from ._calls import Call

LONGEST_PAUSE = 60.0
"""Seconds; a longer Retry-After is cut to this."""

FIRST_PAUSE = 0.5
LONGEST_BACKOFF = 8.0

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NEVER_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def may_follow_failure(call: Call, failure: httpx.RequestError) -> bool:
    """Without an answer: repeat what cannot have a second effect, and anything that never left."""
    if isinstance(failure, NEVER_SENDABLE):
        return False
    return call.is_repeatable or isinstance(failure, NEVER_SENT)


def may_follow_answer(call: Call, response: httpx.Response) -> bool:
    """After an answer: 429 for every call; 5xx and a twin still running where it cannot have a second effect."""
    if response.status_code == 429:
        return True
    if not call.is_repeatable:
        return False
    return response.status_code >= 500 or (response.status_code == 409 and _code(response) == "idempotency_in_progress")


def pause_before(attempt: int, response: httpx.Response | None = None) -> float:
    """Seconds to wait before a repeat (the first is 1): what the server asks for, else backoff with jitter."""
    asked = retry_after(response) if response is not None else None
    if asked is not None:
        return asked
    ceiling: float = min(LONGEST_BACKOFF, FIRST_PAUSE * 2 ** (attempt - 1))
    return ceiling * random.uniform(0.5, 1.0)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header, a number or a date, between 0 and LONGEST_PAUSE."""
    value = response.headers.get("retry-after", "").strip()
    seconds = _seconds(value)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_PAUSE)


def _seconds(value: str) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp() - time.time()


def _code(response: httpx.Response) -> object:
    try:
        problem = json.loads(response.content)
    except ValueError:
        return None
    return problem.get("code") if isinstance(problem, dict) else None
