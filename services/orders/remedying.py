"""What a certificate proves of recalled goods."""

from services.kernel.ids import CertificateId, OrderId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.recalling import quarantine
from services.orders import queries


async def count_recalled(work: UnitOfWork, *, order_id: OrderId, kind: str, certificate_id: CertificateId) -> None:
    """The pieces accepted under the order went as the certificate says. Told once per obligation that is fulfilled."""
    order = await queries.order(work, order_id)
    receipts = await queries.receipt_lines_of_order(work, [order_id])
    for line in await queries.lines(work, order_id):
        accepted = sum(one.accepted_quantity or 0 for one in receipts.get(line.id, []))
        await quarantine.remedied(
            work, line.item_id, accepted, listing_id=order.listing_id, kind=kind, certificate_id=certificate_id
        )
