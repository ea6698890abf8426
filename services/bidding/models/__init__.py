"""The bid: its table, what a processor says to place one, and how it may move."""

from services.bidding.models.auctions import Auction
from services.bidding.models.bids import (
    LIVE,
    STATUSES,
    STOOD,
    Amounts,
    Bid,
    BidPart,
    HaulageBasis,
    NewBid,
    rung,
)
from services.bidding.models.counters import Counter, NewCounter
from services.bidding.models.demands import (
    DEMAND,
    DemandCell,
    DemandMatch,
    DemandOrder,
    NewDemand,
)
from services.bidding.models.findings import FINDING, Finding
from services.bidding.models.moves import BID, BidFacts
from services.bidding.models.proven import ProvenBidder
from services.bidding.models.seals import ReceiptBook, SealedBid, SealingKey

__all__ = [
    "BID",
    "DEMAND",
    "FINDING",
    "LIVE",
    "STATUSES",
    "STOOD",
    "Amounts",
    "Auction",
    "Bid",
    "BidFacts",
    "BidPart",
    "Counter",
    "DemandCell",
    "DemandMatch",
    "DemandOrder",
    "Finding",
    "HaulageBasis",
    "NewBid",
    "NewCounter",
    "NewDemand",
    "ProvenBidder",
    "ReceiptBook",
    "SealedBid",
    "SealingKey",
    "rung",
]
