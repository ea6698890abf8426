"""What is wanted as one SQL statement: pure, with positional parameters, for asyncpg as for SQLAlchemy.

Words of ours (facets, materials, countries) stand in the text as they are, so that the planner knows how many rows each has,
whatever it has prepared; what a caller wrote is always a parameter.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text

from services.listings.searching import facets
from services.listings.searching.places import (
    COARSE,
    EARTH_RADIUS_KM,
    FINE,
    FINE_KM,
    OVER_THE_EDGE_KM,
    Place,
    cells_within,
    distance_km,
    middle,
)
from services.listings.searching.wanted import Seeker, Wanted
from services.listings.searching.words import sign, words

MERGED_KM = 120.0
"""Up to this radius the cells are read one by one, each in order; in a wider circle something is always near."""

INNER = 1.3
"""A cell whose middle lies within so many radii is read before the others: enough of it is in the circle."""

FIRST_STEP_KM = 40.0
WIDER = 2.5
_POSITION = re.compile(r"\$(\d+)")
_PLAIN = re.compile(r"[a-z0-9_:]{0,60}")

After = tuple[Any, ...]
"""Where the page before ended: (listing id) newest first, (closes_at, listing id), or (metres, listing id)."""

SORTED_BY = {"newest": "listing_id DESC", "closing": "closes_at, listing_id", "distance": "away_m, listing_id"}
_LAST = {"newest": ("listing_id", ">=", "min", ""), "closing": ("closes_at", "<=", "max", "infinity")}
"""Where a full page ends, and what no page ends before."""
_KEYS = {"newest": "listing_id", "closing": "closes_at, listing_id", "distance": "away_m, listing_id"}


@dataclass(frozen=True)
class Query:
    """`sql` with $1, $2, … and what they stand for."""

    sql: str
    parameters: tuple[Any, ...]

    def text(self) -> TextClause:
        """For SQLAlchemy, bound."""
        named = {f"p{place}": value for place, value in enumerate(self.parameters, start=1)}
        return text(_POSITION.sub(r":p\1", self.sql)).bindparams(**named)


class _Parameters:
    def __init__(self) -> None:
        self.values: list[Any] = []

    def __call__(self, value: Any, type: str) -> str:
        self.values.append(value)
        return f"CAST(${len(self.values)} AS {type})"


def page(wanted: Wanted, seeker: Seeker, *, limit: int, after: After | None = None) -> Query:
    """The ids of `limit` listings in order, with what they are ordered by: `listing_id`, `closes_at` or `away_m`."""
    bind = _Parameters()
    found = _found(wanted, seeker, bind, limit, after)
    return Query(_first(found, wanted, limit), tuple(bind.values))


def listings(
    wanted: Wanted, seeker: Seeker, columns: Sequence[str], *, limit: int, after: After | None = None
) -> Query:
    """The listings themselves: these columns or expressions of `listing`, then `away_m` (null unless it orders them), and in every
    row whether there are more."""
    ids = page(wanted, seeker, limit=limit + 1, after=after)
    away = "shown.away_m" if wanted.sort == "distance" else "CAST(NULL AS bigint) AS away_m"
    order = ", ".join(f"shown.{key}" for key in SORTED_BY[wanted.sort].split(", "))
    sql = (
        f"WITH page AS MATERIALIZED ({ids.sql}), shown AS (SELECT * FROM page ORDER BY {SORTED_BY[wanted.sort]}"
        f" LIMIT {int(limit)}) SELECT {', '.join(columns)}, {away}, (SELECT count(*) FROM page) > {int(limit)} AS has_more"
        f" FROM shown JOIN listing ON listing.id = shown.listing_id ORDER BY {order}"
    )
    return Query(sql, ids.parameters)


def _found(wanted: Wanted, seeker: Seeker, bind: _Parameters, limit: int, after: After | None) -> str:
    if wanted.sort == "distance":
        return _in_widening_circles(wanted, seeker, bind, limit, after)
    asked = [*_asked(wanted, seeker, bind), *_beyond(wanted, bind, after)]
    if wanted.near is None:
        return _rows(asked)
    asked.append(f"{_chord(wanted.near, bind)} <= {_most_chord(wanted.radius_km, bind)}")
    if wanted.radius_km > MERGED_KM:
        return _rows([*asked, _in_cells(wanted.near, wanted.radius_km, bind)])
    return _in_each_cell(wanted, wanted.near, bind, asked, limit)


def _in_each_cell(wanted: Wanted, near: Place, bind: _Parameters, asked: Sequence[str], limit: int) -> str:
    """A cell that the circle only touches may hold thousands outside of it: it is read as far as the page that the others fill."""
    column, cells = _cells(near, wanted.radius_km, is_of_items=not _drives(wanted))
    home, *around = cells
    inner = [home, *(cell for cell in around if distance_km(near, middle(cell)) <= INNER * wanted.radius_km)]

    def read(cells: Iterable[int], *also: str) -> str:
        of_cells = (_rows([*asked, f"o.{column} = {bind(cell, 'bigint')}", *also]) for cell in cells)
        return " UNION ALL ".join(f"({_first(rows, wanted, limit)})" for rows in of_cells)

    outer = [cell for cell in around if cell not in inner]
    if not outer:
        return read(inner)
    key, comparison, last, never = _LAST[wanted.sort]
    until = f"(SELECT CASE WHEN count(*) = {int(limit)} THEN {last}({key}) ELSE '{never}' END FROM inmost)"
    return (
        f"WITH inmost AS MATERIALIZED ({_first(read(inner), wanted, limit)})"
        f" SELECT * FROM inmost UNION ALL {read(outer, f'o.{key} {comparison} {until}')}"
    )


def _first(rows: str, wanted: Wanted, limit: int) -> str:
    keys = _KEYS[wanted.sort]
    return f"SELECT DISTINCT ON ({keys}) {keys} FROM ({rows}) o ORDER BY {SORTED_BY[wanted.sort]} LIMIT {int(limit)}"


def _rows(asked: Sequence[str], also: str = "") -> str:
    return f"SELECT o.listing_id, o.closes_at{also} FROM offer o WHERE {' AND '.join(asked)}"


def _in_widening_circles(wanted: Wanted, seeker: Seeker, bind: _Parameters, limit: int, after: After | None) -> str:
    """The nearest first: a circle is looked into only where the one inside it held too few. A wider one holds all of the narrower,
    so it takes its place."""
    assert wanted.near is not None, "who sorts by distance says from where"
    asked = _asked(wanted, seeker, bind)
    chord = _chord(wanted.near, bind)
    away = f", CAST(round({2000 * EARTH_RADIUS_KM} * asin(sqrt(least(1.0, {chord})))) AS bigint) AS away_m"
    least_m, least_id = after if after is not None else (-1, "")
    further = f"(away_m, listing_id) > ({bind(least_m, 'bigint')}, {bind(least_id, 'text')})"
    circles: list[str] = []
    for radius_km in _steps(wanted.radius_km, least_m / 1000):
        within = [*asked, f"{chord} <= {_most_chord(radius_km, bind)}", _in_cells(wanted.near, radius_km, bind)]
        too_few = [f"(SELECT count(*) FROM circle_{inner}) < {int(limit)}" for inner in range(len(circles))]
        circles.append(
            f"circle_{len(circles)} AS MATERIALIZED (SELECT DISTINCT ON (away_m, listing_id) away_m, listing_id,"
            f" closes_at FROM ({_rows([*within, *too_few], away)}) o WHERE {further}"
            f" ORDER BY away_m, listing_id LIMIT {int(limit)})"
        )
    together = " UNION ALL ".join(f"SELECT * FROM circle_{place}" for place in range(len(circles)))
    return f"WITH {', '.join(circles)} {together}"


def _steps(radius_km: float, least_km: float) -> Iterator[float]:
    step = FIRST_STEP_KM
    while step < radius_km:
        if step > least_km:
            yield step
        step *= WIDER
    yield radius_km


def _drives(wanted: Wanted) -> str:
    """The term whose rows are read: the longest word is the rarest, as a rule."""
    said = words(wanted.text)
    if said:
        return f"w:{max(said, key=len)}"
    return f"m:{wanted.material}" if wanted.material else ""


def _asked(wanted: Wanted, seeker: Seeker, bind: _Parameters) -> list[str]:
    term = _drives(wanted)
    asked = [
        f"o.livemode = {str(seeker.livemode).lower()}",
        f"o.status = {_literal(wanted.status, bind)}",
        f"o.term = {_literal(term, bind)}",
        *_of_the_item(wanted, bind),
        *_of_the_listing(wanted, bind),
        *_seen(seeker, bind),
    ]
    if wanted.material and term != f"m:{wanted.material}":
        asked.append(f"strpos(o.materials, {_literal(wanted.material, bind, around='|')}) > 0")
    for word in words(wanted.text):
        if term != f"w:{word}":
            asked += [f"(o.said IS NULL OR strpos(o.said, '{sign(word)}') > 0)", _also_said(word, wanted, seeker, bind)]
    return asked


def _of_the_item(wanted: Wanted, bind: _Parameters) -> Iterator[str]:
    yield from _graded(wanted)
    if wanted.return_reason:
        yield f"o.return_reason = {facets.number('return_reason', wanted.return_reason)}"
    if wanted.waste_code:
        yield f"o.waste_code = {_literal(wanted.waste_code, bind)}"


def _graded(wanted: Wanted) -> Iterator[str]:
    """Both say what they say about one column; together they may leave nothing."""
    exact, worst = facets.number("grade", wanted.condition), facets.number("grade", wanted.condition_floor)
    if exact:
        yield f"o.grade = {exact}" if not worst or exact <= worst else "false"
    elif worst:
        yield f"o.grade BETWEEN 1 AND {worst}"


def _of_the_listing(wanted: Wanted, bind: _Parameters) -> Iterator[str]:
    for facet, value in (
        ("disposition_floor", wanted.disposition_floor),
        ("mode", wanted.mode),
        ("direction", wanted.price_direction),
    ):
        if value:
            yield f"o.{facet} = {facets.number(facet, value)}"
    if wanted.country:
        yield f"o.country = {bind(wanted.country, 'text')}"
    for column, comparison, bound, type in (
        ("mass_g", ">=", wanted.least_g, "bigint"),
        ("mass_g", "<=", wanted.most_g, "bigint"),
        ("closes_at", ">=", wanted.closes_from, "timestamptz"),
        ("closes_at", "<=", wanted.closes_until, "timestamptz"),
    ):
        if bound is not None:
            yield f"o.{column} {comparison} {bind(bound, type)}"


def _seen(seeker: Seeker, bind: _Parameters) -> Iterator[str]:
    """The seller's own and what is offered to all or to the seeker; a delegate limited to sites finds those of the seller's own
    that lie there."""
    if seeker.is_operator:
        return
    me = bind(seeker.org_id, "text")
    yield f"(o.seen_by IS NULL OR {me} = ANY (o.seen_by))"
    if seeker.site_ids is not None:
        sites = bind(sorted(seeker.site_ids), "text[]")
        of_sites = f"l.seller_id <> {me} OR l.site_id = ANY ({sites})"
        yield f"(SELECT {of_sites} FROM listing l WHERE l.id = o.listing_id)"


def _beyond(wanted: Wanted, bind: _Parameters, after: After | None) -> Iterator[str]:
    if after is None:
        return
    if wanted.sort == "newest":
        yield f"o.listing_id < {bind(after[0], 'text')}"
    else:
        yield f"(o.closes_at, o.listing_id) > ({bind(after[0], 'timestamptz')}, {bind(after[1], 'text')})"


def _also_said(word: str, wanted: Wanted, seeker: Seeker, bind: _Parameters) -> str:
    """What the signs let through is looked up row by row: OFFSET keeps the planner from reading all of the word instead."""
    return (
        "EXISTS (SELECT FROM offer other WHERE other.listing_id = o.listing_id"
        f" AND other.livemode = {str(seeker.livemode).lower()} AND other.status = {_literal(wanted.status, bind)}"
        f" AND other.term = {_literal(f'w:{word}', bind)} OFFSET 0)"
    )


def _cells(near: Place, radius_km: float, *, is_of_items: bool) -> tuple[str, list[int]]:
    if is_of_items and radius_km <= FINE_KM:
        return "h3_res4", cells_within(near, radius_km + OVER_THE_EDGE_KM, FINE)
    return "h3_res3", cells_within(near, radius_km, COARSE)


def _in_cells(near: Place, radius_km: float, bind: _Parameters) -> str:
    return f"o.h3_res3 = ANY ({bind(cells_within(near, radius_km, COARSE), 'bigint[]')})"


def _chord(near: Place, bind: _Parameters) -> str:
    """The square of half the chord between the places on the unit sphere (haversine)."""
    north = f"sin(radians(o.latitude - {bind(near.latitude, 'float8')}) / 2) ^ 2"
    east = f"sin(radians(o.longitude - {bind(near.longitude, 'float8')}) / 2) ^ 2"
    shrink = bind(math.cos(math.radians(near.latitude)), "float8")
    return f"({north} + {shrink} * cos(radians(o.latitude)) * {east})"


def _most_chord(radius_km: float, bind: _Parameters) -> str:
    return bind(math.sin(radius_km / (2 * EARTH_RADIUS_KM)) ** 2, "float8")


def _literal(word: str, bind: _Parameters, around: str = "") -> str:
    return f"'{around}{word}{around}'" if _PLAIN.fullmatch(word) else bind(f"{around}{word}{around}", "text")
