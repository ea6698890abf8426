"""Bids for listings: who promises what for a lot, received when, and how they rank for the seller.

Owns the tables bid, auction, sealing_key, sealed_bid and receipt_book, and moves the end of a timed listing.
Tells bid.placed, admitted, awarded, confirmed, timed_out, lost, withdrawn and expired.
"""
