"""Bids for listings: who promises what for a lot, received when, and how they rank for the seller.

Owns the tables bid, auction, sealing_key, sealed_bid, receipt_book, bid_counter, integrity_finding, demand_order, demand_cell,
demand_match and proven_bidder, and moves the end of a timed listing. Tells bid.placed, admitted, met_price, countered,
counter_lapsed, awarded, confirmed, timed_out, lost, withdrawn and expired, and
demand_order.created, paused, resumed, cancelled, expired and matched.
"""
