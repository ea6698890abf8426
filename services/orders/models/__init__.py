"""The tables of orders and how they may move."""

from services.orders.models.awards import Award
from services.orders.models.contracts import OBLIGATION, Obligation, Order, OrderLine
from services.orders.models.moves import ORDER, OrderFacts
from services.orders.models.receipts import (
    RECEIPT,
    ExpectedDelivery,
    Receipt,
    ReceiptFacts,
    ReceiptLine,
)
from services.orders.models.remainders import REMAINDER, ROUTES, Remainder

__all__ = [
    "OBLIGATION",
    "ORDER",
    "RECEIPT",
    "REMAINDER",
    "ROUTES",
    "Award",
    "ExpectedDelivery",
    "Obligation",
    "Order",
    "OrderFacts",
    "OrderLine",
    "Receipt",
    "ReceiptFacts",
    "ReceiptLine",
    "Remainder",
]
