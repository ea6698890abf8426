"""Goods that go different ways: a listing split and merged, sold in parts, its rest offered again; every piece and gram kept.

Owns the table lineage.
"""
