"""The ledger's three tables, for reading: only the database function `ledger_post` writes them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from services.kernel.money import Money
from services.kernel.tables import Instant


class LedgerAccount(SQLModel, table=True):
    """`balance` is debit-positive minor units, and stays 0 on a hot account: that is summed on reading, never
    row-locked.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("livemode", "code", "owner", "currency"),
        UniqueConstraint("id", "livemode", "currency"),
        CheckConstraint("kind IN ('asset', 'liability', 'income', 'expense')", name="kind_known"),
        CheckConstraint(
            "hot OR overdraft OR CASE WHEN kind IN ('asset', 'expense') THEN balance >= 0 ELSE balance <= 0 END",
            name="not_overdrawn",
        ),
        Index("ix_ledger_account_owner", "owner"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    livemode: bool
    kind: str
    code: str
    owner: str
    currency: str
    hot: bool
    overdraft: bool
    balance: int = Field(sa_type=BigInteger)


class LedgerPosting(SQLModel, table=True):
    """`stripe_ref` is the provider's balance transaction; `xid` the transaction that wrote it, in which alone lines may
    join.
    """

    __tablename__ = "ledger_posting"
    __table_args__ = (
        UniqueConstraint("id", "livemode"),
        Index(
            "uq_ledger_posting_stripe_ref", "stripe_ref", unique=True, postgresql_where=text("stripe_ref IS NOT NULL")
        ),
        Index("ix_ledger_posting_order_id", "order_id"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    livemode: bool
    posting_key: str = Field(unique=True)
    body_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    kind: str
    order_id: str | None = None
    stripe_ref: str | None = None
    effective_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_column=Column(Instant, nullable=False, server_default=text("clock_timestamp()")))
    xid: int = Field(
        sa_column=Column(BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint"))
    )
    reverses: int | None = Field(default=None, sa_type=BigInteger, foreign_key="ledger_posting.id")


class LedgerEntry(SQLModel, table=True):
    """One line: a debit is positive."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        ForeignKeyConstraint(["posting_id", "livemode"], ["ledger_posting.id", "ledger_posting.livemode"]),
        ForeignKeyConstraint(
            ["account_id", "livemode", "currency"],
            ["ledger_account.id", "ledger_account.livemode", "ledger_account.currency"],
        ),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        Index("ix_ledger_entry_account_id", "account_id"),
    )

    posting_id: int = Field(sa_type=BigInteger, primary_key=True)
    line: int = Field(primary_key=True)
    account_id: int = Field(sa_type=BigInteger)
    livemode: bool
    currency: str
    amount: int = Field(sa_type=BigInteger)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
