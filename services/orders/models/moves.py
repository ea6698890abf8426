"""Who may move an order from where to where, and what forbids it. Physical progress only: money is the deal's
machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import Reason
from services.kernel.states import Machine, Transition
from services.orders.models.contracts import Order


@dataclass(frozen=True)
class OrderFacts:
    """What a verb has looked up for a decision. `off_tolerance` and `closing` are what a receipt has against the
    agreed masses, and what an order still waits for; `is_loaded` that goods have left; `open_remainders` how many
    look for a route."""

    now: datetime
    is_loaded: bool = False
    open_remainders: int = 0
    off_tolerance: tuple[Reason, ...] = ()
    closing: tuple[Reason, ...] = ()


def _is_in_time(order: Order, facts: OrderFacts) -> Iterable[Reason]:
    if order.confirm_by <= facts.now:
        yield Reason("confirm_window_over", f"The award was to be confirmed before {order.confirm_by:%Y-%m-%dT%H:%MZ}.")


def _is_over_time(order: Order, facts: OrderFacts) -> Iterable[Reason]:
    if facts.now < order.confirm_by:
        yield Reason("confirm_window_open", "The award may still be confirmed.")


def _nothing_is_loaded(order: Order, facts: OrderFacts) -> Iterable[Reason]:
    if facts.is_loaded:
        yield Reason("already_loaded", "Goods are loaded; what is wrong with them is settled at receipt.")


def _is_inside_tolerance(order: Order, facts: OrderFacts) -> Iterable[Reason]:
    yield from facts.off_tolerance


def _something_looks_for_a_route(order: Order, facts: OrderFacts) -> Iterable[Reason]:
    if not facts.open_remainders:
        yield Reason("nothing_to_route", "Nothing that was refused still looks for a route.")


def _closing_rule(order: Order, facts: OrderFacts) -> Iterable[Reason]:
    yield from facts.closing


_UNDERWAY = ("in_fulfilment", "partially_received")
_TIME = ("time",)

ORDER = Machine(
    "order",
    Transition("confirm", ("pending_confirmation",), "confirmed", ("buyer",), (_is_in_time,), endpoint=False),
    Transition(
        "lapse", ("pending_confirmation",), "cancelled", _TIME, (_is_over_time,), endpoint=False, despite_stops=True
    ),
    Transition(
        "cancel",
        ("pending_confirmation", "confirmed"),
        "cancelled",
        ("seller", "buyer", "operator"),
        (_nothing_is_loaded,),
        despite_stops=True,
    ),
    Transition("start", ("confirmed",), "in_fulfilment", _TIME, is_fact=True, endpoint=False),
    Transition("receive", _UNDERWAY, "partially_received", ("receiver", "time"), (_is_inside_tolerance,), is_fact=True),
    Transition(
        "receive_last",
        _UNDERWAY,
        "received",
        ("receiver", "time"),
        (_is_inside_tolerance,),
        is_fact=True,
        endpoint=False,
    ),
    Transition("accept", ("received",), "accepted", _TIME, endpoint=False, despite_stops=True),
    Transition("accept_in_part", ("received",), "partially_accepted", _TIME, endpoint=False, despite_stops=True),
    Transition("refuse", ("received",), "refused", _TIME, endpoint=False, despite_stops=True),
    Transition(
        "route_remainder",
        ("partially_received", "received", "partially_accepted", "refused", "settled"),
        None,
        ("seller", "time"),
        (_something_looks_for_a_route,),
        despite_stops=True,
    ),
    Transition("settle", ("accepted", "partially_accepted", "refused"), "settled", _TIME, is_fact=True, endpoint=False),
    Transition("close", ("settled",), "closed", _TIME, (_closing_rule,), endpoint=False, despite_stops=True),
)
