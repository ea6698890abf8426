"""The double-entry ledger: accounts by name, and the one way to post. A debit is positive, a credit negative.

`post` calls one database function, which is idempotent by key, refuses the same key with another body and locks
accounts in id order. The app's role may read the three tables and call the function, and nothing else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.payments.errors import PostingRefused
from services.payments.gateway import BalanceTransaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Account:
    code: str
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.code}:{self.owner}" if self.owner else self.code


Line = tuple[Account, Money]

STRIPE_BALANCE = Account("stripe_balance")
STRIPE_FEE = Account("stripe_fee")
COMMISSION = Account("commission")
SUSPENSE = Account("suspense")


def deal_hold(order_id: str) -> Account:
    return Account("deal_hold", order_id)


def deposit_hold(deposit_id: str) -> Account:
    return Account("deposit_hold", deposit_id)


def payable(org_id: str) -> Account:
    return Account("payable", org_id)


def refund_due(org_id: str) -> Account:
    return Account("refund_due", org_id)


def receivable(org_id: str) -> Account:
    return Account("receivable", org_id)


def vat_output(country: str) -> Account:
    return Account("vat_output", country)


_POST = text(
    "SELECT ledger_post(:key, :kind, :livemode, :order_id, :stripe_ref, :effective_at, :reverses,"
    " CAST(:lines AS jsonb))"
)


async def post(
    work: UnitOfWork,
    key: str,
    kind: str,
    order_id: str | None,
    lines: Sequence[Line],
    stripe_ref: str | None = None,
    *,
    effective_at: datetime | None = None,
    reverses: int | None = None,
) -> bool:
    """Writes the posting, or answers False if this key has it already. PostingRefused names the constraint; the unit of
    work is lost with it. Every line must be different from zero: leave out what is nothing, or use `nonzero`.
    """
    values = {
        "key": key,
        "kind": kind,
        "livemode": work.livemode,
        "order_id": order_id,
        "stripe_ref": stripe_ref,
        "effective_at": effective_at or work.now,
        "reverses": reverses,
        "lines": json.dumps([_line(account, money) for account, money in lines]),
    }
    try:
        return bool((await work.session.execute(_POST, values)).scalar_one())
    except DBAPIError as error:
        constraint = _constraint(error)
        if constraint is None:
            raise
        raise PostingRefused(key, constraint) from error


def collected(hold: Account, asked: Money, booked: BalanceTransaction) -> list[Line]:
    """P1 and D1. What was booked differently from what was asked passes through suspense, and a person looks at it."""
    in_full = nonzero((STRIPE_BALANCE, booked.net), (STRIPE_FEE, booked.fee))
    if booked.amount == asked:
        return [*in_full, (hold, -asked)]
    log.error("a payment was booked differently from what was asked", hold=str(hold), booked=str(booked.amount))
    return [*in_full, (SUSPENSE, -booked.amount), (SUSPENSE, asked), (hold, -asked)]


def nonzero(*lines: Line) -> list[Line]:
    return [(account, money) for account, money in lines if money]


def _line(account: Account, money: Money) -> dict[str, str | int]:
    return {"code": account.code, "owner": account.owner, "currency": money.currency, "amount": money.minor}


_REFUSALS = {
    "ledger_posting_unbalanced": "unbalanced",
    "ledger_posting_too_few_lines": "too_few_lines",
    "ledger_posting_key_reused": "key_reused",
    "uq_ledger_posting_stripe_ref": "stripe_ref_reused",
    "ck_ledger_account_not_overdrawn": "overdrawn",
    "ck_ledger_entry_amount_not_zero": "zero_amount",
    "ledger_account_unknown": "account_unknown",
}


def _constraint(error: DBAPIError) -> str | None:
    cause = getattr(error.orig, "__cause__", None)
    return _REFUSALS.get(getattr(cause, "constraint_name", None) or "")


async def is_posted(work: UnitOfWork, key: str) -> bool:
    statement = text("SELECT EXISTS (SELECT FROM ledger_posting WHERE posting_key = :key)")
    return bool((await work.session.execute(statement, {"key": key})).scalar_one())


_BALANCE = text(
    "SELECT CASE WHEN hot THEN COALESCE((SELECT sum(amount) FROM ledger_entry WHERE account_id = ledger_account.id), 0)"
    " ELSE balance END FROM ledger_account"
    " WHERE livemode = :livemode AND code = :code AND owner = :owner AND currency = :currency"
)


async def balance(work: UnitOfWork, account: Account, currency: str) -> Money:
    """Debit-positive; zero for an account nobody has posted to."""
    values = {"livemode": work.livemode, "code": account.code, "owner": account.owner, "currency": currency}
    found = (await work.session.execute(_BALANCE, values)).scalar_one_or_none()
    return Money(int(found or 0), currency)


async def credit(work: UnitOfWork, account: Account, currency: str) -> Money:
    """The balance of a liability, seen as what is owed."""
    return -(await balance(work, account, currency))


_TRIAL = text(
    "SELECT code, owner, ledger_entry.currency, sum(amount) AS amount FROM ledger_entry"
    " JOIN ledger_account ON ledger_account.id = account_id WHERE ledger_account.livemode = :livemode"
    " GROUP BY 1, 2, 3 HAVING sum(amount) <> 0 ORDER BY 1, 2, 3"
)


async def trial_balance(work: UnitOfWork) -> dict[tuple[Account, str], Money]:
    """Every account that is not zero, summed from its entries, by account and currency."""
    rows = (await work.session.execute(_TRIAL, {"livemode": work.livemode})).all()
    return {(Account(row.code, row.owner), row.currency): Money(int(row.amount), row.currency) for row in rows}
