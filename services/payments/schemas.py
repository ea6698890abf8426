"""What partners send and read about money."""

from typing import Any

from pydantic import ConfigDict, Field, HttpUrl

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import DealId, OrgId, PaymentId, RefundId, TransferId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.payments.models import Deal, LedgerAccount, Payment, PayoutAccount, Refund, Transfer
from services.payments.statements import Statement


class InstructionsAnswer(Response):
    """Where the payer sends the money, and the reference that must be on it."""

    iban: str
    bic: str
    account_holder: str
    reference: str
    amount_remaining: Money


class PaymentAnswer(Response):
    """One payment that is asked for."""

    id: PaymentId
    status: str = Field(
        description="planned, requires_action, processing, succeeded, canceled or failed; open for more"
    )
    amount: Money
    collected_at: UtcDatetime | None
    instructions: InstructionsAnswer | None = Field(description="Given while the money has not arrived")

    @classmethod
    def of(cls, payment: Payment) -> "PaymentAnswer":
        return cls(
            id=payment.id,
            status=payment.status,
            amount=payment.amount,
            collected_at=payment.collected_at,
            instructions=InstructionsAnswer.model_validate(payment.instructions) if payment.instructions else None,
        )


class TransferAnswer(Response):
    """One payout to you."""

    id: TransferId
    leg: str = Field(description="haulage, goods or fee")
    status: str = Field(description="planned, blocked or paid")
    blocked_reason: str | None
    amount: Money
    paid_at: UtcDatetime | None


class RefundAnswer(Response):
    """One return to you."""

    id: RefundId
    status: str = Field(description="planned, pending, requires_action, succeeded, failed or canceled")
    amount: Money
    paid_at: UtcDatetime | None


class DealAnswer(Response):
    """The money side of an order, as you see it from your side. Amounts of the other side are null."""

    id: DealId
    order_id: str
    livemode: bool
    status: str = Field(
        description="agreed, collecting, collect_failed, held, settling, settled, closed, cancelling or cancelled"
    )
    side: str = Field(description="payer, payee or operator")
    seller_id: OrgId
    buyer_id: OrgId
    goods: Money = Field(description="Net price at the upper tolerance; below zero the seller pays")
    accepted: Money = Field(description="Net, signed as the price: what has been settled so far")
    contested: Money = Field(description="Net: what stays held until it is decided")
    exposure: Money | None = Field(description="The most the payer can owe, collected up front; payer only")
    payments: list[PaymentAnswer] = Field(description="Yours; an operator sees all")
    transfers: list[TransferAnswer] = Field(description="Yours; an operator sees all")
    refunds: list[RefundAnswer] = Field(description="Yours; an operator sees all")
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(
        cls,
        deal: Deal,
        *,
        side: str,
        sees_exposure: bool,
        payments: list[Payment],
        transfers: list[Transfer],
        refunds: list[Refund],
    ) -> "DealAnswer":
        return cls(
            id=deal.id,
            order_id=deal.order_id,
            livemode=deal.livemode,
            status=deal.status,
            side=side,
            seller_id=deal.seller_id,
            buyer_id=deal.buyer_id,
            goods=deal.money(deal.goods_minor),
            accepted=deal.money(deal.accepted_minor),
            contested=deal.money(deal.contested_minor),
            exposure=deal.exposure if sees_exposure else None,
            payments=[PaymentAnswer.of(payment) for payment in payments],
            transfers=[TransferAnswer.model_validate(transfer) for transfer in transfers],
            refunds=[RefundAnswer.model_validate(refund) for refund in refunds],
            created_at=deal.created_at,
            version=deal.version,
        )


class DealPage(Page[DealAnswer]):
    """Deals, the newest first."""


class PayoutAccountAnswer(Response):
    """Your account at the payment provider: where you are paid, and through which you pay."""

    org_id: OrgId
    livemode: bool
    status: str = Field(
        description="requested, created, link_issued, pending_requirements, active, restricted or closed; only an active"
        " one can be paid"
    )
    requirements: list[str] = Field(description="What the provider still asks for, in its words")
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, account: PayoutAccount) -> "PayoutAccountAnswer":
        return cls.model_validate(account)


class LinkRequest(Request):
    """Where the provider sends the person back to."""

    return_url: HttpUrl = Field(description="After the form is done")
    refresh_url: HttpUrl = Field(description="When the link was used or has expired: ask for a new one there")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"return_url": "https://example.com/payouts/done", "refresh_url": "https://example.com/payouts/again"}
            ]
        },
    )


class LinkAnswer(Response):
    """A single-use link to the provider's form; it expires within minutes."""

    url: str


class LedgerAccountAnswer(Response):
    """An account of the ledger. Debits are positive."""

    code: str = Field(description="payable, receivable or refund_due; operators see all the others too")
    owner: str = Field(description="Whose it is: an organization, an order or a country; empty for the platform's own")
    kind: str = Field(description="asset, liability, income or expense")
    balance: Money

    @classmethod
    def of(cls, account: LedgerAccount, balance: Money) -> "LedgerAccountAnswer":
        return cls(code=account.code, owner=account.owner, kind=account.kind, balance=balance)


class LedgerAccountPage(Page[LedgerAccountAnswer]):
    """Accounts, in the order in which they were opened."""


class LedgerEntryAnswer(Response):
    """One line of a posting. A debit is positive."""

    code: str
    owner: str
    amount: Money


class LedgerPostingAnswer(Response):
    """One posting with the lines you may see; an operator sees them all, and they sum to zero per currency."""

    key: str
    kind: str = Field(
        description="collected, settled, transferred, refunded, cancelled, netted, refund_failed, released or forfeited"
    )
    order_id: str | None
    effective_at: UtcDatetime
    recorded_at: UtcDatetime
    entries: list[LedgerEntryAnswer]

    @classmethod
    def of(cls, statement: Statement) -> "LedgerPostingAnswer":
        posting = statement.posting
        lines: list[dict[str, Any]] = [
            {"code": account.code, "owner": account.owner, "amount": entry.money} for entry, account in statement.lines
        ]
        return cls(
            key=posting.posting_key,
            kind=posting.kind,
            order_id=posting.order_id,
            effective_at=posting.effective_at,
            recorded_at=posting.recorded_at,
            entries=[LedgerEntryAnswer.model_validate(line) for line in lines],
        )


class LedgerPostingPage(Page[LedgerPostingAnswer]):
    """Postings, the newest first."""
