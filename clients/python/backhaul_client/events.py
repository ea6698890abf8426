"""Partner events, a class per type, to tell with isinstance what `verify_webhook` or `read_event` answered."""

from ._generated.events import *  # noqa: F403
