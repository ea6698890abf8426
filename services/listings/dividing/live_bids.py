"""Whether anybody could still win what is in a listing: asked of the bidding, which stands above and says how it answers."""

from collections.abc import Awaitable, Callable

from services.kernel.ids import ListingId
from services.kernel.unit_of_work import UnitOfWork

Ask = Callable[[UnitOfWork, ListingId], Awaitable[bool]]
_asked: list[Ask] = []


def answered_by(ask: Ask) -> Ask:
    """Decorates the one that knows."""
    assert not _asked, "one context knows of bids"
    _asked.append(ask)
    return ask


async def are_there(work: UnitOfWork, listing_id: ListingId) -> bool:
    return await _asked[0](work, listing_id)
