"""The main job, played from a manifest of returned goods to a certificate anybody can verify, through the Python client alone.

Owns no table and tells nothing: it starts the market's processes on an embedded PostgreSQL and is then a partner like any other.
"""

from services.demo.playing import play

__all__ = ["play"]
