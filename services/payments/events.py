"""What happens with money, as partners hear it. Each side hears what is its own: the payer what it pays and gets back,
the payee what it is paid and what is kept; a carrier hears of its own leg and transfer only.
"""

from pydantic import BaseModel

from services.kernel.events import Event
from services.kernel.ids import BidId, DealId, DepositId, ListingId, OrgId, PaymentId, RefundId, TransferId
from services.kernel.money import Money


class DealAgreed(Event, type="deal.agreed", hidden={"payee": {"exposure"}}):
    """Terms are frozen. `goods` is the signed net price at the upper tolerance, `exposure` the most that can be owed."""

    deal_id: DealId
    order_id: str
    seller_id: OrgId
    buyer_id: OrgId
    goods: Money
    exposure: Money


class DealCollecting(Event, type="deal.collecting", hidden={"payee": {"exposure"}}):
    """The exposure is being collected; the deal shows its payer where to send the money."""

    deal_id: DealId
    order_id: str
    exposure: Money


class DealHeld(Event, type="deal.held", hidden={"payee": {"exposure", "collected"}}):
    """All that can be owed has arrived and is held: goods may be dispatched."""

    deal_id: DealId
    order_id: str
    exposure: Money
    collected: Money


class DealCollectFailed(Event, type="deal.collect_failed", hidden={"payee": {"exposure", "reason"}}):
    """The provider refused to collect; `reason` is its code."""

    deal_id: DealId
    order_id: str
    exposure: Money
    reason: str


class DealLegReleased(Event, type="deal.leg_released", hidden={"observer": {"net", "vat", "amount", "carrier_id"}}):
    """A payee's part is released before acceptance: haulage on delivery. `amount` is net and VAT together."""

    deal_id: DealId
    order_id: str
    leg: str
    carrier_id: OrgId
    net: Money
    vat: Money
    amount: Money


_HIDDEN_FIGURES = {"payee": {"refund"}, "payer": {"commission", "commission_vat", "withheld", "payout"}}


class DealSettling(Event, type="deal.settling", hidden=_HIDDEN_FIGURES):
    """The hold is split by what was accepted. `accepted` is net, `vat` its VAT; `contested` stays held until it is
    decided.
    """

    deal_id: DealId
    order_id: str
    accepted: Money
    vat: Money
    commission: Money
    commission_vat: Money
    withheld: Money
    payout: Money
    refund: Money
    contested: Money


class DealAdjusted(Event, type="deal.adjusted", hidden=_HIDDEN_FIGURES):
    """A contested part is decided: `refund` goes back to the payer, `payout` to the payee; `contested` is what stays
    held.
    """

    deal_id: DealId
    order_id: str
    accepted: Money
    commission: Money
    commission_vat: Money
    withheld: Money
    payout: Money
    refund: Money
    contested: Money


class DealSettled(Event, type="deal.settled", hidden={"payee": {"collected"}}):
    """Nothing is held, and every transfer and refund is done at the provider. `accepted` is the net total, positive."""

    deal_id: DealId
    order_id: str
    accepted: Money
    collected: Money


class DealClosed(Event, type="deal.closed"):
    """Nothing can be pulled back any more and nothing is owed."""

    deal_id: DealId
    order_id: str
    accepted: Money


class DealCancelling(Event, type="deal.cancelling", hidden={"payee": {"refund"}}):
    """The deal is off; `refund` goes back, `fee` stays with who was let down."""

    deal_id: DealId
    order_id: str
    fee: Money
    refund: Money


class DealCancelled(Event, type="deal.cancelled", hidden={"payee": {"collected"}}):
    """Every payment is called off or returned."""

    deal_id: DealId
    order_id: str
    collected: Money


class PaymentCollected(Event, type="payment.collected", hidden={"payee": {"amount", "collected"}}):
    """A payment has arrived; `collected` is the deal's total so far."""

    deal_id: DealId
    order_id: str
    payment_id: PaymentId
    payer_id: OrgId
    amount: Money
    collected: Money


class TransferPaid(Event, type="transfer.paid"):
    """A payout was made; only its payee hears of it."""

    deal_id: DealId
    order_id: str
    transfer_id: TransferId
    payee_id: OrgId
    leg: str
    amount: Money


class TransferBlocked(Event, type="transfer.blocked"):
    """A payout waits, for a reason the payee can see: account_restricted, insufficient_balance or the provider's."""

    deal_id: DealId
    order_id: str
    transfer_id: TransferId
    payee_id: OrgId
    leg: str
    amount: Money
    reason: str


class RefundPaid(Event, type="refund.paid"):
    """A refund has arrived at the payer."""

    deal_id: DealId
    order_id: str
    refund_id: RefundId
    payer_id: OrgId
    amount: Money


class RefundFailed(Event, type="refund.failed"):
    """A refund did not arrive: the amount is due to the payer again."""

    deal_id: DealId
    order_id: str
    refund_id: RefundId
    payer_id: OrgId
    amount: Money
    reason: str


class DepositFact(BaseModel):
    """What every event of a deposit carries. Until it is forfeited its bidder alone hears of it."""

    deposit_id: DepositId
    listing_id: ListingId
    bidder_id: OrgId
    amount: Money


class DepositRequested(DepositFact, Event, type="deposit.requested"):
    """A bidder has asked where to leave its deposit; the deposit shows the account and the reference in a moment."""


class DepositSecured(DepositFact, Event, type="deposit.secured"):
    """Its money has arrived and is held: bids of its bidder for the listing are taken."""


class DepositFailed(DepositFact, Event, type="deposit.failed"):
    """The provider does not collect it; `reason` is its code. The bidder may ask for another."""

    reason: str


class DepositCalledOff(DepositFact, Event, type="deposit.called_off"):
    """Bidding was over before its money had arrived; nothing is asked for any more."""


class DepositReleased(DepositFact, Event, type="deposit.released"):
    """The bidder did not win, or kept its word: the money goes back."""


class DepositForfeited(DepositFact, Event, type="deposit.forfeited"):
    """The bidder won and let the time to confirm pass: the money goes to the seller. `bid_id` names what was not confirmed."""

    bid_id: BidId
    seller_id: OrgId


class PayoutsEnabled(Event, type="payouts.enabled"):
    """The organization can be paid."""

    org_id: OrgId


class PayoutsRestricted(Event, type="payouts.restricted"):
    """The organization cannot be paid for now; `requirements` says what the provider asks for."""

    org_id: OrgId
    status: str
    requirements: list[str]
