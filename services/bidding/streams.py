"""HTTP of watching: the stream itself. The unit of work that lets a watcher in has ended before the first message is sent."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from services.bidding import auctions, watching
from services.bidding.watching import Hall, Message
from services.kernel.actors import Actor
from services.kernel.http.routing import Runtime, UnitOfWorkRoute, Work, holding, runtime_of
from services.kernel.ids import ListingId
from services.kernel.listening import Ears
from services.listings import queries as listings

streams = APIRouter(prefix="/v1", tags=["bids"], route_class=UnitOfWorkRoute)
_HALL = "watching"
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Reads = Annotated[Actor, holding("listings:read")]


_MESSAGE = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string", "description": "price, extended, closed or status; open for more"},
        "data": {"type": "string", "description": "JSON"},
    },
    "required": ["data"],
}
"""One server-sent event."""


@streams.get(
    "/listings/{listing_id}/stream",
    summary="Watch how bidding stands",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": _MESSAGE}}, "description": "The messages"}},
)
async def watch(
    listing_id: ListingId,
    work: Work,
    actor: Reads,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(max_length=40, description="The id of the last message that you have seen")
    ] = None,
) -> StreamingResponse:
    """Server-sent events until bidding is over, for a quarter of an hour at most; reconnect with `Last-Event-ID`. Each
    message is the whole state: `status`, `effective_end_at`, and of a timed listing `leading_price`, `bids` and whether you
    lead (`is_leading`). Its name says what has changed: `event: price`, `extended`, `closed` or `status`; of a sealed or
    negotiated listing no more is told than whether it is open. A comment every 15 seconds keeps the line alive. Refused with
    `too_many_streams` (429) beyond twenty of one organization.
    """
    listing = await listings.visible_listing(work, listing_id, actor)
    hall = _hall(runtime_of(request))
    hall.must_have_a_seat(actor.org)
    told = watching.messages(hall, listing.id, actor.org, last_id=last_event_id)
    return StreamingResponse(_written(told), media_type="text/event-stream", headers=_UNBUFFERED)


async def _written(told: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    async for message in told:
        if message.told is None:
            yield format_sse_event(comment="still here")
        else:
            data = json.dumps(message.told, default=lambda at: at.isoformat().replace("+00:00", "Z"))
            yield format_sse_event(data_str=data, event=message.kind, id=message.id)


def _hall(runtime: Runtime) -> Hall:
    """The process's, made for the first watcher."""
    if _HALL not in runtime.resources:
        ears = None if runtime.engine is None else Ears(runtime.engine.url, auctions.WAKE_CHANNEL)
        hall = runtime.resources[_HALL] = Hall(runtime.sessions, ears)
        runtime.closers.append(hall.close)
    found: Hall = runtime.resources[_HALL]
    return found
