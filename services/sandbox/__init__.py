"""A market with a ready-made cast, to build and test against.

Owns no table and tells nothing: it starts the market's processes on a PostgreSQL of its own, registers two organizations
per role through the Python client, puts a few things on offer, and says as JSON who is there and with which keys.
"""

from services.sandbox.folder import FolderNotUsable
from services.sandbox.running import PortTaken, run

__all__ = ["FolderNotUsable", "PortTaken", "run"]
