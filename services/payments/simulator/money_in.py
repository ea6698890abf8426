"""Payment intents by bank transfer: created unconfirmed, confirmed once, paid by money that lands in a cash balance."""

from services.payments.simulator import templates
from services.payments.simulator.balances import book
from services.payments.simulator.calls import Call
from services.payments.simulator.events import tell
from services.payments.simulator.wire import (
    Json,
    Refusal,
    currency_of,
    fee_in,
    german_iban,
    metadata_of,
    missing,
    positive_amount,
    text,
    unknown_object,
)

_OPEN = "requires_action"
_CANCELLABLE = ("requires_payment_method", "requires_confirmation", _OPEN)


def create(call: Call) -> Json:
    params, store = call.params, call.store
    amount = positive_amount(params)
    currency = currency_of(params, amount)
    account = text(params, "customer_account")
    if store.get(account, "v2.core.account") is None:
        raise unknown_object("customer_account", account)
    intent = templates.intent(
        store.new_id("pi"),
        created=store.now,
        amount=amount,
        currency=currency,
        account=account,
        group=params.get("transfer_group"),
        metadata=metadata_of(params),
    )
    intent["allowed_payment_method_types"] = _bank_transfer_only(params)
    intent["payment_method_options"] = params.get("payment_method_options") or {}
    if params.get("payment_method_data"):
        intent |= {"payment_method": store.new_id("pm"), "status": "requires_confirmation"}
    tell(store, "payment_intent.created", store.put(intent))
    return call.answer(intent)


def confirm(call: Call) -> Json:
    store, intent = call.store, call.existing("payment_intent")
    if intent["status"] != "requires_confirmation":
        raise _unexpected_state(intent, "confirm")
    drawn = int(store.add("references", 1))
    reference = f"SIM{intent['id'][-8:].upper()}{drawn:04d}"
    store.set(f"reference:{reference}", intent["id"])
    intent["status"] = _OPEN
    intent["next_action"] = templates.bank_instructions(
        iban=german_iban(int.from_bytes(intent["customer_account"].encode()[-6:])),
        reference=reference,
        amount_remaining=intent["amount"],
        currency=intent["currency"],
        country="DE",
    )
    tell(store, "payment_intent.requires_action", store.put(intent))
    _apply_cash(call, intent["customer_account"], intent["currency"], first=intent["id"])
    return call.answer(store.get(intent["id"], "payment_intent") or intent)


def retrieve(call: Call) -> Json:
    return call.answer(call.existing("payment_intent"))


def page(call: Call) -> Json:
    return call.page("/v1/payment_intents", "payment_intent", "customer_account")


def cancel(call: Call) -> Json:
    """What had already landed for it stays in the payer's cash balance."""
    store, intent = call.store, call.existing("payment_intent")
    if intent["status"] not in _CANCELLABLE:
        raise _unexpected_state(intent, "cancel")
    landed = intent["amount"] - _remaining(intent) if intent["next_action"] else 0
    if landed:
        _move_cash(call, intent, landed, "unapplied_from_payment")
    intent |= {
        "status": "canceled",
        "canceled_at": store.now,
        "cancellation_reason": call.params.get("cancellation_reason"),
        "next_action": None,
    }
    tell(store, "payment_intent.canceled", store.put(intent))
    return call.answer(intent)


def fund(call: Call) -> Json:
    """Stripe's test helper: money for an account, with or without the reference of an intent."""
    account = call.path["id"]
    if call.store.get(account, "v2.core.account") is None:
        raise unknown_object("customer", account)
    amount = positive_amount(call.params)
    return land(call, account, amount, currency_of(call.params, amount), call.params.get("reference"))


def fund_by_reference(call: Call) -> Json:
    """A bank transfer as the payer's bank would send it: only the reference says what it is for."""
    amount = positive_amount(call.params)
    reference = text(call.params, "reference")
    intent = call.store.get(call.store.setting(f"reference:{reference}", ""), "payment_intent")
    if intent is None:
        raise unknown_object("bank transfer reference", reference)
    return land(call, intent["customer_account"], amount, currency_of(call.params, amount), reference)


def land(call: Call, account: str, amount: int, currency: str, reference: str | None) -> Json:
    """Into the cash balance, then to open intents: the referenced one, one of exactly this amount, the oldest."""
    store = call.store
    details = {"eu_bank_transfer": {"bic": None, "iban_last4": None, "sender_name": None}, "type": "eu_bank_transfer"}
    ending = store.add(_cash(account, currency), amount)
    landed = templates.cash_transaction(
        store.new_id("ccsbtxn"),
        created=store.now,
        account=account,
        type="funded",
        net=amount,
        ending=ending,
        currency=currency,
        detail={"funded": {"bank_transfer": {**details, "reference": reference}}},
    )
    tell(store, "customer_cash_balance_transaction.created", store.put(landed))
    available = store.settings_below(f"cash:{account}:")
    tell(store, "cash_balance.funds_available", templates.cash_balance(account, available))
    _apply_cash(call, account, currency, first=store.setting(f"reference:{reference}"), exactly=amount)
    return landed


def open_bank_transfers(call: Call) -> list[Json]:
    """What the simulated payers are asked for, oldest first."""
    waiting = reversed(call.store.find("payment_intent", {"status": _OPEN}))
    return [
        {
            "payment_intent": intent["id"],
            "customer_account": intent["customer_account"],
            "reference": _asked(intent)["reference"],
            "amount": _asked(intent)["amount_remaining"],
            "currency": intent["currency"],
        }
        for intent in waiting
    ]


def book_charge(call: Call, charge_id: str) -> None:
    """The balance transaction, which Stripe may add after `charge.succeeded`."""
    store = call.store
    charge = store.get(charge_id, "charge")
    if charge is None or charge["balance_transaction"]:
        return
    charge["balance_transaction"] = book(
        call,
        type="payment",
        category="charge",
        amount=charge["amount"],
        fee=fee_in(charge["currency"], call.behaviour.fee),
        currency=charge["currency"],
        source=charge_id,
        delay=call.behaviour.available_delay,
    )
    tell(store, "charge.updated", store.put(charge))


def _bank_transfer_only(params: Json) -> list[str]:
    allowed = params.get("allowed_payment_method_types") or ["customer_balance"]
    kind = (params.get("payment_method_data") or {}).get("type", "customer_balance")
    if allowed != ["customer_balance"] or kind != "customer_balance":
        raise Refusal(
            f"Not imitated by the simulator: payment methods other than customer_balance, here {allowed}, {kind}"
        )
    options = (params.get("payment_method_options") or {}).get("customer_balance") or {}
    if params.get("payment_method_data") and options.get("funding_type") != "bank_transfer":
        raise missing("payment_method_options[customer_balance][funding_type]")
    return ["customer_balance"]


def _apply_cash(call: Call, account: str, currency: str, *, first: str | None, exactly: int | None = None) -> None:
    store = call.store
    waiting = store.find("payment_intent", {"customer_account": account, "currency": currency, "status": _OPEN})
    oldest_first = list(reversed(waiting))
    oldest_first.sort(key=lambda intent: (intent["id"] != first, _remaining(intent) != exactly))
    for intent in oldest_first:
        share = min(_remaining(intent), int(store.setting(_cash(account, currency), 0)))
        if share:
            _pay(call, intent, share)


def _pay(call: Call, intent: Json, share: int) -> None:
    store = call.store
    _move_cash(call, intent, -share, "applied_to_payment")
    _asked(intent)["amount_remaining"] -= share
    if _remaining(intent):
        tell(store, "payment_intent.partially_funded", store.put(intent))
        return
    charge = templates.charge(store.new_id("ch"), created=store.now, intent=intent)
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "next_action": None,
    }
    tell(store, "charge.succeeded", store.put(charge))
    tell(store, "payment_intent.succeeded", store.put(intent))
    if call.behaviour.booking_delay:
        at = store.now + call.behaviour.booking_delay
        store.run("INSERT INTO due (at, step, object_id) VALUES (?, 'book_charge', ?)", at, charge["id"])
    else:
        book_charge(call, charge["id"])


def _move_cash(call: Call, intent: Json, net: int, type: str) -> None:
    store, account = call.store, intent["customer_account"]
    ending = store.add(_cash(account, intent["currency"]), net)
    moved = templates.cash_transaction(
        store.new_id("ccsbtxn"),
        created=store.now,
        account=account,
        type=type,
        net=net,
        ending=ending,
        currency=intent["currency"],
        detail={type: {"payment_intent": intent["id"]}},
    )
    tell(store, "customer_cash_balance_transaction.created", store.put(moved))


def _unexpected_state(intent: Json, verb: str) -> Refusal:
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return Refusal(message, code="payment_intent_unexpected_state", is_saved=True)


def _asked(intent: Json) -> Json:
    asked: Json = intent["next_action"]["display_bank_transfer_instructions"]
    return asked


def _remaining(intent: Json) -> int:
    return int(_asked(intent)["amount_remaining"])


def _cash(account: str, currency: str) -> str:
    return f"cash:{account}:{currency}"
