"""The money side of every order: deals, what is collected, held, paid out and refunded, and the double-entry ledger
that explains it.

Owns deal, payment, transfer, refund, payout_account, stripe_operation, stripe_event, ledger_account, ledger_posting,
ledger_entry. Tells deal.*, payment.collected, transfer.paid, transfer.blocked, refund.paid, refund.failed,
payouts.enabled, payouts.restricted.
"""
