"""Tables and machines of the context, by what the business would call the parts."""

from services.payments.models.deals import DEAL, Deal, DealFacts
from services.payments.models.deposits import DEPOSIT, Deposit
from services.payments.models.ledger import LedgerAccount, LedgerEntry, LedgerPosting
from services.payments.models.movements import PAYMENT, REFUND, TRANSFER, Payment, Refund, Transfer
from services.payments.models.outbox import OPERATION, StripeEvent, StripeOperation
from services.payments.models.payout_accounts import PAYOUT_ACCOUNT, PayoutAccount

__all__ = [
    "DEAL",
    "DEPOSIT",
    "OPERATION",
    "PAYMENT",
    "PAYOUT_ACCOUNT",
    "REFUND",
    "TRANSFER",
    "Deal",
    "DealFacts",
    "Deposit",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerPosting",
    "Payment",
    "PayoutAccount",
    "Refund",
    "StripeEvent",
    "StripeOperation",
    "Transfer",
]
