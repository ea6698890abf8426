"""Our balance at the simulated Stripe: nothing moves without a balance transaction."""

from services.payments.simulator import templates
from services.payments.simulator.calls import Call
from services.payments.simulator.store import Store
from services.payments.simulator.wire import Json

_SUMS = """
SELECT json_extract(body, '$.currency') AS currency,
       sum(json_extract(body, '$.net')) AS whole,
       sum(CASE WHEN json_extract(body, '$.available_on') <= ? THEN json_extract(body, '$.net') ELSE 0 END) AS available
FROM object WHERE kind = 'balance_transaction' GROUP BY 1 ORDER BY 1
"""


def book(
    call: Call, *, type: str, category: str, amount: int, currency: str, source: str, fee: int = 0, delay: int = 0
) -> str:
    """The id of the new movement; `amount` is signed as seen from us."""
    store = call.store
    movement = templates.balance_transaction(
        store.new_id("txn"),
        created=store.now,
        available_on=store.now + delay,
        type=type,
        category=category,
        amount=amount,
        fee=fee,
        currency=currency,
        source=source,
    )
    return str(store.put(movement)["id"])


def sums(store: Store) -> dict[str, dict[str, int]]:
    """Per currency what is available now and what is still pending."""
    rows = store.rows(_SUMS, store.now)
    return {
        row["currency"]: {"available": row["available"], "pending": row["whole"] - row["available"]} for row in rows
    }


def available(store: Store, currency: str) -> int:
    return sums(store).get(currency, {"available": 0})["available"]


def balance(call: Call) -> Json:
    by_currency = sums(call.store)
    parts = {
        part: [
            {"amount": amounts[part], "currency": currency, "source_types": {"card": amounts[part]}}
            for currency, amounts in by_currency.items()
        ]
        for part in ("available", "pending")
    }
    return {"object": "balance", "livemode": False, "connect_reserved": [], **parts}


def retrieve(call: Call) -> Json:
    return call.answer(_as_of_now(call.existing("balance_transaction"), call.store.now))


def page(call: Call) -> Json:
    found = call.page("/v1/balance_transactions", "balance_transaction", "currency", "source", "type")
    return {**found, "data": [_as_of_now(movement, call.store.now) for movement in found["data"]]}


def charge(call: Call) -> Json:
    return call.answer(call.existing("charge"))


def charges(call: Call) -> Json:
    return call.page("/v1/charges", "charge", "payment_intent", "transfer_group")


def _as_of_now(movement: Json, now: int) -> Json:
    return {**movement, "status": "available" if movement["available_on"] <= now else "pending"}
