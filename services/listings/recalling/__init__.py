"""Recalls: a manufacturer says which goods it wants back, matching goods are stopped at once, and what became of them is counted.

Owns the tables recall_campaign and stop.
"""
