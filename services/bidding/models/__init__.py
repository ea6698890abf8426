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
from services.bidding.models.demands import (
    DEMAND,
    DemandCell,
    DemandMatch,
    DemandOrder,
    NewDemand,
)
from services.bidding.models.moves import BID, BidFacts

__all__ = [
    "BID",
    "DEMAND",
    "LIVE",
    "STATUSES",
    "STOOD",
    "Bid",
    "BidFacts",
    "DemandCell",
    "DemandMatch",
    "DemandOrder",
    "HaulageBasis",
    "NewBid",
    "NewDemand",
    "rung",
]
