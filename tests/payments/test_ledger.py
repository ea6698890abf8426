"""What the ledger refuses, and that whatever it takes adds up."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.ids import OrderId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.payments import ledger
from services.payments.errors import PostingRefused
from services.payments.ledger import Line
from tests.conftest import Race


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def collected(order_id: str, amount: Money) -> list[Line]:
    return [(ledger.STRIPE_BALANCE, amount), (ledger.deal_hold(order_id), -amount)]


async def post(sessions: Sessions, key: str, lines: list[Line], stripe_ref: str | None = None) -> bool:
    async with UnitOfWork(sessions, system(False)) as work:
        return await ledger.post(work, key, "collected", "ord_1", lines, stripe_ref)


async def refusal(sessions: Sessions, key: str, lines: list[Line], stripe_ref: str | None = None) -> str:
    with pytest.raises(PostingRefused) as refused:
        await post(sessions, key, lines, stripe_ref)
    return refused.value.constraint


async def held(sessions: Sessions, order_id: str) -> Money:
    async with UnitOfWork(sessions, system(False)) as work:
        return await ledger.credit(work, ledger.deal_hold(order_id), "EUR")


async def test_a_posting_moves_its_accounts(sessions: Sessions) -> None:
    assert await post(sessions, "k", collected("o", eur("10.00")))
    assert await held(sessions, "o") == eur("10.00")


async def test_the_same_posting_twice_has_one_effect(sessions: Sessions) -> None:
    await post(sessions, "k", collected("o", eur("10.00")), "txn_1")
    assert not await post(sessions, "k", collected("o", eur("10.00")), "txn_1")
    assert await held(sessions, "o") == eur("10.00")


async def test_an_unbalanced_posting_is_refused(sessions: Sessions) -> None:
    lines = [(ledger.STRIPE_BALANCE, eur("10.00")), (ledger.deal_hold("o"), eur("-9.99"))]
    assert await refusal(sessions, "k", lines) == "unbalanced"


async def test_a_single_line_is_refused(sessions: Sessions) -> None:
    assert await refusal(sessions, "k", [(ledger.STRIPE_BALANCE, eur("10.00"))]) == "too_few_lines"


async def test_two_currencies_that_balance_only_together_are_refused(sessions: Sessions) -> None:
    lines = [(ledger.STRIPE_BALANCE, eur("10.00")), (ledger.deal_hold("o"), Money.of("-10.00", "USD"))]
    assert await refusal(sessions, "k", lines) == "unbalanced"


@pytest.mark.parametrize("account", [ledger.deal_hold("o"), ledger.payable("o"), ledger.refund_due("o")])
async def test_a_hold_a_payable_and_a_refund_due_are_never_overdrawn(
    sessions: Sessions, account: ledger.Account
) -> None:
    await post(sessions, "in", [(ledger.STRIPE_BALANCE, eur("10.00")), (account, eur("-10.00"))])
    lines = [(account, eur("10.01")), (ledger.STRIPE_BALANCE, eur("-10.01"))]
    assert await refusal(sessions, "out", lines) == "overdrawn"


async def test_a_key_is_not_used_again_for_another_body(sessions: Sessions) -> None:
    await post(sessions, "k", collected("o", eur("10.00")))
    assert await refusal(sessions, "k", collected("o", eur("11.00"))) == "key_reused"


async def test_one_balance_transaction_is_not_posted_twice(sessions: Sessions) -> None:
    await post(sessions, "a", collected("o", eur("10.00")), "txn_1")
    assert await refusal(sessions, "b", collected("o", eur("10.00")), "txn_1") == "stripe_ref_reused"


async def test_a_line_of_nothing_is_refused(sessions: Sessions) -> None:
    lines = [*collected("o", eur("10.00")), (ledger.COMMISSION, eur("0.00"))]
    assert await refusal(sessions, "k", lines) == "zero_amount"


async def test_an_account_nobody_knows_is_refused(sessions: Sessions) -> None:
    lines = [(ledger.Account("petty_cash"), eur("1.00")), (ledger.STRIPE_BALANCE, eur("-1.00"))]
    assert await refusal(sessions, "k", lines) == "account_unknown"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_posting (livemode, posting_key, body_hash, kind, effective_at) VALUES (false, 'x', '', 'x', now())",
        "INSERT INTO ledger_entry SELECT posting_id, 99, account_id, livemode, currency, 1 FROM ledger_entry LIMIT 1",
        "UPDATE ledger_entry SET amount = amount + 1",
        "UPDATE ledger_account SET balance = 0",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_entry",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
    ],
)
async def test_the_apps_role_can_only_read_and_call(sessions: Sessions, statement: str) -> None:
    await post(sessions, "k", collected("o", eur("10.00")))
    async with sessions() as session:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await session.execute(text(statement))


def owner_of(race: Race) -> AsyncEngine:
    return create_async_engine(make_url(race.url).set(username="backhaul_owner"), poolclass=NullPool)


async def as_owner(race: Race, *statements: str) -> None:
    """Past the function, with the rights of the schema's owner, in one committed transaction."""
    async with owner_of(race).begin() as connection:
        for statement in ("SET LOCAL app.house = 'on'", *statements):
            await connection.execute(text(statement))


ENTRY = (
    "INSERT INTO ledger_entry SELECT (SELECT max(id) FROM ledger_posting), {line}, account_id, livemode, currency, {amount}"
    " FROM ledger_entry LIMIT 1"
)
POSTING = (
    "INSERT INTO ledger_posting (livemode, posting_key, body_hash, kind, effective_at)"
    " VALUES (false, 'raw', '', 'raw', now())"
)


@pytest.mark.parametrize(
    ("statements", "constraint"),
    [
        ([POSTING], "has 0 entries"),
        ([POSTING, ENTRY.format(line=1, amount=5)], "has 1 entries"),
        ([POSTING, ENTRY.format(line=1, amount=5), ENTRY.format(line=2, amount=-4)], "does not balance"),
        ([ENTRY.format(line=3, amount=5)], "written by another transaction"),
        (["UPDATE ledger_entry SET amount = amount + 1"], "UPDATE of ledger_entry is refused"),
        (["UPDATE ledger_posting SET kind = 'x'"], "UPDATE of ledger_posting is refused"),
        (["DELETE FROM ledger_entry"], "DELETE of ledger_entry is refused"),
        (["DELETE FROM ledger_account"], "DELETE of ledger_account is refused"),
        (["TRUNCATE ledger_entry"], "TRUNCATE of ledger_entry is refused"),
    ],
)
async def test_even_the_owner_cannot_break_the_books(race: Race, statements: list[str], constraint: str) -> None:
    await post(race.sessions, "k", collected("o", eur("10.00")))
    with pytest.raises(DBAPIError, match=constraint):
        await as_owner(race, *statements)


async def test_a_line_that_joins_after_an_early_check_is_still_seen(race: Race) -> None:
    """The trigger stands on the entry as well as on the posting: checked early, a later line would go unseen."""
    await post(race.sessions, "k", collected("o", eur("10.00")))
    balanced = [POSTING, ENTRY.format(line=1, amount=5), ENTRY.format(line=2, amount=-5)]
    checked = ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]
    with pytest.raises(DBAPIError, match="does not balance"):
        await as_owner(race, *balanced, *checked, ENTRY.format(line=3, amount=7))


async def test_twenty_postings_from_one_hold_at_once_never_overdraw_it(race: Race) -> None:
    await post(race.sessions, "in", collected("o", eur("50.00")))

    async def release(number: int) -> bool:
        lines = [(ledger.deal_hold("o"), eur("10.00")), (ledger.payable(f"org_{number % 3}"), eur("-10.00"))]
        return await post(race.sessions, f"out:{number}", lines)

    results = await asyncio.gather(*(release(number) for number in range(20)), return_exceptions=True)
    assert sum(result is True for result in results) == 5
    assert await held(race.sessions, "o") == eur("0.00")


async def test_twenty_twins_of_one_posting_have_one_effect(race: Race) -> None:
    twins = (post(race.sessions, "k", collected("o", eur("10.00")), "txn_1") for _ in range(20))
    assert sorted(await asyncio.gather(*twins)) == [False] * 19 + [True]
    assert await held(race.sessions, "o") == eur("10.00")


ACCOUNTS = ["stripe_balance", "deal_hold", "payable", "refund_due", "receivable", "commission"]
HOT = {"stripe_balance", "commission"}
steps = st.lists(
    st.tuples(
        st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS), st.integers(1, 500), st.sampled_from(["EUR", "JPY"])
    ),
    max_size=25,
)


def is_overdrawn(code: str, balance: int) -> bool:
    return code not in HOT and (balance < 0 if code == "receivable" else balance > 0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_any_sequence_of_postings_sums_to_zero_and_overdraws_nothing(
    sessions: Sessions, steps: list[tuple[str, str, int, str]]
) -> None:
    """Held against a model of a few lines: the ledger takes exactly what the model takes, and ends where it ends."""
    owner, model = OrderId.new(), dict[tuple[str, str], int]()
    for number, (debit, credit, amount, currency) in enumerate(steps):
        after = moved(model, debit, credit, amount, currency)
        lines = [
            (ledger.Account(debit, owner), Money(amount, currency)),
            (ledger.Account(credit, owner), Money(-amount, currency)),
        ]
        fits = not any(is_overdrawn(code, balance) for (code, _), balance in after.items())
        assert await taken(sessions, f"{owner}:{number}", lines) is fits
        model = after if fits else model
    assert await balances_of(sessions, owner) == {key: balance for key, balance in model.items() if balance}


def moved(
    model: dict[tuple[str, str], int], debit: str, credit: str, amount: int, currency: str
) -> dict[tuple[str, str], int]:
    after = dict(model)
    for code, change in ((debit, amount), (credit, -amount)):
        after[code, currency] = after.get((code, currency), 0) + change
    return after


async def taken(sessions: Sessions, key: str, lines: list[Line]) -> bool:
    with suppress(PostingRefused):
        return await post(sessions, key, lines)
    return False


async def balances_of(sessions: Sessions, owner: str) -> dict[tuple[str, str], int]:
    async with UnitOfWork(sessions, system(False)) as work:
        rows: Any = await ledger.trial_balance(work)
    mine = {
        (account.code, currency): money.minor for (account, currency), money in rows.items() if account.owner == owner
    }
    sums = [sum(minor for (_, c), minor in mine.items() if c == currency) for currency in ("EUR", "JPY")]
    assert sums == [0, 0]
    return mine
