"""Whether our books and the provider's agree, movement by movement and in sum."""

from dataclasses import dataclass, field

from sqlalchemy import text

from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.payments import ledger
from services.payments.gateway import BalanceTransaction, Gateway


@dataclass(frozen=True)
class CurrencyReport:
    """`booked` is the sum of the provider's balance transactions, `provider` its balance, `ours` the ledger's
    stripe_balance.
    """

    currency: str
    booked: Money
    provider: Money
    ours: Money

    @property
    def agrees(self) -> bool:
        return self.booked == self.provider == self.ours


@dataclass(frozen=True)
class Report:
    """`unposted` are balance transactions without a posting, `unbooked` references of postings the provider does not
    have, `different` references whose posting moves our balance by another amount or in another currency.
    """

    currencies: list[CurrencyReport]
    unposted: list[str] = field(default_factory=list)
    unbooked: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not (self.unposted or self.unbooked or self.different) and all(each.agrees for each in self.currencies)


_POSTED = text(
    "SELECT stripe_ref, e.currency, sum(e.amount) AS amount FROM ledger_posting p"
    " JOIN ledger_entry e ON e.posting_id = p.id JOIN ledger_account a ON a.id = e.account_id"
    " WHERE p.livemode = :livemode AND a.code = 'stripe_balance' GROUP BY 1, 2"
)


async def compare(work: UnitOfWork, gateway: Gateway) -> Report:
    """Reads the whole of both sides; locks nothing."""
    transactions = await gateway.balance_transactions()
    balances = await gateway.balance()
    rows = (await work.session.execute(_POSTED, {"livemode": work.livemode})).all()
    posted = {row.stripe_ref: Money(int(row.amount), row.currency) for row in rows if row.stripe_ref}
    booked = {transaction.id: transaction.net for transaction in transactions if transaction.net}
    currencies = {*balances, *(money.currency for money in (*booked.values(), *posted.values()))}
    return Report(
        currencies=[await _compare(work, currency, transactions, balances) for currency in sorted(currencies)],
        unposted=sorted(booked.keys() - posted.keys()),
        unbooked=sorted(posted.keys() - booked.keys()),
        different=sorted(ref for ref in booked.keys() & posted.keys() if booked[ref] != posted[ref]),
    )


async def _compare(
    work: UnitOfWork, currency: str, transactions: list[BalanceTransaction], balances: dict[str, int]
) -> CurrencyReport:
    net = sum(transaction.net.minor for transaction in transactions if transaction.net.currency == currency)
    return CurrencyReport(
        currency=currency,
        booked=Money(net, currency),
        provider=Money(balances.get(currency, 0), currency),
        ours=await ledger.balance(work, ledger.STRIPE_BALANCE, currency),
    )
