"""What was received, accepted and refused, summed over receipts; and a receiver's verdict on a line. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kernel.errors import Detail, Reason
from services.kernel.ids import LineId
from services.orders.models import OrderLine, ReceiptLine
from services.orders.pricing import Measured, lower_g, upper_g

NOTHING = Measured()


@dataclass(frozen=True)
class Totals:
    """Over the receipts of one line. What was received but not inspected is neither accepted nor refused."""

    received: Measured = NOTHING
    accepted: Measured = NOTHING
    refused: Measured = NOTHING

    @property
    def inspected(self) -> Measured:
        return self.accepted + self.refused


def total(receipt_lines: Iterable[ReceiptLine]) -> Totals:
    received, accepted, refused = Measured(), Measured(), Measured()
    for one in receipt_lines:
        received += Measured(one.received_quantity, one.received_g)
        accepted += Measured(one.accepted_quantity or 0, one.accepted_g or 0)
        refused += Measured(one.refused_quantity or 0, one.refused_g or 0)
    return Totals(received, accepted, refused)


def off_tolerance(
    lines: Sequence[OrderLine], received: Mapping[LineId, Measured], tolerance_bps: int, *, is_last: bool
) -> Iterator[Reason]:
    """What the sums over all receipts have against the agreed masses and pieces; too little is known only with the
    last delivery."""
    for line in lines:
        found = received.get(line.id, Measured())
        if line.mass_g is not None and found.mass_g > upper_g(line.mass_g, tolerance_bps):
            yield Reason("above_tolerance", f"{line.title}: {found.mass_g} g of {line.mass_g} g agreed.")
        if line.mass_g is not None and is_last and found.mass_g < lower_g(line.mass_g, tolerance_bps):
            yield Reason("below_tolerance", f"{line.title}: {found.mass_g} g of {line.mass_g} g agreed.")
        if found.quantity > line.quantity or (is_last and found.quantity < line.quantity):
            yield Reason("pieces_differ", f"{line.title}: {found.quantity} of {line.quantity} pieces.")


@dataclass(frozen=True)
class Outcome:
    """A verdict's figures and what stands behind the refusal; `evidence` is [{sha256, name}]."""

    accepted: Measured
    refused: Measured = NOTHING
    reason: str | None = None
    note: str | None = None
    evidence: tuple[dict[str, Any], ...] = field(default=())

    @property
    def refuses(self) -> bool:
        return self.refused != Measured()


@dataclass(frozen=True)
class Verdict:
    """What the receiver says about one line of a receipt."""

    line_id: LineId
    outcome: Outcome


def shortcomings(verdicts: Sequence[Verdict], received: Sequence[ReceiptLine]) -> Iterator[Detail]:
    """By JSON pointer into `{lines: [{line_id, accepted, refused}]}`: each line once, and its parts sum to what was
    received."""
    known = {one.line_id: one for one in received}
    for position, verdict in enumerate(verdicts):
        pointer = f"/lines/{position}"
        if verdict.line_id not in known:
            yield Detail(
                f"{pointer}/line_id", "line_not_found", f"{verdict.line_id} is not in this receipt, or is named twice."
            )
        else:
            yield from _of_line(verdict.outcome, known.pop(verdict.line_id), pointer)
    for line_id in known:
        yield Detail("/lines", "line_without_outcome", f"Say what was accepted and refused of {line_id}.")


def _of_line(outcome: Outcome, received: ReceiptLine, pointer: str) -> Iterator[Detail]:
    pairs = (
        ("mass", outcome.accepted.mass_g, outcome.refused.mass_g, received.received_g),
        ("quantity", outcome.accepted.quantity, outcome.refused.quantity, received.received_quantity),
    )
    for name, accepted, refused, arrived in pairs:
        if accepted + refused > arrived:
            sentence = f"{accepted} accepted and {refused} refused are more than the {arrived} received ({name})."
            yield Detail(f"{pointer}/accepted/{name}", "acceptance_exceeds_receipt", sentence)
        elif accepted + refused < arrived:
            sentence = f"{accepted} accepted and {refused} refused are less than the {arrived} received ({name})."
            yield Detail(f"{pointer}/accepted/{name}", "sum_differs", sentence)
    if outcome.refuses and not outcome.reason:
        yield Detail(f"{pointer}/refused/reason", "reason_required", "A refusal says why.")
    if outcome.refuses and not outcome.evidence:
        yield Detail(f"{pointer}/refused/evidence", "evidence_required", "A refusal shows it: at least one document.")
