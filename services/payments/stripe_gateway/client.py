"""`StripeGateway`, the one file of this package that imports the library.

Telemetry is off: the library would otherwise write an id into the user's configuration directory and send it along.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import uuid4

import httpx
import stripe
from stripe import HTTPXClient, StripeClient

from services.kernel.money import Money
from services.payments.gateway import (
    Account,
    BalanceTransaction,
    GatewayRefused,
    GatewayUnavailable,
    Payment,
    Refund,
    RefusalKind,
    Reversal,
    Transfer,
)
from services.payments.stripe_gateway import reading
from services.payments.stripe_gateway.amounts import from_stripe, to_stripe

stripe.enable_telemetry = False

TIMEOUT = httpx.Timeout(20, connect=5)
_READ: stripe.RequestOptions = {"max_network_retries": 2}
_WITH_CHARGE = ["latest_charge.balance_transaction"]

_KINDS: dict[str, RefusalKind] = {
    "insufficient_capabilities_for_transfer": "account_restricted",
    "transfers_not_allowed": "account_restricted",
    "capability_not_enabled": "account_restricted",
    "account_closed": "account_restricted",
    "balance_insufficient": "insufficient_balance",
    "insufficient_funds": "insufficient_balance",
}


class StripeGateway:
    """A `Gateway`. Belongs to the event loop it is made in: make it in a lifespan and `close()` it there.

    `base_url` points at the simulator; `http_client` replaces the connection (a test's transport) and closes with it.
    """

    def __init__(
        self, api_key: str, *, base_url: str | None = None, http_client: httpx.AsyncClient | None = None
    ) -> None:
        self._http = _Connection(http_client)
        self._client = StripeClient(
            api_key,
            http_client=self._http,
            max_network_retries=1,
            base_addresses={"api": base_url.rstrip("/")} if base_url else None,
        )

    async def close(self) -> None:
        await self._http.connection.aclose()

    async def create_account(self, *, op_key: str, name: str, country: str, email: str, metadata_op: str) -> Account:
        async with _translated():
            created = await self._client.v2.core.accounts.create_async(
                {
                    "display_name": name,
                    "contact_email": email,
                    "identity": {"country": country, "entity_type": "company"},
                    "dashboard": "express",
                    "defaults": {
                        "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
                    },
                    "configuration": {
                        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
                        "customer": {},
                    },
                    "metadata": {"op": metadata_op},
                    "include": ["configuration.recipient", "requirements"],
                },
                {"idempotency_key": op_key},
            )
            return reading.account(created.to_dict())

    async def account(self, account_id: str) -> Account:
        async with _translated():
            found = await self._client.v2.core.accounts.retrieve_async(
                account_id, {"include": ["configuration.recipient", "requirements"]}, _READ
            )
            return reading.account(found.to_dict())

    async def account_link(self, account_id: str, refresh_url: str, return_url: str) -> str:
        """Each call makes a new link, so each has a key of its own: a repeated one could be used up already."""
        async with _translated():
            link = await self._client.v2.core.account_links.create_async(
                {
                    "account": account_id,
                    "use_case": {
                        "type": "account_onboarding",
                        "account_onboarding": {"refresh_url": refresh_url, "return_url": return_url},
                    },
                },
                {"idempotency_key": f"{account_id}:link:{uuid4().hex}"},
            )
            return link.url

    async def create_payment(
        self, *, op_key: str, metadata_op: str, amount: Money, customer_account: str, transfer_group: str
    ) -> Payment:
        minor, currency = to_stripe(amount)
        async with _translated():
            intent = await self._client.v1.payment_intents.create_async(
                {
                    "amount": minor,
                    "currency": currency,
                    "customer_account": customer_account,
                    "transfer_group": transfer_group,
                    "metadata": {"op": metadata_op},
                    "allowed_payment_method_types": ["customer_balance"],
                    "payment_method_data": {"type": "customer_balance"},
                    "payment_method_options": {
                        "customer_balance": {
                            "funding_type": "bank_transfer",
                            "bank_transfer": {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "DE"}},
                        }
                    },
                },
                {"idempotency_key": op_key},
            )
            return reading.payment(intent.to_dict())

    async def confirm_payment(self, *, op_key: str, intent_id: str) -> Payment:
        async with _translated():
            intent = await self._client.v1.payment_intents.confirm_async(
                intent_id, {"expand": _WITH_CHARGE}, {"idempotency_key": op_key}
            )
            return reading.payment(intent.to_dict())

    async def payment(self, intent_id: str) -> Payment:
        async with _translated():
            intent = await self._client.v1.payment_intents.retrieve_async(intent_id, {"expand": _WITH_CHARGE}, _READ)
            return reading.payment(intent.to_dict())

    async def cancel_payment(self, *, op_key: str, intent_id: str) -> Payment:
        async with _translated():
            intent = await self._client.v1.payment_intents.cancel_async(
                intent_id,
                {"cancellation_reason": "requested_by_customer", "expand": _WITH_CHARGE},
                {"idempotency_key": op_key},
            )
            return reading.payment(intent.to_dict())

    async def find_payments(
        self,
        *,
        customer_account: str | None = None,
        transfer_group: str | None = None,
        created_after: datetime | None = None,
    ) -> list[Payment]:
        params: stripe.params.PaymentIntentListParams = {
            "limit": 100,
            "expand": ["data.latest_charge.balance_transaction"],
        }
        if customer_account:
            params["customer_account"] = customer_account
        if created_after:
            params["created"] = {"gte": int(created_after.timestamp())}
        async with _translated():
            page = await self._client.v1.payment_intents.list_async(params, _READ)
            found = [reading.payment(intent.to_dict()) async for intent in page.auto_paging_iter()]
        return [payment for payment in found if transfer_group in (None, payment.transfer_group)]

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
        minor, currency = to_stripe(amount)
        params: stripe.params.TransferCreateParams = {
            "amount": minor,
            "currency": currency,
            "destination": destination,
            "transfer_group": transfer_group,
            "metadata": {"op": metadata_op},
        }
        if source_charge:
            params["source_transaction"] = source_charge
        async with _translated():
            created = await self._client.v1.transfers.create_async(params, {"idempotency_key": op_key})
            return reading.transfer(created.to_dict())

    async def find_transfers(self, transfer_group: str) -> list[Transfer]:
        async with _translated():
            page = await self._client.v1.transfers.list_async({"transfer_group": transfer_group, "limit": 100}, _READ)
            return [reading.transfer(found.to_dict()) async for found in page.auto_paging_iter()]

    async def reverse_transfer(self, *, op_key: str, metadata_op: str, transfer_id: str, amount: Money) -> Reversal:
        minor, _ = to_stripe(amount)
        async with _translated():
            created = await self._client.v1.transfers.reversals.create_async(
                transfer_id, {"amount": minor, "metadata": {"op": metadata_op}}, {"idempotency_key": op_key}
            )
            return reading.reversal(created.to_dict())

    async def find_reversals(self, transfer_id: str) -> list[Reversal]:
        async with _translated():
            page = await self._client.v1.transfers.reversals.list_async(transfer_id, {"limit": 100}, _READ)
            return [reading.reversal(found.to_dict()) async for found in page.auto_paging_iter()]

    async def create_refund(
        self, *, op_key: str, metadata_op: str, intent_id: str, amount: Money, instructions_email: str
    ) -> Refund:
        minor, _ = to_stripe(amount)
        async with _translated():
            created = await self._client.v1.refunds.create_async(
                {
                    "payment_intent": intent_id,
                    "amount": minor,
                    "reason": "requested_by_customer",
                    "instructions_email": instructions_email,
                    "metadata": {"op": metadata_op},
                },
                {"idempotency_key": op_key},
            )
            return reading.refund(created.to_dict())

    async def refund(self, refund_id: str) -> Refund:
        async with _translated():
            return reading.refund((await self._client.v1.refunds.retrieve_async(refund_id, None, _READ)).to_dict())

    async def find_refunds(self, intent_id: str) -> list[Refund]:
        async with _translated():
            page = await self._client.v1.refunds.list_async({"payment_intent": intent_id, "limit": 100}, _READ)
            return [reading.refund(found.to_dict()) async for found in page.auto_paging_iter()]

    async def balance(self) -> dict[str, int]:
        async with _translated():
            answer = (await self._client.v1.balance.retrieve_async(None, _READ)).to_dict()
        sums: dict[str, int] = {}
        for part in ("available", "pending", "connect_reserved"):
            for line in answer.get(part) or []:
                money = from_stripe(line["amount"], line["currency"])
                sums[money.currency] = sums.get(money.currency, 0) + money.minor
        return sums

    async def balance_transaction(self, transaction_id: str) -> BalanceTransaction:
        async with _translated():
            found = await self._client.v1.balance_transactions.retrieve_async(transaction_id, None, _READ)
            return reading.balance_transaction(found.to_dict())

    async def balance_transactions(self, created_after: datetime | None = None) -> list[BalanceTransaction]:
        params: stripe.params.BalanceTransactionListParams = {"limit": 100}
        if created_after:
            params["created"] = {"gte": int(created_after.timestamp())}
        async with _translated():
            page = await self._client.v1.balance_transactions.list_async(params, _READ)
            return [reading.balance_transaction(found.to_dict()) async for found in page.auto_paging_iter()]


class _Connection(HTTPXClient):
    """The library's httpx client; over a connection of the caller's where one is given."""

    def __init__(self, http_client: httpx.AsyncClient | None) -> None:
        super().__init__(timeout=TIMEOUT)
        self.connection: httpx.AsyncClient = http_client or self._client_async
        self._client_async = self.connection


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        raise _ours(error) from error


def _ours(error: stripe.StripeError) -> GatewayUnavailable | GatewayRefused:
    """By HTTP status first: the library spreads 409 over several classes. No status means no usable answer."""
    status, message = error.http_status, error.user_message or type(error).__name__
    if status is None or status in (409, 429) or not 400 <= status < 500:
        return GatewayUnavailable(message, is_server_error=status is not None and status >= 500)
    if isinstance(error, stripe.RateLimitError):
        return GatewayUnavailable(message)
    code = error.code or getattr(error.error, "code", None) or getattr(error.error, "type", None) or f"http_{status}"
    return GatewayRefused(code, message, kind=_KINDS.get(code, "permanent"))
