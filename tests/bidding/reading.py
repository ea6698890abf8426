"""What is in the database and in the log, read around the verbs."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.kernel.database import Sessions
from services.listings.models import Listing
from tests.factories.parties import Party

_HEARD = text("SELECT type FROM event WHERE audience ? :org AND type LIKE :family ORDER BY ordinal")
_BIDS = text(
    "SELECT id, status, ended_reason, sequence, received_at, price_minor FROM bid WHERE bidder_id = :org ORDER BY id"
)


async def heard(sessions: Sessions, party: Party, family: str = "bid.%") -> list[str]:
    """The types of the events the party may know, oldest first."""
    async with sessions() as session:
        return list((await session.execute(_HEARD, {"org": party.org.id, "family": family})).scalars())


async def bids_of(sessions: Sessions, party: Party) -> list[Any]:
    """Rows of the party's bids, oldest first."""
    async with sessions() as session:
        return list((await session.execute(_BIDS, {"org": party.org.id})).all())


async def statuses(sessions: Sessions, listing: Listing) -> dict[str, str]:
    """Of the listing's bids, by id."""
    async with sessions() as session:
        rows = await session.execute(text("SELECT id, status FROM bid WHERE listing_id = :id"), {"id": listing.id})
        return {row.id: row.status for row in rows.all()}


async def listing_row(sessions: Sessions, listing: Listing) -> Any:
    async with sessions() as session:
        query = text("SELECT status, effective_end_at, version FROM listing WHERE id = :id")
        return (await session.execute(query, {"id": listing.id})).one()


async def end_of(sessions: Sessions, listing: Listing) -> datetime:
    end: datetime = (await listing_row(sessions, listing)).effective_end_at
    return end
