"""Requests and answers of bids, counters, rankings and receipts."""

from services.bidding.schemas.bids import (
    BidAnswer,
    BidPage,
    CounterAnswer,
    CounterPage,
    NewBidRequest,
    NewCounterRequest,
    RankingAnswer,
)
from services.bidding.schemas.receipts import BidReceiptAnswer, ReceiptBookAnswer

__all__ = [
    "BidAnswer",
    "BidPage",
    "BidReceiptAnswer",
    "CounterAnswer",
    "CounterPage",
    "NewBidRequest",
    "NewCounterRequest",
    "RankingAnswer",
    "ReceiptBookAnswer",
]
