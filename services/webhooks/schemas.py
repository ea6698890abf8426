"""Requests and answers of webhooks and the feed."""

from typing import Annotated, Any

from pydantic import AnyHttpUrl, ConfigDict, Field, StrictBool

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import DeliveryId, EndpointId, EventId
from services.kernel.pagination import Page
from services.webhooks.models import Attempt, Delivery, Endpoint

EventTypes = Annotated[list[str], Field(max_length=100, description="Empty: all. `order.*` is a family.")]


class NewEndpoint(Request):
    """Where to send."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://partner.example/backhaul", "event_types": ["order.*"]}]}
    )

    url: Annotated[AnyHttpUrl, Field(description="https, on the public internet")]
    description: Annotated[str, Field(max_length=200)] = ""
    event_types: EventTypes = Field(default_factory=list)
    is_ordered: Annotated[bool, Field(description="One by one in the order of `seq`, at the price of waiting")] = False


class EndpointChange(Request):
    """What is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_enabled": True}]})

    description: Annotated[str | None, Field(max_length=200)] = None
    event_types: EventTypes | None = None
    is_enabled: StrictBool | None = None


class EndpointAnswer(Response):
    """An endpoint; its secret is never told again."""

    id: EndpointId
    url: str
    description: str
    event_types: list[str]
    is_ordered: bool
    is_enabled: bool
    disabled_reason: str | None
    failing_since: UtcDatetime | None
    created_at: UtcDatetime
    livemode: bool
    version: int


class EndpointSecret(EndpointAnswer):
    """An endpoint with its secret, shown this once."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointSecret":
        return cls.model_validate(endpoint, from_attributes=True)


class AttemptAnswer(Response):
    """One try. `status_code` is null where nothing answered, and `error` says why."""

    number: int
    at: UtcDatetime
    milliseconds: int
    status_code: int | None
    error: str | None
    answer: str


class DeliveryAnswer(Response):
    """One event on its way to one endpoint: pending, delivered or failed."""

    id: DeliveryId
    endpoint_id: EndpointId
    event_id: EventId
    event_type: str
    seq: int
    status: str
    next_attempt_at: UtcDatetime
    delivered_at: UtcDatetime | None
    attempts: list[AttemptAnswer]

    @classmethod
    def of(cls, delivery: Delivery, attempts: list[Attempt]) -> "DeliveryAnswer":
        told = [AttemptAnswer.model_validate(attempt, from_attributes=True) for attempt in attempts]
        return cls.model_validate({**delivery.model_dump(), "attempts": told})


class EventSubject(Response):
    """The thing it happened to; `sequence` counts that thing's events."""

    id: str
    sequence: int


class EventTransition(Response):
    """The move that was made, if one was."""

    name: str | None
    from_: Annotated[str | None, Field(alias="from")]
    to: str | None


class EventAnswer(Response):
    """What happened, as the caller's role lets it be seen: byte for byte what a webhook sends."""

    id: EventId
    type: str
    schema_version: int
    timestamp: UtcDatetime
    recorded_at: UtcDatetime
    livemode: bool
    seq: int
    subject: EventSubject
    transition: EventTransition
    data: dict[str, Any]


class EndpointPage(Page[EndpointAnswer]):
    """Endpoints, newest first."""


class DeliveryPage(Page[DeliveryAnswer]):
    """Deliveries, newest first."""


class EventPage(Response):
    """Events by `seq`; continue with `after` = `next_after`."""

    data: list[EventAnswer]
    has_more: bool
    next_after: int
