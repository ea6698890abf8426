"""Tells watchers of a listing how its bidding stands, as it changes (server-sent events).

Every message is the whole of what may be told, so that nothing is missed by whoever reconnects: it sends the id of the last one it
has seen, and is told at once if things have changed since. A listing that is watched is read once per change and process, however
many watch it; between changes nobody holds a connection to the database.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError

from services.bidding import queries
from services.bidding.errors import TooManyStreams
from services.kernel import second_wall
from services.kernel.database import Sessions
from services.kernel.ids import BidId, ListingId, OrgId
from services.kernel.listening import Ears
from services.kernel.money import Money
from services.listings.models import BEFORE_THE_CLOSE

HEARTBEAT = 15.0
"""Seconds; a comment is sent, and the listing is read even if nothing was heard."""
LONGEST = 900.0
"""Seconds after which a stream ends by itself: whoever reconnects is authenticated anew."""
MOST = 20
"""Streams of one organization in one process."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class View:
    """How bidding stands, as far as anybody may be told; of a listing that is not timed no more than its status and end."""

    listing_id: ListingId
    status: str
    ends_at: datetime | None
    version: int
    price: Money | None = None
    count: int | None = None
    leader_id: OrgId | None = None
    leader_bid_id: BidId | None = None

    @property
    def id(self) -> str:
        """The same in every process."""
        return f"{self.version}.{self.count or 0}"

    @property
    def is_over(self) -> bool:
        return self.status not in BEFORE_THE_CLOSE

    def as_told_to(self, org_id: OrgId | None) -> dict[str, Any]:
        return {
            "listing_id": self.listing_id,
            "status": self.status,
            "effective_end_at": self.ends_at,
            "leading_price": None if self.price is None else self.price.to_wire(),
            "bids": self.count,
            "is_leading": None if self.leader_id is None else self.leader_id == org_id,
        }


def kind_of(before: View | None, now: View) -> str:
    """The event's name: closed, extended, price, or status for anything else."""
    if now.is_over:
        return "closed"
    if before is None:
        return "status"
    if before.ends_at != now.ends_at:
        return "extended"
    return "price" if (before.price, before.leader_bid_id) != (now.price, now.leader_bid_id) else "status"


async def look(sessions: Sessions, listing_id: ListingId) -> View:
    async with second_wall.house(sessions) as session:
        listing, auction = (await session.execute(queries.standing(listing_id))).one()
        seen = View(listing.id, listing.status, listing.effective_end_at, listing.version)
        if listing.mode != "timed" or auction is None:
            return seen
        return View(
            seen.listing_id,
            seen.status,
            seen.ends_at,
            seen.version,
            price=Money(auction.price_minor, listing.currency),
            count=auction.count,
            leader_id=auction.leader_id,
            leader_bid_id=auction.leader_bid_id,
        )


@dataclass
class Room:
    """Where the watchers of one listing sit; `view` is the newest there is."""

    view: View
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    seats: int = 0

    async def show(self, view: View) -> None:
        if view != self.view:
            async with self.changed:
                self.view = view
                self.changed.notify_all()

    async def newer_than(self, known: View | None, *, within: float) -> View | None:
        """None if nothing has changed in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within), self.changed:
                await self.changed.wait_for(lambda: self.view != known)
        return None if self.view == known else self.view


class Hall:
    """The rooms of one process. Without `ears` nobody is woken, and everything is seen a heartbeat late."""

    def __init__(self, sessions: Sessions, ears: Ears | None, *, heartbeat: float = HEARTBEAT) -> None:
        self.sessions = sessions
        self.ears = ears
        self.heartbeat = heartbeat
        self.watchers: Counter[str] = Counter()
        self._rooms: dict[str, Room] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def has_a_seat(self, org_id: OrgId) -> bool:
        return self.watchers[org_id] < MOST

    def must_have_a_seat(self, org_id: OrgId) -> None:
        if not self.has_a_seat(org_id):
            raise TooManyStreams(MOST)

    @asynccontextmanager
    async def seat(self, listing_id: ListingId, org_id: OrgId) -> AsyncIterator[Room]:
        self.watchers[org_id] += 1
        room = self._rooms.get(listing_id)
        try:
            if room is None:
                room = await self._opened(listing_id)
            room.seats += 1
            try:
                yield room
            finally:
                room.seats -= 1
                if room.seats == 0:
                    await self._shut(listing_id, room)
        finally:
            self.watchers[org_id] -= 1
            self.watchers += Counter()

    async def _opened(self, listing_id: ListingId) -> Room:
        if self.ears is not None:
            await self.ears.open()
        view = await look(self.sessions, listing_id)
        room = self._rooms.setdefault(listing_id, Room(view))
        if listing_id not in self._tasks:
            self._tasks[listing_id] = asyncio.create_task(self._keep_watch(listing_id, room))
        return room

    async def _shut(self, listing_id: ListingId, room: Room) -> None:
        if self._rooms.get(listing_id) is room:
            del self._rooms[listing_id]
            task = self._tasks.pop(listing_id)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_watch(self, listing_id: ListingId, room: Room) -> None:
        """Looks once more after the ears are open, so that nothing falls between, and then whenever something was heard."""
        with self.ears.waiting_for(listing_id) if self.ears is not None else nullcontext(asyncio.Event()) as heard:
            while True:
                heard.clear()
                await self._look_again(listing_id, room)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.heartbeat):
                        await heard.wait()

    async def _look_again(self, listing_id: ListingId, room: Room) -> None:
        """A database that is gone is asked again; those who watch see nothing new meanwhile."""
        try:
            if self.ears is not None:
                await self.ears.open()
            await room.show(await look(self.sessions, listing_id))
        except (SQLAlchemyError, OSError, PostgresError, InterfaceError) as failure:
            log.warning("a watched listing was not read", listing=listing_id, error=repr(failure))

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self.ears is not None:
            await self.ears.close()


@dataclass(frozen=True)
class Message:
    """`kind` is the event's name; a heartbeat has none of the three."""

    kind: str | None = None
    id: str | None = None
    told: dict[str, Any] | None = None


async def messages(
    hall: Hall, listing_id: ListingId, org_id: OrgId, *, last_id: str | None = None, longest: float = LONGEST
) -> AsyncIterator[Message]:
    """Until bidding is over, or the stream has lasted long enough. None at all where others have taken the last seats since the
    watcher was let in: whoever reconnects is told so."""
    until = time.monotonic() + longest
    if not hall.has_a_seat(org_id):
        return
    async with hall.seat(listing_id, org_id) as room:
        known: View | None = None
        while (left := until - time.monotonic()) > 0:
            view = await room.newer_than(known, within=min(hall.heartbeat, left))
            if view is None:
                yield Message()
            elif known is not None or view.id != last_id or view.is_over:
                yield Message(kind_of(known, view), view.id, view.as_told_to(org_id))
            known = view or known
            if known is not None and known.is_over:
                return
