"""Listings as everybody reads them, by the lane: a statement for a listing with its items, one for a page of a search. The answers
are written by PostgreSQL (`faces`): as models they would cost more than reading them."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from services.kernel.http.handing import Told
from services.kernel.http.lane import Asked, Row, Statement
from services.kernel.json_sql import NULL, thing
from services.listings.faces import DETAIL, SUMMARY
from services.listings.searching import Place, Seeker, Wanted, asking, cursor_after, distance_km
from services.listings.searching.asking import After
from services.parties.recognizing import DOOR, OF_THE_ASKER

_DETAIL = f"""{DOOR}
SELECT door.is_known, listing.version, {thing(DETAIL)} AS told FROM door
LEFT JOIN LATERAL (
    SELECT * FROM listing
    WHERE door.is_known AND id = $8 AND livemode = $2::boolean AND seller_id <> $1
        AND published_at IS NOT NULL AND (visibility = 'public' OR $1 = ANY (invited || admitted)) OFFSET 0
) listing ON true"""
"""Drafts, and what is the caller's own, are the route's: it tells what may be done with them."""


def detail(asked: Asked) -> Statement | None:
    """None for operators, who are told more."""
    return None if asked.query or asked.actor.is_operator else Statement(_DETAIL, asked.ids)


def tell_detail(asked: Asked, rows: Sequence[Row]) -> Told | None:
    """What is not there the route refuses."""
    version = rows[0]["version"]
    return None if version is None else Told(rows[0]["told"].encode(), version)


def page(wanted: Wanted, seeker: Seeker, *, limit: int, after: After | None) -> Statement:
    """By distance the statement itself depends on how far the page before went."""
    if after is None or wanted.sort == "distance":
        return _page(wanted, seeker, limit, after)
    like_it = _page(wanted, seeker, limit, _ENDED[wanted.sort])
    ended = dict(zip(_ENDED[wanted.sort], after, strict=True))
    return Statement(like_it.sql, [ended[one] if isinstance(one, _End) else one for one in like_it.parameters])


class _End:
    """Stands where a page before ended, in a statement that is made once for all pages."""


_ENDED: dict[str, After] = {"newest": (_End(),), "closing": (_End(), _End())}


@lru_cache(maxsize=1_000)
def _page(wanted: Wanted, seeker: Seeker, limit: int, after: After | None) -> Statement:
    query = asking.listings(wanted, seeker, list(_shown(wanted)), limit=limit, after=after)
    sql = _PARAMETER.sub(lambda found: f"${int(found[1]) + OF_THE_ASKER}", query.sql)
    return Statement(
        f"{DOOR} SELECT door.is_known, found.* FROM door"
        f" LEFT JOIN LATERAL (SELECT * FROM ({sql}) q WHERE door.is_known OFFSET 0) found ON true",
        query.parameters,
    )


_PARAMETER = re.compile(r"\$(\d+)")
_TOLD, _FOUND = f"{thing(SUMMARY)} AS told", f"{thing(SUMMARY | {'distance_km': NULL})} AS told"


def _shown(wanted: Wanted) -> Iterator[str]:
    """The listing as it is told, and what the cursor and the distance are made of."""
    yield "listing.id"
    if wanted.sort == "closing":
        yield "listing.effective_end_at"
    if wanted.near is None:
        yield _FOUND
    else:
        yield from (_TOLD, "listing.latitude", "listing.longitude")


def tell_page(wanted: Wanted, rows: Sequence[Any]) -> Told:
    shown = rows if rows[0]["id"] is not None else []
    cursor = cursor_after(wanted.sort, shown[-1], shown[-1]["away_m"]) if shown and shown[-1]["has_more"] else None
    near = wanted.near
    data = ",".join([row["told"] if near is None else _found_from(near, row) for row in shown])
    ends = 'false,"next_cursor":null' if cursor is None else f'true,"next_cursor":"{cursor}"'
    return Told(f'{{"data":[{data}],"has_more":{ends}}}'.encode())


def _found_from(near: Place, row: Any) -> str:
    return f'{row["told"][:-1]},"distance_km":{away_km(near, row)!r}}}'


def away_km(near: Place, listing: Any) -> float:
    """As it is told: in tenths, as the crow flies."""
    return round(distance_km(near, Place(listing.latitude, listing.longitude)), 1)
