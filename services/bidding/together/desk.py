"""Which bids are taken together: whole lots of timed listings, by key, without an end of their own. The rest is the route's."""

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError

from services.bidding.schemas import NewBidRequest
from services.bidding.together.taking import Promise, take
from services.kernel.errors import Problem
from services.kernel.gathering import Gathering
from services.kernel.http.handing import Handed, Told
from services.kernel.http.routing import Runtime
from services.parties.dossiers import Dossiers

Answer = Told | Problem | None


class Bids:
    """The desk of `bids.place`: one of its kind in a process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._dossiers = Dossiers(runtime.sessions)
        self._gathering = Gathering[Promise, Answer](self._deal, key=lambda promise: promise.new.listing_id)
        self._claimed: dict[bytes, asyncio.Future[None]] = {}

    async def take(self, handed: Handed) -> Answer:
        new = _read(handed.body)
        if new is None:
            return None
        if handed.claim is None:
            return await self._bring(handed, new)
        key = handed.claim.key_hash
        twin = self._claimed.get(key)
        if twin is not None:
            await twin
            return None
        under_way = self._claimed[key] = asyncio.get_running_loop().create_future()
        try:
            return await self._bring(handed, new)
        finally:
            del self._claimed[key]
            under_way.set_result(None)

    async def _bring(self, handed: Handed, new: NewBidRequest) -> Answer:
        dossier = await self._dossiers.of(handed.actor.org, livemode=handed.actor.livemode)
        return None if dossier is None else await self._gathering.bring(Promise(handed, new, dossier))

    async def _deal(self, batch: Sequence[Promise]) -> list[Answer]:
        """One environment after the other: they share nothing."""
        answers: dict[int, Answer] = {}
        for livemode in (True, False):
            of_it = [promise for promise in batch if promise.actor.livemode == livemode]
            if of_it:
                answers.update(zip(map(id, of_it), await self._taken(of_it, livemode=livemode), strict=True))
        return [answers[id(promise)] for promise in batch]

    async def _taken(self, batch: Sequence[Promise], *, livemode: bool) -> list[Answer]:
        assert self._runtime.lane is not None
        async with self._runtime.lane.connect() as connection:
            return await take(connection, batch, livemode=livemode, forget=self._dossiers.forget)


def _read(body: bytes) -> NewBidRequest | None:
    """None for what the route refuses, or takes alone."""
    try:
        new = NewBidRequest.model_validate_json(body)
    except ValidationError:
        return None
    return new if new.parts is None and new.valid_until is None else None
