"""HTTP of webhooks and the feed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col
from starlette.requests import Request

from services.kernel import jobs, states
from services.kernel.actors import Actor
from services.kernel.events import EventRow, render
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, runtime_of, tag
from services.kernel.ids import DeliveryId, EndpointId, EventId
from services.kernel.pagination import Paging, rows_of
from services.webhooks import delivering, queries, subscribing
from services.webhooks.models import DELIVERY, Delivery, Endpoint
from services.webhooks.schemas import (
    DeliveryAnswer,
    DeliveryPage,
    EndpointAnswer,
    EndpointChange,
    EndpointPage,
    EndpointSecret,
    EventAnswer,
    EventPage,
    NewEndpoint,
)

endpoints = APIRouter(prefix="/v1", tags=["webhook_endpoints"], route_class=UnitOfWorkRoute)
deliveries = APIRouter(prefix="/v1", tags=["deliveries"], route_class=UnitOfWorkRoute)
events = APIRouter(prefix="/v1", tags=["events"], route_class=UnitOfWorkRoute)
routers = [endpoints, deliveries, events]
assert jobs.HANDLERS[subscribing.LANE] is delivering.run_lane, "the job that the verbs enqueue"

Reads = Annotated[Actor, holding("webhooks:read")]
Writes = Annotated[Actor, holding("webhooks:write")]


@endpoints.post("/webhook-endpoints", summary="Register a webhook endpoint", status_code=201)
async def create(body: NewEndpoint, work: Work, actor: Writes, request: Request) -> EndpointSecret:
    """The answer holds the signing secret, this once. Every delivery carries Standard Webhooks headers; any 2xx within 15
    seconds is a success, everything else is tried again over four days under the same `webhook-id`.
    Refused with `destination_refused` and `event_type_unknown`."""
    endpoint = await subscribing.register(
        work,
        by=actor,
        url=str(body.url),
        description=body.description,
        event_types=body.event_types,
        is_ordered=body.is_ordered,
        allow_loopback=runtime_of(request).settings.allow_loopback_webhooks and not actor.livemode,
    )
    return EndpointSecret.of(endpoint)


@endpoints.get("/webhook-endpoints", summary="List webhook endpoints")
async def list_(work: Work, actor: Reads, paging: Paging) -> EndpointPage:
    """The caller's organization's, newest first."""
    rows, cursor = await rows_of(work, queries.endpoints_of(actor), col(Endpoint.id), paging)
    found = [EndpointAnswer.model_validate(row, from_attributes=True) for row in rows]
    return EndpointPage(data=found, has_more=cursor is not None, next_cursor=cursor)


@endpoints.get("/webhook-endpoints/{endpoint_id}", summary="Read a webhook endpoint")
async def get(endpoint_id: EndpointId, work: Work, actor: Reads, answer: Response) -> EndpointAnswer:
    """With its health: since when it has been failing, and why it was disabled."""
    endpoint = await queries.endpoint(work, endpoint_id, by=actor)
    tag(answer, endpoint.version)
    return EndpointAnswer.model_validate(endpoint, from_attributes=True)


@endpoints.post("/webhook-endpoints/{endpoint_id}/update", summary="Change a webhook endpoint", dependencies=[DryRun])
async def update(
    endpoint_id: EndpointId, body: EndpointChange, work: Work, actor: Writes, matching: Matching, answer: Response
) -> EndpointAnswer:
    """Enabling it again starts with a clean record; what failed meanwhile is in the feed and can be resent.
    Refused with `event_type_unknown`."""
    endpoint = await queries.endpoint(work, endpoint_id, by=actor, lock=True)
    matching.matches(endpoint.version)
    change = body.model_dump()
    await subscribing.change(work, endpoint, **change)
    tag(answer, endpoint.version)
    return EndpointAnswer.model_validate(endpoint, from_attributes=True)


@endpoints.post(
    "/webhook-endpoints/{endpoint_id}/rotate_secret", summary="Rotate the signing secret", dependencies=[DryRun]
)
async def rotate_secret(
    endpoint_id: EndpointId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> EndpointSecret:
    """Both secrets sign for 24 hours. Causes `webhook_endpoint.secret_rotated`."""
    endpoint = await subscribing.rotate(work, endpoint_id, by=actor, check_version=matching.matches)
    tag(answer, endpoint.version)
    return EndpointSecret.of(endpoint)


@endpoints.delete("/webhook-endpoints/{endpoint_id}", summary="Remove a webhook endpoint", status_code=204)
async def delete(endpoint_id: EndpointId, work: Work, actor: Writes) -> None:
    """Nothing more is sent to it; what was sent can still be read."""
    await subscribing.remove(work, endpoint_id, by=actor)


@deliveries.get("/deliveries", summary="List deliveries", name="list")
async def list_deliveries(
    work: Work,
    actor: Reads,
    paging: Paging,
    endpoint_id: Annotated[EndpointId | None, Query(description="Only to this endpoint")] = None,
    status: Annotated[
        str | None, Query(pattern="^(pending|delivered|failed)$", description="Only in this state")
    ] = None,
) -> DeliveryPage:
    """With every attempt: when, what was answered, or why there was no answer."""
    query = queries.deliveries_of(actor)
    if endpoint_id is not None:
        query = query.where(col(Delivery.endpoint_id) == endpoint_id)
    if status is not None:
        query = query.where(col(Delivery.status) == status)
    rows, cursor = await rows_of(work, query, col(Delivery.id), paging)
    attempts = await queries.attempts(work, [row.id for row in rows])
    found = [DeliveryAnswer.of(row, attempts[row.id]) for row in rows]
    return DeliveryPage(data=found, has_more=cursor is not None, next_cursor=cursor)


@deliveries.post("/deliveries/{delivery_id}/resend", summary="Send a delivery again", dependencies=[DryRun])
async def resend(
    delivery_id: DeliveryId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DeliveryAnswer:
    """Under the same `webhook-id`, at once. Refused with `endpoint_disabled`, and with `transition_not_possible` while it is
    still being tried."""
    delivery = await queries.delivery_for_update(work, delivery_id, by=actor)
    matching.matches(delivery.version)
    await queries.endpoint(work, delivery.endpoint_id, by=actor)
    states.move(DELIVERY, delivery, "resend", by="owner")
    delivery.next_attempt_at = await queries.database_now(work)
    await jobs.enqueue(work, subscribing.LANE, {"endpoint": delivery.endpoint_id})
    attempts = await queries.attempts(work, [delivery.id])
    tag(answer, delivery.version)
    return DeliveryAnswer.of(delivery, attempts[delivery.id])


def _told(row: EventRow, actor: Actor) -> EventAnswer:
    return EventAnswer.model_validate(render(row, actor.org))


@events.get("/events", summary="Read the event feed", name="list")
async def list_events(
    work: Work,
    actor: Annotated[Actor, holding("events:read")],
    after: Annotated[
        int, Query(ge=0, le=2**63 - 1, description="`next_after` of the answer before; 0 from the beginning")
    ] = 0,
    types: Annotated[list[str] | None, Query(description="Only these types")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many")] = 100,
) -> EventPage:
    """Everything the organization may know, in the order it was committed: a reader by `after` misses nothing. A type that
    is `text_unstorable` is refused."""
    rows = await queries.feed(work, by=actor, after=after, types=types or [], limit=limit + 1)
    page = rows[:limit]
    last = page[-1].seq if page else after
    return EventPage(data=[_told(row, actor) for row in page], has_more=len(rows) > limit, next_after=last or after)


@events.get("/events/{event_id}", summary="Read an event", name="get")
async def get_event(event_id: EventId, work: Work, actor: Annotated[Actor, holding("events:read")]) -> EventAnswer:
    """As the caller's role in the matter lets it be seen."""
    return _told(await queries.event(work, event_id, by=actor), actor)
