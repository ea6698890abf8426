"""The bid: its table, what a processor says to place one, and how it may move."""

from services.bidding.models.auctions import Auction
from services.bidding.models.bids import (
    LIVE,
    STATUSES,
    STOOD,
    Amounts,
    Bid,
    HaulageBasis,
    NewBid,
    rung,
)
from services.bidding.models.moves import BID, BidFacts
from services.bidding.models.seals import ReceiptBook, SealedBid, SealingKey

__all__ = [
    "BID",
    "LIVE",
    "STATUSES",
    "STOOD",
    "Amounts",
    "Auction",
    "Bid",
    "BidFacts",
    "HaulageBasis",
    "NewBid",
    "ReceiptBook",
    "SealedBid",
    "SealingKey",
    "rung",
]
