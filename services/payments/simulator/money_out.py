"""Transfers to payees, their reversals, and refunds to payers."""

from services.payments.simulator import templates
from services.payments.simulator.balances import available, book
from services.payments.simulator.calls import Call
from services.payments.simulator.events import tell
from services.payments.simulator.wire import (
    Json,
    Refusal,
    check_step,
    currency_of,
    metadata_of,
    missing,
    positive_amount,
    text,
    unknown_object,
)

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create_transfer(call: Call) -> Json:
    params, store = call.params, call.store
    amount = positive_amount(params)
    currency = currency_of(params, amount)
    destination = text(params, "destination")
    source = params.get("source_transaction")
    _payee_can_receive(call, destination)
    charge = _charge_covers(call, source, amount, currency) if source else None
    if charge is None and amount > available(store, currency):
        raise Refusal(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient", is_saved=True
        )
    transfer = templates.transfer(
        store.new_id("tr"),
        created=store.now,
        amount=amount,
        currency=currency,
        destination=destination,
        source=source,
        group=params.get("transfer_group") or (charge["transfer_group"] if charge else None),
        metadata=metadata_of(params),
        description=params.get("description"),
    )
    transfer["balance_transaction"] = book(
        call, type="transfer", category="transfer", amount=-amount, currency=currency, source=transfer["id"]
    )
    store.add(_payee(destination, currency), amount)
    tell(store, "transfer.created", store.put(transfer))
    return call.answer(transfer)


def transfer(call: Call) -> Json:
    return call.answer(call.existing("transfer"))


def transfers(call: Call) -> Json:
    return call.page("/v1/transfers", "transfer", "transfer_group", "destination")


def create_reversal(call: Call) -> Json:
    """As far as the payee still has the money."""
    store, transfer = call.store, call.existing("transfer")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = positive_amount(call.params, default=left)
    check_step(amount, transfer["currency"])
    if amount > left:
        raise Refusal(f"Reversal amount is greater than unreversed amount ({left}).", param="amount", is_saved=True)
    if amount > int(store.setting(_payee(transfer["destination"], transfer["currency"]), 0)):
        raise Refusal(
            "The connected account does not have enough funds.",
            code="balance_insufficient",
            param="amount",
            is_saved=True,
        )
    reversal = templates.reversal(
        store.new_id("trr"), created=store.now, amount=amount, transfer=transfer, metadata=metadata_of(call.params)
    )
    reversal["balance_transaction"] = book(
        call,
        type="transfer_refund",
        category="transfer_reversal",
        amount=amount,
        currency=transfer["currency"],
        source=reversal["id"],
    )
    store.add(_payee(transfer["destination"], transfer["currency"]), -amount)
    store.put(reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    tell(store, "transfer.reversed", store.put(transfer))
    return call.answer(reversal)


def reversals(call: Call) -> Json:
    parent = call.existing("transfer")["id"]
    return call.page(f"/v1/transfers/{parent}/reversals", "transfer_reversal", transfer=parent)


def create_refund(call: Call) -> Json:
    params, store = call.params, call.store
    charge = _charge_to_refund(call)
    left = charge["amount"] - charge["amount_refunded"]
    if not left:
        raise Refusal(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", is_saved=True
        )
    amount = positive_amount(params, default=left)
    check_step(amount, charge["currency"])
    if params.get("reason") not in (None, *_REASONS):
        raise Refusal(f"Invalid reason: must be one of {', '.join(_REASONS)}", param="reason")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise Refusal(message, param="amount", is_saved=True)
    refund = templates.refund(
        store.new_id("re"),
        created=store.now,
        amount=amount,
        charge=charge,
        reason=params.get("reason"),
        email=params.get("instructions_email"),
        metadata=metadata_of(params),
    )
    refund["balance_transaction"] = book(
        call, type="payment_refund", category="refund", amount=-amount, currency=charge["currency"], source=refund["id"]
    )
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    tell(store, "refund.created", store.put(refund))
    tell(store, "charge.refunded", store.put(charge))
    if call.behaviour.refund_delay:
        at = store.now + call.behaviour.refund_delay
        store.run("INSERT INTO due (at, step, object_id) VALUES (?, 'settle_refund', ?)", at, refund["id"])
        return call.answer(refund)
    return call.answer(settle_refund(call, refund["id"]) or refund)


def settle_refund(call: Call, refund_id: str) -> Json | None:
    """The payer's bank took it; None where it has failed meanwhile."""
    refund = call.store.get(refund_id, "refund")
    if refund is None or refund["status"] != "pending":
        return None
    refund["status"] = "succeeded"
    tell(call.store, "refund.updated", call.store.put(refund))
    return refund


def fail_refund(call: Call) -> Json:
    """The payer's bank sent it back, perhaps after it had succeeded: the money returns to our balance."""
    store, refund = call.store, call.existing("refund")
    if refund["status"] in ("failed", "canceled"):
        raise Refusal(f"This refund is already {refund['status']}.")
    refund["failure_balance_transaction"] = book(
        call,
        type="refund_failure",
        category="refund_failure",
        amount=refund["amount"],
        currency=refund["currency"],
        source=refund["id"],
    )
    refund |= {"status": "failed", "failure_reason": "declined"}
    store.put(refund)
    charge = store.get(refund["charge"], "charge")
    if charge is not None:
        charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
        store.put(charge)
    tell(store, "refund.updated", refund)
    tell(store, "refund.failed", refund)
    return refund


def refund(call: Call) -> Json:
    return call.answer(call.existing("refund"))


def refunds(call: Call) -> Json:
    return call.page("/v1/refunds", "refund", "payment_intent", "charge")


def drain_payee(call: Call) -> Json:
    """As if the payee's money had been paid out to its bank: nothing is left to reverse."""
    account = call.path["id"]
    for currency in call.store.settings_below(f"payee:{account}:"):
        call.store.set(_payee(account, currency), 0)
    return {"account": account, "balance": 0}


def _payee_can_receive(call: Call, account_id: str) -> None:
    account = call.store.get(account_id, "v2.core.account")
    if account is None:
        raise Refusal(f"No such destination: '{account_id}'", param="destination", code="resource_missing")
    recipient = account["configuration"]["recipient"] or {}
    transfers = ((recipient.get("capabilities") or {}).get("stripe_balance") or {}).get("stripe_transfers") or {}
    if transfers.get("status") != "active":
        message = "Your destination account needs to have at least one of the following capabilities enabled: transfers"
        raise Refusal(message, code="insufficient_capabilities_for_transfer", is_saved=True)


def _charge_covers(call: Call, charge_id: str, amount: int, currency: str) -> Json:
    charge = call.store.get(charge_id, "charge")
    if charge is None:
        raise Refusal(f"No such charge: '{charge_id}'", param="source_transaction", code="resource_missing")
    if charge["currency"] != currency:
        raise Refusal("The currency of source_transaction's balance transaction must match.", param="currency")
    sent = sum(each["amount"] for each in call.store.find("transfer", {"source_transaction": charge_id}))
    if sent + amount > charge["amount"]:
        message = (
            f"Transfers using this transaction as a source must not exceed the source amount of {charge['amount']}"
        )
        raise Refusal(f"{message} (already {sent}).", param="amount", is_saved=True)
    return charge


def _charge_to_refund(call: Call) -> Json:
    named = {name: call.params[name] for name in ("charge", "payment_intent") if name in call.params}
    if len(named) != 1:
        raise missing("charge or payment_intent")
    charge_id = named.get("charge")
    if charge_id is None:
        intent = call.store.get(named["payment_intent"], "payment_intent")
        if intent is None:
            raise unknown_object("payment_intent", named["payment_intent"])
        charge_id = intent["latest_charge"]
    charge = call.store.get(charge_id or "", "charge")
    if charge is None:
        message = "This PaymentIntent does not have a successful charge to refund."
        raise Refusal(message, code="payment_intent_unexpected_state", is_saved=True)
    return charge


def _payee(account: str, currency: str) -> str:
    return f"payee:{account}:{currency}"
