"""What arrives: expected when the lorry is unloaded, received as a fact, inspected line by line."""

from services.orders.receiving.expecting import expect
from services.orders.receiving.inspecting import INSPECTION_WINDOW, inspect
from services.orders.receiving.lapsing import NOT_PERMITTED
from services.orders.receiving.quantities import Outcome, Totals, Verdict
from services.orders.receiving.taking import Arrived, receive

__all__ = [
    "INSPECTION_WINDOW",
    "NOT_PERMITTED",
    "Arrived",
    "Outcome",
    "Totals",
    "Verdict",
    "expect",
    "inspect",
    "receive",
]
