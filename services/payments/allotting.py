"""Which charge pays what: a transfer names one charge and a refund one payment, so amounts are allotted over them in
order.
"""

from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.payments import queries, splitting
from services.payments.models import Deal, Payment


async def draw(work: UnitOfWork, deal: Deal, amount: Money, *, first: str | None) -> list[tuple[Payment, Money]]:
    """For transfers: from what the deal's charges have left, those of the payer `first` before others. Lock the deal."""
    charges = await queries.charged(work, deal.id)
    charges.sort(key=lambda payment: (payment.payer_id != first, payment.position))
    drawn = _spend(charges, amount, [payment.transferred_minor for payment in charges])
    for payment, share in drawn:
        payment.transferred_minor += share.minor
    return drawn


async def draw_back(work: UnitOfWork, deal: Deal, amount: Money, *, payer_id: str) -> list[tuple[Payment, Money]]:
    """For refunds: from the payer's own charges alone, for a refund goes back where the money came from."""
    charges = [payment for payment in await queries.charged(work, deal.id) if payment.payer_id == payer_id]
    drawn = _spend(charges, amount, [payment.refunded_minor for payment in charges])
    for payment, share in drawn:
        payment.refunded_minor += share.minor
    return drawn


def _spend(charges: list[Payment], amount: Money, used: list[int]) -> list[tuple[Payment, Money]]:
    """First what nothing has been allotted to; beyond that, what the provider still allows for this kind (`used` of it)."""
    currency = amount.currency
    unspent = [Money(max(p.amount_minor - p.transferred_minor - p.refunded_minor, 0), currency) for p in charges]
    allowed = [
        Money(p.amount_minor - spent, currency) - free for p, spent, free in zip(charges, used, unspent, strict=True)
    ]
    shares = splitting.allot(amount, [*unspent, *allowed])
    both = [first + second for first, second in zip(shares[: len(charges)], shares[len(charges) :], strict=True)]
    return [(payment, share) for payment, share in zip(charges, both, strict=True) if share]
