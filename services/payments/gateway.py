"""The way out to the payment provider, in our own words: no type of the provider's library reaches a verb.

Amounts are `Money` in the house's minor units and upper-case currency. `op_key` is the idempotency key of one attempt
(`{operation}:{generation}`, the second phase of a payment `…:confirm`); `metadata_op` is the operation's name, which
the provider keeps on the object so that it can be found again. The provider repeats its first answer to a key for a
day, a refusal and a 500 included: after either, read and go on under the next generation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from services.kernel.money import Money

RefusalKind = Literal["account_restricted", "insufficient_balance", "permanent"]


class GatewayError(Exception):
    """Something went wrong at the border; one of the two below."""


class GatewayUnavailable(GatewayError):
    """No answer, a timeout, 409, 429 or 5xx: whether the effect happened is unknown.

    After `is_server_error` the provider has stored a 500 for this key: read, and if the effect is absent raise the
    generation.
    """

    def __init__(self, message: str, *, is_server_error: bool = False) -> None:
        super().__init__(message)
        self.is_server_error = is_server_error


class GatewayRefused(GatewayError):
    """Understood and declined: nothing happened. `kind` says what can heal it."""

    def __init__(self, code: str, message: str, *, kind: RefusalKind = "permanent") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.kind: RefusalKind = kind


@dataclass(frozen=True, slots=True)
class Account:
    """`transfers_status` is active, pending, rejected, restricted or unsupported; `requirements` names what is due."""

    id: str
    transfers_status: str
    requirements: list[str]
    op: str | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of our balance, signed as seen from us: `net` = `amount` − `fee`."""

    id: str
    type: str
    reporting_category: str
    amount: Money
    fee: Money
    net: Money
    source: str | None
    created_at: datetime
    available_on: datetime
    status: str


@dataclass(frozen=True, slots=True)
class BankInstructions:
    """Where and with which reference the payer sends what is still open."""

    iban: str
    bic: str
    account_holder: str
    reference: str
    amount_remaining: Money


@dataclass(frozen=True, slots=True)
class Payment:
    """An intent: `requires_payment_method|confirmation|action`, `processing`, `succeeded` or `canceled`.

    `balance_transaction` stays None until the provider has booked the charge; a fee is read there, never computed.
    """

    id: str
    status: str
    amount: Money
    op: str | None
    customer_account: str | None
    transfer_group: str | None
    created_at: datetime
    charge_id: str | None
    balance_transaction: BalanceTransaction | None
    instructions: BankInstructions | None


@dataclass(frozen=True, slots=True)
class Transfer:
    id: str
    op: str | None
    amount: Money
    amount_reversed: Money
    destination: str
    source_charge: str | None
    transfer_group: str | None
    balance_transaction: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reversal:
    id: str
    op: str | None
    amount: Money
    transfer_id: str
    balance_transaction: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """`pending` or `requires_action`, then `succeeded`, `failed` or `canceled`; done only when it succeeded."""

    id: str
    status: str
    op: str | None
    amount: Money
    intent_id: str | None
    balance_transaction: str | None
    failure_balance_transaction: str | None
    failure_reason: str | None
    created_at: datetime


class Gateway(Protocol):
    """Every method may raise GatewayUnavailable or GatewayRefused."""

    async def create_account(self, *, op_key: str, name: str, country: str, email: str, metadata_op: str) -> Account:
        """One organization, able to receive transfers and to be charged. `country` is ISO 3166 alpha-2."""

    async def account(self, account_id: str) -> Account: ...

    async def account_link(self, account_id: str, refresh_url: str, return_url: str) -> str:
        """A single-use onboarding URL that expires; never store it."""

    async def create_payment(
        self, *, op_key: str, metadata_op: str, amount: Money, customer_account: str, transfer_group: str
    ) -> Payment:
        """Unconfirmed: nothing is collected until `confirm_payment`. At most 99,999,999 minor units."""

    async def confirm_payment(self, *, op_key: str, intent_id: str) -> Payment:
        """A second confirm under another key is refused with `payment_intent_unexpected_state`: read first."""

    async def payment(self, intent_id: str) -> Payment: ...

    async def cancel_payment(self, *, op_key: str, intent_id: str) -> Payment: ...

    async def find_payments(
        self,
        *,
        customer_account: str | None = None,
        transfer_group: str | None = None,
        created_after: datetime | None = None,
    ) -> list[Payment]:
        """Newest first. The provider filters by account and time only, so name the account wherever it is known."""

    async def create_transfer(
        self,
        *,
        op_key: str,
        metadata_op: str,
        amount: Money,
        destination: str,
        source_charge: str | None,
        transfer_group: str,
    ) -> Transfer:
        """`source_charge` is a charge, never an intent; None draws on the available balance."""

    async def find_transfers(self, transfer_group: str) -> list[Transfer]: ...

    async def reverse_transfer(self, *, op_key: str, metadata_op: str, transfer_id: str, amount: Money) -> Reversal: ...

    async def find_reversals(self, transfer_id: str) -> list[Reversal]: ...

    async def create_refund(
        self, *, op_key: str, metadata_op: str, intent_id: str, amount: Money, instructions_email: str
    ) -> Refund: ...

    async def refund(self, refund_id: str) -> Refund: ...

    async def find_refunds(self, intent_id: str) -> list[Refund]: ...

    async def balance(self) -> dict[str, int]:
        """Pending, available and reserved together, in house minor units per upper-case currency."""

    async def balance_transaction(self, transaction_id: str) -> BalanceTransaction: ...

    async def balance_transactions(self, created_after: datetime | None = None) -> list[BalanceTransaction]:
        """Everything since then inclusive, newest first, over all pages."""
