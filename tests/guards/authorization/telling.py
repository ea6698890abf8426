"""Events that some heard and others did not, and where they are told."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import col

from services.kernel.events import EventRow
from services.webhooks import fanout, subscribing
from services.webhooks.models import Delivery
from tests.guards.authorization.cast import Cast


async def told(cast: Cast, things: Mapping[str, str]) -> dict[str, str]:
    """The last of all: nothing is delivered, for nobody runs the jobs any more."""
    seller = cast["seller"]
    async with cast.market.work(seller) as work:
        endpoint = await subscribing.register(
            work,
            by=seller.actor,
            url="https://nordwerk.example/backhaul",
            description="Warehouse",
            event_types=[],
            is_ordered=False,
            allow_loopback=False,
        )
    async with cast.market.work() as work:
        opened = await _event(cast, things["open"], "listing.opened")
        await fanout.fan_out(work, opened)
        sent = select(col(Delivery.id)).where(col(Delivery.endpoint_id) == endpoint.id)
        delivery_id = (await work.session.execute(sent)).scalar_one()
    secret = await _event(cast, things["sealed_bid"], "bid.placed")
    return {"endpoint": endpoint.id, "delivery": delivery_id, "secret_event": secret.id}


async def _event(cast: Cast, subject: str, event_type: str) -> EventRow:
    query = select(EventRow).where(col(EventRow.subject_id) == subject, col(EventRow.type) == event_type)
    async with cast.market.sessions() as session:
        return (await session.execute(query)).scalar_one()
