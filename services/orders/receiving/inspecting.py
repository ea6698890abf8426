"""The second signature on a receipt: accepted and refused per line, and the money that follows from it.

`order.inspection_window` is a timer; its subject is the pickup."""

from collections.abc import Mapping, Sequence

from services.kernel import states, timers
from services.kernel.actors import Actor
from services.kernel.errors import Invalid
from services.kernel.ids import LineId, ReceiptId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.orders import events, permitting, policy, queries, telling
from services.orders.models import RECEIPT, Order, OrderLine, Receipt, ReceiptFacts, ReceiptLine
from services.orders.receiving import concluding, quantities
from services.orders.receiving.quantities import Outcome, Verdict
from services.orders.terms import Terms

INSPECTION_WINDOW = "order.inspection_window"
"""Its subject is the pickup: what is not received and inspected by then counts as accepted as delivered."""


async def inspect(
    work: UnitOfWork,
    receipt_id: ReceiptId,
    verdicts: Sequence[Verdict],
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Receipt:
    """Raises Invalid (`acceptance_exceeds_receipt`, `sum_differs`, `reason_required`, `evidence_required`,
    `line_without_outcome`), and Blocked where no permit covers what is accepted: it can be refused as not_permitted."""
    seen = await queries.visible_receipt(work, receipt_id, by)
    order = await queries.order_for_update(work, seen.order_id)
    receipt = await queries.receipt_for_update(work, receipt_id)
    check_version(receipt.version)
    role = policy.acting(RECEIPT, "inspect", policy.roles_of(by, order))
    RECEIPT.find("inspect", receipt.status)
    received = await queries.receipt_lines(work, receipt.id)
    wrong = list(quantities.shortcomings(verdicts, received))
    if wrong:
        raise Invalid(*wrong)
    async with work.as_house():
        await decide(work, order, receipt, {verdict.line_id: verdict.outcome for verdict in verdicts}, role=role)
    return receipt


async def decide(
    work: UnitOfWork, order: Order, receipt: Receipt, outcomes: Mapping[LineId, Outcome], *, role: str
) -> None:
    """Every line has its outcome, whatever that of the others is. Order and receipt are locked by the caller."""
    terms = Terms.model_validate(order.terms)
    lines = {line.id: line for line in await queries.lines_for_update(work, order.id)}
    accepted = [(lines[id], one.accepted.mass_g) for id, one in outcomes.items() if one.accepted != quantities.NOTHING]
    asked = await permitting.accepted(work, terms, accepted)
    facts = ReceiptFacts(permits=tuple(await permitting.against(work, order, asked)))
    moved = states.move(RECEIPT, receipt, "inspect", by=role, facts=facts)
    receipt.inspected_at, receipt.inspected_by = work.now, work.actor.label
    await permitting.record_and_use(work, order, asked)
    received = await queries.receipt_lines(work, receipt.id)
    for line in received:
        _write(line, outcomes[line.line_id])
    await work.session.flush()
    await timers.cancel(work, INSPECTION_WINDOW, receipt.pickup_id)
    value = await concluding.value_of(work, order, receipt, terms)
    told = events.ReceiptInspected(
        receipt_id=receipt.id,
        order_id=order.id,
        pickup_id=receipt.pickup_id,
        seller_id=order.seller_id,
        buyer_id=order.buyer_id,
        site_id=receipt.site_id,
        lines=[_told(lines[line.line_id], line) for line in received],
        accepted=value.accepted,
        contested=value.contested,
    )
    telling.tell(work, order, told, moved, subject=receipt.id)
    await concluding.conclude(work, order, receipt, terms, value)


def _write(line: ReceiptLine, outcome: Outcome) -> None:
    line.accepted_g, line.accepted_quantity = outcome.accepted.mass_g, outcome.accepted.quantity
    line.refused_g, line.refused_quantity = outcome.refused.mass_g, outcome.refused.quantity
    if outcome.refuses:
        line.reason, line.note, line.evidence = outcome.reason, outcome.note, list(outcome.evidence)


def _told(line: OrderLine, found: ReceiptLine) -> events.InspectedLine:
    return events.InspectedLine(
        line_id=line.id,
        item_id=line.item_id,
        title=line.title,
        waste_code=line.waste_code,
        received_g=found.received_g,
        accepted_g=found.accepted_g,
        refused_g=found.refused_g,
        received_quantity=found.received_quantity,
        accepted_quantity=found.accepted_quantity,
        refused_quantity=found.refused_quantity,
        reason=found.reason,
    )
