"""The money side of every order: deals, what is collected, held, paid out and refunded, and the double-entry ledger
that explains it.

Owns deal, payment, transfer, refund, deposit, payout_account, stripe_operation, stripe_event, ledger_account, ledger_posting,
ledger_entry. Tells deal.*, payment.collected, transfer.paid, transfer.blocked, refund.paid, refund.failed, deposit.*,
payouts.enabled, payouts.restricted.
"""
