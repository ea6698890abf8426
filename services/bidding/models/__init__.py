"""The bid: its table, what a processor says to place one, and how it may move."""

from services.bidding.models.bids import (
    LIVE,
    STATUSES,
    STOOD,
    Bid,
    HaulageBasis,
    NewBid,
    rung,
)
from services.bidding.models.counters import Counter, NewCounter
from services.bidding.models.findings import FINDING, Finding
from services.bidding.models.moves import BID, BidFacts

__all__ = [
    "BID",
    "FINDING",
    "LIVE",
    "STATUSES",
    "STOOD",
    "Bid",
    "BidFacts",
    "Counter",
    "Finding",
    "HaulageBasis",
    "NewBid",
    "NewCounter",
    "rung",
]
