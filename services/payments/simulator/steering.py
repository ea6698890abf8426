"""`/_simulator/`: faults, clock, accounts and money by hand, and the sums a test asks for at the end."""

import html
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.payments.simulator import accounts, balances, money_in, money_out
from services.payments.simulator.answering import FAULTS, Counter, catch_up
from services.payments.simulator.calls import Call
from services.payments.simulator.delivery import Delivery
from services.payments.simulator.store import Store
from services.payments.simulator.wire import Json, Refusal, integer, text

_EVENT_KNOBS = ("lost", "duplicated", "shuffled", "delayed_seconds")


class Steering:
    def __init__(self, counter: Counter, delivery: Delivery) -> None:
        self._counter = counter
        self._delivery = delivery

    def routes(self) -> list[Route]:
        by_hand = self._by_hand
        return [
            Route("/_simulator/state", by_hand(lambda call: state(call.store)), methods=["GET"]),
            Route("/_simulator/not_imitated", by_hand(lambda call: not_imitated(call.store)), methods=["GET"]),
            Route("/_simulator/clock", by_hand(advance), methods=["POST"]),
            Route("/_simulator/key-lifetime", by_hand(set_key_lifetime), methods=["POST"]),
            Route("/_simulator/faults", by_hand(add_fault), methods=["POST"]),
            Route("/_simulator/faults", by_hand(clear_faults), methods=["DELETE"]),
            Route("/_simulator/events", by_hand(set_event_knobs), methods=["POST"]),
            Route("/_simulator/deliver", self._deliver, methods=["POST"]),
            Route("/_simulator/onboarding/{link}", self._onboard, methods=["GET"]),
            Route("/_simulator/accounts/{id}/complete", by_hand(accounts.complete), methods=["POST"]),
            Route("/_simulator/accounts/{id}/restrict", by_hand(accounts.restrict), methods=["POST"]),
            Route("/_simulator/accounts/{id}/drain", by_hand(money_out.drain_payee), methods=["POST"]),
            Route("/_simulator/bank-transfers", by_hand(money_in.fund_by_reference), methods=["POST"]),
            Route("/_simulator/bank-transfers", by_hand(waiting), methods=["GET"]),
            Route("/_simulator/refunds/{id}/fail", by_hand(money_out.fail_refund), methods=["POST"]),
        ]

    def _by_hand(self, handle: Callable[[Call], Json]) -> Callable[[Request], Any]:
        async def answered(request: Request) -> Response:
            try:
                return JSONResponse(self._within(handle, await self._call(request)))
            except Refusal as refusal:
                return JSONResponse(refusal.body, status_code=refusal.status_code)

        return answered

    def _within(self, handle: Callable[[Call], Json], call: Call) -> Json:
        with call.store.transaction():
            call.store.set("current_key", None)
            catch_up(call)
            answer = handle(call)
        self._counter.told()
        return answer

    async def _call(self, request: Request) -> Call:
        try:
            params = json.loads(await request.body() or b"{}")
        except ValueError as error:
            raise Refusal("The body is not JSON.") from error
        if not isinstance(params, dict):
            raise Refusal("The body is not a JSON object.")
        return Call(self._counter.store, self._counter.behaviour, params, request.path_params)

    async def _deliver(self, request: Request) -> Response:
        return JSONResponse({"delivered": await self._delivery.deliver_now()})

    async def _onboard(self, request: Request) -> Response:
        try:
            followed = self._within(accounts.follow_link, await self._call(request))
        except Refusal as refusal:
            return HTMLResponse(_PAGE.format(said="This link is unknown.", on=""), status_code=refusal.status_code)
        if "refresh_url" in followed:
            return RedirectResponse(followed["refresh_url"], status_code=303)
        said = f"Simulated onboarding: {html.escape(followed['account'])} is complete and can receive money."
        target = html.escape(followed["return_url"] or "", quote=True)
        return HTMLResponse(_PAGE.format(said=said, on=f'<p><a href="{target}">Continue</a></p>' if target else ""))


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated Stripe</title>
<body><h1>Simulated Stripe</h1><p>{said}</p>{on}<p>No money moves here.</p></body></html>
"""


def state(store: Store) -> Json:
    """Balance and cash per currency, and how often each `metadata.op` took effect: nobody paid twice, nothing lost."""
    return {
        "now": store.now,
        "balance": balances.sums(store),
        "cash": store.settings_below("cash:"),
        "payees": store.settings_below("payee:"),
        "counts": {row["kind"]: row["count"] for row in store.rows(_COUNTS)},
        "effects": _effects(store),
        "events": {row["state"]: row["count"] for row in store.rows(_EVENT_STATES)},
    }


_COUNTS = "SELECT kind, count(*) AS count FROM object GROUP BY kind ORDER BY kind"
_EVENT_STATES = "SELECT state, count(*) AS count FROM event GROUP BY state ORDER BY state"
_EFFECTS = """
SELECT json_extract(body, '$.metadata.op') AS op, kind, count(*) AS count, sum(json_extract(body, '$.amount')) AS amount
FROM object WHERE op IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""


def _effects(store: Store) -> dict[str, dict[str, Json]]:
    by_op: dict[str, dict[str, Json]] = {}
    for row in store.rows(_EFFECTS):
        by_op.setdefault(row["op"], {})[row["kind"]] = {"count": row["count"], "amount": row["amount"]}
    return by_op


def not_imitated(store: Store) -> Json:
    rows = store.rows("SELECT * FROM not_imitated ORDER BY operation")
    operations = {row["operation"]: row["count"] for row in rows}
    return {"count": sum(operations.values()), "operations": operations}


def advance(call: Call) -> Json:
    """Forward only."""
    seconds = integer(call.params, "advance_seconds")
    if seconds < 0:
        raise Refusal("The clock only goes forward.", param="advance_seconds")
    call.store.add("clock_offset", seconds)
    catch_up(call)
    return {"now": call.store.now}


def set_key_lifetime(call: Call) -> Json:
    call.store.set("key_lifetime", integer(call.params, "seconds"))
    return {"seconds": call.store.setting("key_lifetime")}


def add_fault(call: Call) -> Json:
    """`operation` as in `POST /v1/transfers/{id}/reversals`, or `*`; `times` below zero for ever."""
    kind = text(call.params, "kind")
    if kind not in FAULTS:
        raise Refusal(f"A fault is one of {', '.join(FAULTS)}", param="kind")
    call.store.run(
        "INSERT INTO fault (operation, kind, times, probability, seconds) VALUES (?, ?, ?, ?, ?)",
        *(text(call.params, "operation", "*"), kind, integer(call.params, "times", 1)),
        *(_number(call.params, "probability", 1), _number(call.params, "seconds", 0)),
    )
    return {"faults": len(call.store.rows("SELECT seq FROM fault WHERE times <> 0"))}


def clear_faults(call: Call) -> Json:
    call.store.run("DELETE FROM fault")
    return {"faults": 0}


def set_event_knobs(call: Call) -> Json:
    """`lost` and `duplicated` are shares of the events from now on, `shuffled` is true or false."""
    unknown = set(call.params) - set(_EVENT_KNOBS)
    if unknown:
        raise Refusal(f"Event knobs are {', '.join(_EVENT_KNOBS)}", param=sorted(unknown)[0])
    call.store.set("event_knobs", {name: _number(call.params, name, 0) for name in _EVENT_KNOBS})
    return dict(call.store.setting("event_knobs"))


def waiting(call: Call) -> Json:
    return {"data": money_in.open_bank_transfers(call)}


def _number(params: Json, name: str, default: float) -> float:
    value = params.get(name, default)
    if not isinstance(value, int | float):
        raise Refusal(f"{name} is a number", param=name)
    return value
