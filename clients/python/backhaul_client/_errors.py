"""What can go wrong in a call, one class per status.

Every error carries `code` (stable, listed in the reference), `request_id` (name it to support), `problem` (the parsed
application/problem+json document) and `errors` (one entry per refused field: pointer, code, detail).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One refused field; `pointer` is a JSON Pointer into the request body."""

    pointer: str
    code: str
    detail: str


class BackhaulError(Exception):
    """Base of everything this client raises on purpose."""

    code: str = "client_error"

    def __init__(self, message: str, *, code: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.request_id = request_id
        self.problem: dict[str, Any] = {}
        self.errors: list[FieldError] = []


class ConnectionFailed(BackhaulError):
    """No answer arrived. Whether it took effect is unknown; a POST may be repeated under `idempotency_key`."""

    code = "connection_failed"

    def __init__(self, message: str, *, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class Timeout(ConnectionFailed):
    """The answer did not arrive in time."""

    code = "timeout"


class UnexpectedAnswer(BackhaulError):
    """The server succeeded but its body is not what the operation promises."""

    code = "unexpected_answer"


class WebhookVerificationFailed(BackhaulError):
    """Not a genuine, fresh delivery. `code`: missing_header, bad_timestamp, too_old, too_new, no_match, bad_payload."""

    code = "no_match"


@dataclass(frozen=True)
class Refusal:
    """An answer outside 2xx, as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    problem: dict[str, Any] = field(default_factory=dict)


class StatusError(BackhaulError):
    """An answer outside 2xx whose status has no class of its own. The `error` of an OAuth refusal (RFC 6749) is its code."""

    code = "unexpected_status"

    def __init__(self, refusal: Refusal, *, idempotency_key: str | None = None) -> None:
        problem = refusal.problem
        request_id = _text(problem.get("request_id")) or refusal.headers.get("x-request-id")
        code = _text(problem.get("code")) or _text(problem.get("error"))
        super().__init__(_message(refusal), code=code, request_id=request_id)
        self.status = refusal.status
        self.headers = refusal.headers
        self.body = refusal.body
        self.problem = problem
        self.errors = _field_errors(problem)
        self.idempotency_key = idempotency_key


class BadRequest(StatusError):
    """400: the request could not be read."""


class Unauthorized(StatusError):
    """401: no key, an unknown one, or one that has expired."""


class Forbidden(StatusError):
    """403: you may see it but not do this."""


class NotFound(StatusError):
    """404: it does not exist, or you may not see it."""


class Conflict(StatusError):
    """409: the state of things forbids it; `code` says why."""


class Gone(StatusError):
    """410: it was there and is not any more."""


class PreconditionFailed(StatusError):
    """412: it changed since you read it. Read again; `headers["ETag"]` names the current version."""


class PayloadTooLarge(StatusError):
    """413: the body is above the operation's limit."""


class UnprocessableEntity(StatusError):
    """422: understood but not valid; `errors` names the fields."""


class PreconditionRequired(StatusError):
    """428: this operation wants `if_match`."""


class TooManyRequests(StatusError):
    """429: above the organization's rate limit, and still so after the retries."""


class ServerError(StatusError):
    """5xx, and still so after the retries."""


BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    422: UnprocessableEntity,
    428: PreconditionRequired,
    429: TooManyRequests,
}


def error_for(
    status: int, headers: Mapping[str, str], body: bytes, *, idempotency_key: str | None = None
) -> StatusError:
    """The error of an answer outside 2xx; a body that is no problem document leaves `problem` empty."""
    kind = BY_STATUS.get(status, ServerError if status >= 500 else StatusError)
    refusal = Refusal(status, headers, body, problem=_problem(body))
    return kind(refusal, idempotency_key=idempotency_key)


def _problem(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _message(refusal: Refusal) -> str:
    title = _text(refusal.problem.get("title")) or _text(refusal.problem.get("error"))
    detail = _text(refusal.problem.get("detail")) or _text(refusal.problem.get("error_description"))
    told = ": ".join(part for part in (title, detail) if part)
    return f"{refusal.status} {told or 'without a problem document'}"


def _field_errors(problem: dict[str, Any]) -> list[FieldError]:
    entries = problem.get("errors")
    return [
        FieldError(*(_text(entry.get(name)) or "" for name in ("pointer", "code", "detail")))
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
