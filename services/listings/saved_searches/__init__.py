"""Searches that are kept, and tell their organization when a listing is published that fits."""
