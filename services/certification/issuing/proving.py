"""Which orders a certificate settles: those all of whose accepted goods are certified."""

from services.certification import queries
from services.certification.models import Certificate, MaterialBatch
from services.certification.trace import Trace, is_final
from services.kernel.ids import OrderId
from services.kernel.unit_of_work import UnitOfWork


async def proven_orders(work: UnitOfWork, certificate: Certificate, behind: Trace) -> list[OrderId]:
    """Of the orders behind the certificate. An order whose goods are processed in parts waits for the last part."""
    accepted = await queries.received_under(work, behind.order_ids(), certificate.holder_id)
    ahead = await queries.trace_forward(work, [batch.id for batch in accepted])
    certified = await _certified(work, ahead)
    open_orders = {batch.order_id for batch in accepted if not _is_proven(batch, ahead, certified)}
    return sorted({batch.order_id for batch in accepted if batch.order_id is not None} - open_orders)


class _Certified:
    """`operations` that an issued certificate holds, and grams by batch that begin a next life."""

    def __init__(self, operations: set[str], next_life: dict[str, int]) -> None:
        self.operations = operations
        self.next_life = next_life


async def _certified(work: UnitOfWork, ahead: Trace) -> _Certified:
    holders = await queries.holder_of_event(work, ahead.events)
    issued = await queries.issued_among(work, set(holders.values()))
    claimed = await queries.certified_next_life(work, ahead.batches)
    return _Certified({event for event, holder in holders.items() if holder in issued}, claimed)


def _is_proven(batch: MaterialBatch, ahead: Trace, certified: _Certified) -> bool:
    if batch.remaining_g > certified.next_life.get(batch.id, 0):
        return False
    takers = [id for id in ahead.events if any(line.batch_id == batch.id for line in ahead.taken(id))]
    return all(_is_operation_proven(id, ahead, certified) for id in takers)


def _is_operation_proven(event_id: str, ahead: Trace, certified: _Certified) -> bool:
    """A final operation by its certificate; an interim one by what became of everything that stayed at the site."""
    if is_final(ahead.events[event_id]):
        return event_id in certified.operations
    kept = ahead.borne(event_id, "product", "residue")
    return all(_is_proven(ahead.batches[line.batch_id], ahead, certified) for line in kept)
