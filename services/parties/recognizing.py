"""Whom the door has let in before: the actor of an API key, good as long as the rows he followed from are untouched.

The lane asks that in the statement that reads what was asked for: key, member and organization stand in the versions that the door
saw (`xmin` changes with every update), the key has not expired, and its use was noted in the last minute. Otherwise the answer
is that nobody is known, and the door looks again: what is revoked opens nothing from the commit on.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from services.kernel import clock, second_wall
from services.kernel.actors import Actor, doorkeeper
from services.kernel.database import Sessions
from services.kernel.errors import Problem
from services.kernel.http.routing import Authenticate, Known
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys

MOST = 10_000
"""Credentials that a process remembers; the longest unused goes first."""


def is_known(*, who: str, livemode: str, key: str, stamps: Sequence[str]) -> str:
    """In SQL: whether key, member and organization stand as the door saw them; `who` is a condition, the others are expressions."""
    now = f"({clock.NOW.replace(':mode', livemode)})"
    return f"""EXISTS (
        SELECT FROM api_key k JOIN member m ON m.id = k.member_id JOIN organization o ON o.id = k.org_id
        WHERE {who} AND k.id = {key} AND k.xmin = {stamps[0]} AND m.xmin = {stamps[1]} AND o.xmin = {stamps[2]}
            AND (k.expires_at IS NULL OR k.expires_at > {now}) AND k.last_used_at > {now} - interval '1 minute'
    )"""


DOOR = f"""
WITH asker AS MATERIALIZED (
    SELECT set_config('app.org_id', $1, true) AS org_id, set_config('app.livemode', $2, true) AS livemode,
        set_config('app.house', $3, true) AS house
), door AS MATERIALIZED (
    SELECT {is_known(who="asker.org_id = $1", livemode="$2::boolean", key="$4", stamps=("$5", "$6", "$7"))} AS is_known FROM asker
)"""
"""What a statement of the lane begins with. Whatever it reads hangs on `door.is_known` by LATERAL, so that nothing is looked at
before the asker is named; where the planner found a way around, policies would show nothing."""

OF_THE_ASKER = 7
"""Parameters that `DOOR` takes."""

_STAMPS = text(
    "SELECT k.xmin, m.xmin, o.xmin FROM api_key k JOIN member m ON m.id = k.member_id"
    " JOIN organization o ON o.id = k.org_id WHERE k.id = :key"
)


class Acquaintances:
    """`runtime.lane`: what the lane needs. A token is remembered by its hash alone."""

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[Any]],
        sessions: Sessions,
        authenticate: Authenticate,
        *,
        serves_live: bool,
    ) -> None:
        self.connect = connect
        self._sessions, self._authenticate, self._serves_live = sessions, authenticate, serves_live
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    async def known(self, token: str) -> Known | None:
        """None for what is no key, or opens nothing."""
        if not token.startswith(tuple(api_keys.PREFIXES)):
            return None
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._known.get(digest) or await self._meet(token)
        if found is not None:
            self._remember(digest, found)
        return found

    def forget(self, token: str) -> None:
        self._known.pop(sha256(token.encode("utf-8", "surrogatepass")).digest(), None)

    def _remember(self, digest: bytes, known: Known) -> None:
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    async def _meet(self, token: str) -> Known | None:
        """The stamps are read before the door looks: rows that change in between are never taken for those it saw."""
        try:
            _, key_id, _ = api_keys.read(token)
            async with UnitOfWork(self._sessions, doorkeeper()) as work:
                stamps = (await work.session.execute(_STAMPS, {"key": key_id})).one_or_none()
                actor = await self._authenticate(work, token, serves_live=self._serves_live)
        except Problem:
            return None
        return None if stamps is None else Known(actor, _parameters(actor, tuple(stamps)))


def _parameters(actor: Actor, stamps: tuple[int, ...]) -> tuple[object, ...]:
    asker = second_wall.asker_of(actor).settings
    return (asker["org_id"], asker["livemode"], asker["house"], actor.key_id, *stamps)
