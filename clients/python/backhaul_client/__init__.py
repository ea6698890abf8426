"""The Python client of the Backhaul API: `Backhaul`, its async twin, typed errors, paging and webhook verification."""

from . import events, models
from ._answers import Answer
from ._calls import File, Options, WriteOptions
from ._client import AsyncBackhaul, Backhaul
from ._errors import (
    BackhaulError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    FieldError,
    Forbidden,
    Gone,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    ServerError,
    StatusError,
    Timeout,
    TooManyRequests,
    Unauthorized,
    UnexpectedAnswer,
    UnprocessableEntity,
    WebhookVerificationFailed,
)
from ._models import NOT_GIVEN, Event, Model, NotGiven, UnknownEvent
from ._paging import AsyncPage, Page
from ._streams import AsyncStream, Stream, StreamEvent
from ._version import API_VERSION, __version__
from ._webhooks import read_event, verify_webhook

__all__ = [
    "API_VERSION",
    "NOT_GIVEN",
    "Answer",
    "AsyncBackhaul",
    "AsyncPage",
    "AsyncStream",
    "Backhaul",
    "BackhaulError",
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "Event",
    "FieldError",
    "File",
    "Forbidden",
    "Gone",
    "Model",
    "NotFound",
    "NotGiven",
    "Options",
    "Page",
    "PayloadTooLarge",
    "PreconditionFailed",
    "PreconditionRequired",
    "ServerError",
    "StatusError",
    "Stream",
    "StreamEvent",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "UnexpectedAnswer",
    "UnknownEvent",
    "UnprocessableEntity",
    "WebhookVerificationFailed",
    "WriteOptions",
    "__version__",
    "events",
    "models",
    "read_event",
    "verify_webhook",
]
