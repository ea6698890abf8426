"""Bids for listings: who promises what for a lot, received when, and how they rank for the seller.

Owns the tables bid, bid_counter and integrity_finding, and moves the end of a timed listing.
Tells bid.placed, admitted, met_price, countered, counter_lapsed, awarded, confirmed, timed_out, lost, withdrawn and expired.
"""
