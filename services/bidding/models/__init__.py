"""The bid: its table, what a processor says to place one, and how it may move."""

from services.bidding.models.bids import (
    LIVE,
    STATUSES,
    STOOD,
    Bid,
    BidPart,
    HaulageBasis,
    NewBid,
    rung,
)
from services.bidding.models.moves import BID, BidFacts

__all__ = ["BID", "LIVE", "STATUSES", "STOOD", "Bid", "BidFacts", "BidPart", "HaulageBasis", "NewBid", "rung"]
