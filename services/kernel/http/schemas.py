"""Bases of requests and responses."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from services.kernel.states import Choices

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$"), Field(description="ISO 3166-1 alpha-2")]


def _as_utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


UtcDatetime = Annotated[AwareDatetime, PlainSerializer(_as_utc, return_type=str, when_used="json")]
"""RFC 3339; naive times are refused, answers are in UTC with Z."""


def _no_number(value: Any) -> Any:
    """What comes in a query is text, and pydantic takes a text that is a number for seconds since 1970."""
    try:
        float(value)
    except (TypeError, ValueError):
        return value
    raise ValueError("a date or time is written as RFC 3339 says")


AskedInstant = Annotated[AwareDatetime, BeforeValidator(_no_number)]
AskedDate = Annotated[date, BeforeValidator(_no_number)]
"""An instant or a day in a query."""


class Request(BaseModel):
    """A request body: unknown fields are refused, so are NUL and lone surrogates in any text."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unstorable_text(cls, value: Any) -> Any:
        if any(not is_storable(text) for text in _texts(value)):
            raise ValueError("text may not hold NUL or lone surrogates")
        return value


def is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


class Response(BaseModel):
    """A response body, made from rows or by hand."""

    model_config = ConfigDict(from_attributes=True)


class BlockedReason(Response):
    code: str
    detail: str


class BlockedTransition(Response):
    name: str
    reasons: list[BlockedReason]


class Transitions(Response):
    """What the caller could do with it now, and what stands in the way of the rest."""

    allowed_transitions: list[str] = Field(default_factory=list)
    blocked_transitions: list[BlockedTransition] = Field(default_factory=list)


def told(choices: Choices) -> dict[str, Any]:
    """`choices` as the two fields of `Transitions`."""
    blocked = [
        BlockedTransition(name=name, reasons=[BlockedReason(code=r.code, detail=r.detail) for r in reasons])
        for name, reasons in choices.blocked
    ]
    return {"allowed_transitions": choices.allowed, "blocked_transitions": blocked}
