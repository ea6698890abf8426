"""Event → one delivery per interested endpoint. Twice changes nothing: a delivery is unique by endpoint and event."""

from sqlalchemy import text

from services.kernel import jobs
from services.kernel.events import EventRow
from services.kernel.ids import DeliveryId
from services.kernel.unit_of_work import UnitOfWork
from services.webhooks import queries
from services.webhooks.subscribing import LANE

_INSERT = text(
    "INSERT INTO webhook_delivery (id, endpoint_id, event_id, event_type, seq, status, version, attempts, next_attempt_at)"
    " VALUES (:id, :endpoint, :event, :type, :seq, 'pending', 1, 0, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING 1"
)


async def fan_out(work: UnitOfWork, row: EventRow) -> None:
    for endpoint in await queries.interested(work, row):
        values = {"id": DeliveryId.new(), "endpoint": endpoint.id, "event": row.id, "type": row.type, "seq": row.seq}
        if (await work.session.execute(_INSERT, values)).one_or_none() is not None:
            await jobs.enqueue(work, LANE, {"endpoint": endpoint.id})
