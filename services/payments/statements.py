"""The ledger as its readers see it: an operator the whole of it, an organization the accounts that are its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.payments.models import LedgerAccount, LedgerEntry, LedgerPosting
from services.payments.policy import OWN_ACCOUNTS


@dataclass(frozen=True)
class Statement:
    """A posting with those of its lines that the reader may see."""

    posting: LedgerPosting
    lines: list[tuple[LedgerEntry, LedgerAccount]]


def _readable(actor: Actor) -> list[ColumnElement[bool]]:
    conditions = [col(LedgerAccount.livemode) == actor.livemode]
    if not actor.is_operator:
        conditions += [col(LedgerAccount.owner) == actor.org_id, col(LedgerAccount.code).in_(OWN_ACCOUNTS)]
    return conditions


async def accounts(
    work: UnitOfWork, actor: Actor, *, limit: int, cursor: str | None
) -> tuple[list[tuple[LedgerAccount, Money]], str | None]:
    """With their balances, hot ones summed; and the next cursor."""
    query = select(LedgerAccount).where(*_readable(actor), col(LedgerAccount.id) > _position(cursor, 0))
    rows = (await work.session.execute(query.order_by(col(LedgerAccount.id)).limit(limit + 1))).scalars().all()
    sums = await _sums(work, [row.id for row in rows if row.hot])
    shown = [(row, Money(sums.get(row.id, row.balance), row.currency)) for row in rows[:limit]]
    return shown, _next(rows, limit)


async def _sums(work: UnitOfWork, account_ids: Sequence[int]) -> dict[int, int]:
    query = (
        select(col(LedgerEntry.account_id), func.sum(col(LedgerEntry.amount)))
        .where(col(LedgerEntry.account_id).in_(account_ids))
        .group_by(col(LedgerEntry.account_id))
    )
    return {row[0]: int(row[1]) for row in (await work.session.execute(query)).all()}


async def postings(
    work: UnitOfWork, actor: Actor, *, order_id: str | None, limit: int, cursor: str | None
) -> tuple[list[Statement], str | None]:
    """The newest first, and the next cursor. An organization's own postings are those that touch its accounts."""
    query = select(LedgerPosting).where(
        col(LedgerPosting.livemode) == actor.livemode, col(LedgerPosting.id) < _position(cursor, 2**63 - 1)
    )
    if order_id is not None:
        query = query.where(col(LedgerPosting.order_id) == order_id)
    if not actor.is_operator:
        query = query.where(col(LedgerPosting.id).in_(_touching(actor)))
    rows = (await work.session.execute(query.order_by(col(LedgerPosting.id).desc()).limit(limit + 1))).scalars().all()
    lines = await _lines(work, actor, [row.id for row in rows[:limit]])
    return [Statement(row, lines[row.id]) for row in rows[:limit]], _next(rows, limit)


def _touching(actor: Actor) -> Select[int]:
    return (
        select(col(LedgerEntry.posting_id))
        .join(LedgerAccount, col(LedgerAccount.id) == col(LedgerEntry.account_id))
        .where(*_readable(actor))
    )


async def _lines(
    work: UnitOfWork, actor: Actor, posting_ids: list[int]
) -> dict[int, list[tuple[LedgerEntry, LedgerAccount]]]:
    query = (
        select(LedgerEntry, LedgerAccount)
        .join(LedgerAccount, col(LedgerAccount.id) == col(LedgerEntry.account_id))
        .where(col(LedgerEntry.posting_id).in_(posting_ids), *_readable(actor))
        .order_by(col(LedgerEntry.posting_id), col(LedgerEntry.line))
    )
    found: dict[int, list[tuple[LedgerEntry, LedgerAccount]]] = {posting_id: [] for posting_id in posting_ids}
    for entry, account in (await work.session.execute(query)).all():
        found[entry.posting_id].append((entry, account))
    return found


def _position(cursor: str | None, default: int) -> int:
    if cursor is None:
        return default
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise invalid("/cursor", "cursor_invalid", "The cursor is not one this API gave.")
    return int(cursor)


def _next(rows: Sequence[LedgerAccount] | Sequence[LedgerPosting], limit: int) -> str | None:
    return str(rows[limit - 1].id) if len(rows) > limit else None
