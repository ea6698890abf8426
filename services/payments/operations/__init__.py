"""The outbox to the provider: one row per intended effect, written in the transaction that intends it; one attempt at a
time.
"""
