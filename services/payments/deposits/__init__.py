"""Deposits of bidders: asked for by bank transfer, held, and given back or paid to the seller. Lock the deposit first.

Who must leave one, and what becomes of it, is decided above, where bids are known.
"""
