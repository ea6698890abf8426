"""Every operation that is imitated, with the parameters it takes; whatever is not here is answered "not imitated"."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.payments.simulator import accounts, balances, events, money_in, money_out
from services.payments.simulator.calls import Call
from services.payments.simulator.wire import Json, Refusal, integer, listed, text

_PAGING = "limit starting_after ending_before created expand "


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    handle: Callable[[Call], Json]
    parameters: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def path_of(self, path: str) -> dict[str, str] | None:
        match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template), path)
        return match.groupdict() if match else None


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    for operation in OPERATIONS:
        named = operation.path_of(path) if operation.method == method else None
        if named is not None:
            return operation, named
    return None


def _events(call: Call) -> Json:
    types = call.params.get("types") or ([call.params["type"]] if "type" in call.params else None)
    delivered = call.params.get("delivery_success")
    since, until = _v1_window(call.params)
    data, has_more = events.page(
        call.store,
        is_thin=False,
        types=types,
        limit=integer(call.params, "limit", 10),
        after=call.params.get("starting_after"),
        is_delivered=None if delivered is None else delivered == "true",
        since=since,
        until=until,
    )
    return listed("/v1/events", data, has_more=has_more)


def _v1_window(params: Json) -> tuple[float | None, float | None]:
    """Whole seconds; what happened within the last of them still belongs to it."""
    created = params.get("created") or {}
    if not isinstance(created, dict):
        return integer(params, "created"), integer(params, "created") + 0.999999
    since = integer(created, "gt") + 1 if "gt" in created else integer(created, "gte") if "gte" in created else None
    until = integer(created, "lt") - 1 if "lt" in created else integer(created, "lte") if "lte" in created else None
    return since, None if until is None else until + 0.999999


def _thin_events(call: Call) -> Json:
    created = call.params.get("created") or {}
    data, has_more = events.page(
        call.store,
        is_thin=True,
        types=call.params.get("types"),
        limit=integer(call.params, "limit", 20),
        after=call.params.get("page"),
        since=_instant(created.get("gte") or created.get("gt")),
        until=_instant(created.get("lte") or created.get("lt")),
        object_id=call.params.get("object_id"),
    )
    following = f"/v2/core/events?limit={len(data)}&page={data[-1]['id']}" if has_more else None
    return {"data": data, "next_page_url": following, "previous_page_url": None}


def _instant(value: str | None) -> float | None:
    try:
        return None if value is None else datetime.fromisoformat(value).timestamp()
    except ValueError as error:
        raise Refusal(f"Invalid timestamp: {value}", param="created") from error


def _event(call: Call) -> Json:
    return events.retrieved(call.store, text(dict(call.path), "id"), is_thin=False)


def _thin_event(call: Call) -> Json:
    return events.retrieved(call.store, text(dict(call.path), "id"), is_thin=True)


def _operation(name: str, handle: Callable[[Call], Json], parameters: str = "expand") -> Operation:
    method, template = name.split()
    return Operation(method, template, handle, frozenset(parameters.split()))


_INTENT = (
    "amount currency customer_account transfer_group metadata allowed_payment_method_types payment_method_data"
    " payment_method_options description expand"
)
_ACCOUNT = "display_name contact_email identity dashboard defaults configuration metadata include"
_TRANSFER = "amount currency destination source_transaction transfer_group metadata description expand"
_REFUND = "payment_intent charge amount reason instructions_email metadata expand"
_EVENTS = _PAGING + "type types delivery_success"

OPERATIONS = (
    _operation("POST /v2/core/accounts", accounts.create, _ACCOUNT),
    _operation("GET /v2/core/accounts", accounts.page, "limit page applied_configurations"),
    _operation("GET /v2/core/accounts/{id}", accounts.retrieve, "include"),
    _operation("POST /v2/core/account_links", accounts.create_link, "account use_case"),
    _operation("GET /v2/core/events", _thin_events, "limit page object_id types created"),
    _operation("GET /v2/core/events/{id}", _thin_event, ""),
    _operation("POST /v1/payment_intents", money_in.create, _INTENT),
    _operation("GET /v1/payment_intents", money_in.page, _PAGING + "customer_account"),
    _operation("GET /v1/payment_intents/{id}", money_in.retrieve),
    _operation("POST /v1/payment_intents/{id}/confirm", money_in.confirm),
    _operation("POST /v1/payment_intents/{id}/cancel", money_in.cancel, "cancellation_reason expand"),
    _operation(
        "POST /v1/test_helpers/customers/{id}/fund_cash_balance", money_in.fund, "amount currency reference expand"
    ),
    _operation("GET /v1/charges", balances.charges, _PAGING + "payment_intent transfer_group"),
    _operation("GET /v1/charges/{id}", balances.charge),
    _operation("POST /v1/transfers", money_out.create_transfer, _TRANSFER),
    _operation("GET /v1/transfers", money_out.transfers, _PAGING + "transfer_group destination"),
    _operation("GET /v1/transfers/{id}", money_out.transfer),
    _operation("POST /v1/transfers/{id}/reversals", money_out.create_reversal, "amount metadata expand"),
    _operation("GET /v1/transfers/{id}/reversals", money_out.reversals, _PAGING),
    _operation("POST /v1/refunds", money_out.create_refund, _REFUND),
    _operation("GET /v1/refunds", money_out.refunds, _PAGING + "payment_intent charge"),
    _operation("GET /v1/refunds/{id}", money_out.refund),
    _operation("GET /v1/balance", balances.balance),
    _operation("GET /v1/balance_transactions", balances.page, _PAGING + "currency source type"),
    _operation("GET /v1/balance_transactions/{id}", balances.retrieve),
    _operation("GET /v1/events", _events, _EVENTS),
    _operation("GET /v1/events/{id}", _event),
)
