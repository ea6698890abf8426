"""Requests and answers of awards, orders and receipts."""

from services.orders.schemas.answers import OrderAnswer, OrderPage, ReceiptAnswer, ReceiptPage
from services.orders.schemas.requests import (
    Acceptance,
    Cancellation,
    Confirmation,
    Inspection,
    NewReceipt,
    Purchase,
    RemainderRoute,
)

__all__ = [
    "Acceptance",
    "Cancellation",
    "Confirmation",
    "Inspection",
    "NewReceipt",
    "OrderAnswer",
    "OrderPage",
    "Purchase",
    "ReceiptAnswer",
    "ReceiptPage",
    "RemainderRoute",
]
