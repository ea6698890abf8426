"""The versions this client names to the server."""

__version__ = "0.1.0"

API_VERSION = "2026-11-01"
"""Sent as Backhaul-Version with every request: answers keep this version's shape until the client is upgraded."""
