"""What a bidder nobody knows yet leaves behind for its word: when a deposit is needed, and what becomes of it.

A processor is new until an order that it bought has been settled: its money found its way. The deposit itself is a matter of
payments; here it is known who bid, who won and who kept silent.
"""
