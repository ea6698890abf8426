"""Stripe's JSON bodies read into our own dataclasses; knows neither the library nor the network."""

from datetime import UTC, datetime
from typing import Any

from services.payments.gateway import Account, BalanceTransaction, BankInstructions, Payment, Refund, Reversal, Transfer
from services.payments.stripe_gateway.amounts import from_stripe


def account(body: dict[str, Any]) -> Account:
    recipient = (body.get("configuration") or {}).get("recipient") or {}
    transfers = ((recipient.get("capabilities") or {}).get("stripe_balance") or {}).get("stripe_transfers") or {}
    entries = (body.get("requirements") or {}).get("entries") or []
    return Account(
        id=body["id"],
        transfers_status=transfers.get("status") or "unsupported",
        requirements=[entry["description"] for entry in entries],
        op=_op(body),
        is_closed=bool(body.get("closed")),
    )


def payment(body: dict[str, Any]) -> Payment:
    charge = body.get("latest_charge")
    transaction = charge.get("balance_transaction") if isinstance(charge, dict) else None
    return Payment(
        id=body["id"],
        status=body["status"],
        amount=from_stripe(body["amount"], body["currency"]),
        op=_op(body),
        customer_account=body.get("customer_account"),
        transfer_group=body.get("transfer_group"),
        created_at=_instant(body["created"]),
        charge_id=charge["id"] if isinstance(charge, dict) else charge,
        balance_transaction=balance_transaction(transaction) if isinstance(transaction, dict) else None,
        instructions=_instructions((body.get("next_action") or {}).get("display_bank_transfer_instructions")),
    )


def _instructions(body: dict[str, Any] | None) -> BankInstructions | None:
    addresses = [address["iban"] for address in (body or {}).get("financial_addresses") or [] if address.get("iban")]
    if body is None or not addresses:
        return None
    return BankInstructions(
        iban=addresses[0]["iban"],
        bic=addresses[0]["bic"],
        account_holder=addresses[0]["account_holder_name"],
        reference=body["reference"],
        amount_remaining=from_stripe(body["amount_remaining"], body["currency"]),
    )


def balance_transaction(body: dict[str, Any]) -> BalanceTransaction:
    return BalanceTransaction(
        id=body["id"],
        type=body["type"],
        reporting_category=body["reporting_category"],
        amount=from_stripe(body["amount"], body["currency"]),
        fee=from_stripe(body["fee"], body["currency"]),
        net=from_stripe(body["net"], body["currency"]),
        source=_id(body.get("source")),
        created_at=_instant(body["created"]),
        available_on=_instant(body["available_on"]),
        status=body["status"],
    )


def transfer(body: dict[str, Any]) -> Transfer:
    return Transfer(
        id=body["id"],
        op=_op(body),
        amount=from_stripe(body["amount"], body["currency"]),
        amount_reversed=from_stripe(body["amount_reversed"], body["currency"]),
        destination=str(_id(body["destination"])),
        source_charge=_id(body.get("source_transaction")),
        transfer_group=body.get("transfer_group"),
        balance_transaction=_id(body.get("balance_transaction")),
        created_at=_instant(body["created"]),
    )


def reversal(body: dict[str, Any]) -> Reversal:
    return Reversal(
        id=body["id"],
        op=_op(body),
        amount=from_stripe(body["amount"], body["currency"]),
        transfer_id=str(_id(body["transfer"])),
        balance_transaction=_id(body.get("balance_transaction")),
        created_at=_instant(body["created"]),
    )


def refund(body: dict[str, Any]) -> Refund:
    return Refund(
        id=body["id"],
        status=body["status"],
        op=_op(body),
        amount=from_stripe(body["amount"], body["currency"]),
        intent_id=_id(body.get("payment_intent")),
        balance_transaction=_id(body.get("balance_transaction")),
        failure_balance_transaction=_id(body.get("failure_balance_transaction")),
        failure_reason=body.get("failure_reason"),
        created_at=_instant(body["created"]),
    )


def _op(body: dict[str, Any]) -> str | None:
    op = (body.get("metadata") or {}).get("op")
    return str(op) if op is not None else None


def _id(value: Any) -> str | None:
    """Of an object or of its bare id: the library expands on request."""
    found = value["id"] if isinstance(value, dict) else value
    return None if found is None else str(found)


def _instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
