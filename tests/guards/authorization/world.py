"""A market in which every operation has something to be done to: built once, through the verbs."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from tests.factories.parties import Party
from tests.guards.authorization import carriage, cast, proof, telling, trade
from tests.guards.authorization.cast import Cast

ID = re.compile(r"\b[a-z]{3,4}_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
_ID_TABLES = text(
    "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'id'"
    " AND data_type IN ('text', 'character varying')"
)


@dataclass(frozen=True)
class World:
    """`things` are ids by what the requests call them, `ids` all ids that came to be in it, `public` those that the market
    shows to everybody."""

    cast: Cast
    things: Mapping[str, str]
    ids: frozenset[str]
    public: frozenset[str]
    names: frozenset[str] = field(default_factory=frozenset)

    def __getitem__(self, thing: str) -> str:
        return self.things[thing]

    @property
    def sessions(self) -> Sessions:
        return self.cast.market.sessions

    def party(self, name: str) -> Party:
        return self.cast[name]


@asynccontextmanager
async def built(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[World]:
    """The outsiders come first: every id that is not there yet when they have come belongs to others."""
    outsiders = await cast.outsiders(runtime.sessions)
    theirs = await _all_ids(runtime.sessions)
    async with cast.assembled(runtime, client, outsiders) as parties:
        things = await trade.listed(parties)
        things |= await carriage.ordered(parties)
        things |= await proof.certified(parties, runtime, things)
        things |= await carriage.hauled(parties, client)
        things |= await telling.told(parties, things)
        ids = await _all_ids(runtime.sessions) - theirs
        public = await _public_ids(runtime.sessions)
        yield World(parties, things, ids, public, cast.names_of(list(parties.parties.values())))


async def _all_ids(sessions: Sessions) -> frozenset[str]:
    async with sessions() as session:
        tables = (await session.execute(_ID_TABLES)).scalars().all()
        union = " UNION ".join(f'SELECT id FROM "{table}"' for table in tables)
        found = (await session.execute(text(union))).scalars().all()
    return frozenset(id for id in found if ID.fullmatch(id))


_PUBLIC = text(
    "SELECT unnest(ARRAY[listing.id, item.id, listing.seller_id, listing.site_id]) FROM listing"
    " LEFT JOIN item ON item.listing_id = listing.id WHERE published_at IS NOT NULL AND visibility = 'public'"
)


async def _public_ids(sessions: Sessions) -> frozenset[str]:
    """Of what is offered to everybody: the listing, its items, whose it is and where it lies."""
    async with sessions() as session:
        return frozenset(id for id in (await session.execute(_PUBLIC)).scalars() if id is not None)
