"""Loading what was found, page by page."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Boolean, Select, column, select
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.pagination import PageRequest, cursor_of, foreign_cursor, key_of, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries
from services.listings.models import Listing
from services.listings.searching import asking
from services.listings.searching.offering import WITHOUT_END
from services.listings.searching.wanted import Seeker, Sort, Wanted

_COLUMNS = [f"listing.{one.name}" for one in Listing.__table__.columns]  # type: ignore[attr-defined]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AWAY = column("away_m", BigInteger)
_HAS_MORE = column("has_more", Boolean)


async def search(
    work: UnitOfWork, wanted: Wanted, paging: PageRequest, *, by: Actor
) -> tuple[Sequence[Listing], str | None]:
    """In the order that is wanted, and the next cursor. Raises Invalid where distance orders and no place is named."""
    if wanted.sort == "distance" and wanted.near is None:
        raise invalid("/near", "place_required", "Who sorts by distance says from where: near=51.3127,9.4797.")
    after = after_of(wanted.sort, key_of(paging))
    query = asking.listings(wanted, Seeker.of(by), _COLUMNS, limit=paging.limit, after=after)
    as_rows = query.text().columns(*Listing.__table__.columns, _AWAY, _HAS_MORE)  # type: ignore[attr-defined]
    rows = (await work.session.execute(select(Listing, _AWAY, _HAS_MORE).from_statement(as_rows))).all()
    cursor = cursor_after(wanted.sort, *rows[-1][:2]) if rows and rows[-1][2] else None
    return [row[0] for row in rows], cursor


async def own(
    work: UnitOfWork, paging: PageRequest, *, by: Actor, is_mine: bool, status: str | None
) -> tuple[Sequence[Listing], str | None]:
    """The caller's listings, or all it may see; newest first, and the next cursor."""
    query: Select[Listing] = queries.listings_visible_to(by)
    if is_mine:
        query = query.where(col(Listing.seller_id) == by.org_id)
    if status is not None:
        query = query.where(col(Listing.status) == status)
    return await rows_of(work, query, col(Listing.id), paging)


def cursor_after(sort: Sort, listing: Listing, away_m: int | None) -> str:
    """It says the sort, how far the page went, and the last id."""
    if sort == "closing":
        return cursor_of(f"closing:{_microseconds(listing.effective_end_at or WITHOUT_END)}:{listing.id}")
    return cursor_of(f"distance:{away_m}:{listing.id}" if sort == "distance" else listing.id)


def after_of(sort: Sort, key: str | None) -> asking.After | None:
    """Of what `key_of` reads from a cursor. Raises Invalid for one of another sort."""
    if key is None:
        return None
    named, *told = key.split(":")
    if sort == "newest" and not told:
        return (key,)
    if named != sort or len(told) != 2 or not told[0].isdecimal() or len(told[0]) > 18:
        raise foreign_cursor()
    return (_instant(int(told[0])) if sort == "closing" else int(told[0]), told[1])


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise foreign_cursor() from None
