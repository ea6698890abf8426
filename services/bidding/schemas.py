"""Requests and answers of bids."""

from collections.abc import Sequence

from pydantic import ConfigDict, Field

from services.bidding.models import BID, Amounts, Bid, BidFacts, NewBid
from services.bidding.policy import part_of
from services.bidding.ranking import Ranked
from services.kernel.actors import Actor
from services.kernel.http.expanding import Expandable
from services.kernel.http.schemas import Request, Response, Transitions, UtcDatetime, told
from services.kernel.ids import BidId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.kernel.states import choices
from services.listings.models import Listing


class NewBidRequest(NewBid, Request):
    """A promise for the whole lot. The price is signed, as the seller sees it: above zero you pay, below zero you are paid."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "listing_id": "lst_01kaq4m8q3e8xvw2t5n6r7s8d9",
                    "site_id": "site_01kaq4m8q3e8xvw2t5n6r7s8d9",
                    "price": {"amount": "120.00", "currency": "EUR"},
                    "price_unit": "tonne",
                    "haulage_basis": "FCA",
                    "haulage_ceiling": {"amount": "700.00", "currency": "EUR"},
                    "disposition": "recycle",
                    "operation": "R4",
                }
            ]
        },
    )


class BidAnswer(Expandable, Transitions):
    """A bid. `is_leading` is told of timed listings only; `sequence` to the seller only, once bids are numbered."""

    expandable = ("listing",)

    id: BidId
    listing_id: ListingId
    bidder_id: OrgId
    site_id: SiteId
    price: Money
    price_unit: str = Field(description="tonne, piece or lot")
    haulage_basis: str = Field(description="FCA or DAP")
    haulage_ceiling: Money | None
    haulage_quote: Money | None
    disposition: str = Field(description="reuse, repair, remanufacture, harvest, recycle, recover or dispose")
    operation: str | None
    valid_until: UtcDatetime | None
    received_at: UtcDatetime = Field(description="The instant by which the bid counts")
    sequence: int | None
    is_leading: bool | None
    leading_price: Money | None = Field(description="Of a timed listing: the price that stands now, whoever leads")
    limit: Money | None = Field(description="How far it may be raised; told to its bidder alone")
    standing_price: Money | None = Field(description="Where its limit had brought it when bidding ended")
    status: str = Field(
        description="submitted, active, awarded, confirmed, timed_out, lost, withdrawn or expired",
    )
    ended_reason: str | None = Field(description="Why it was withdrawn, lost or timed out")
    livemode: bool
    version: int

    @classmethod
    def of(cls, bid: Bid, listing: Listing, facts: BidFacts, actor: Actor, amounts: Amounts) -> "BidAnswer":
        part = part_of(actor, bid, listing)
        shown = {name: getattr(bid, name) for name in cls.model_fields.keys() - vars(amounts) if hasattr(bid, name)}
        shown |= vars(amounts)
        shown["sequence"] = bid.sequence if part == "seller" else None
        shown["limit"] = bid.limit if part == "buyer" else None
        shown["leading_price"] = facts.leading_price
        shown["is_leading"] = facts.is_leading if facts.mode == "timed" else None
        return cls(**shown, **told(choices(BID, bid, by=[part], facts=facts)))


class BidPage(Page[BidAnswer]):
    """Bids, newest first."""


class RankedAnswer(Response):
    """What a bid leaves the seller before recoverable VAT: `total` − `haulage` − `commission`."""

    rank: int
    bid_id: BidId
    bidder_id: OrgId
    status: str
    price: Money
    haulage_basis: str
    disposition: str
    received_at: UtcDatetime
    total: Money = Field(description="The price on the declared quantity")
    haulage: Money = Field(description="What the seller pays for delivering")
    commission: Money = Field(description="What the seller pays the platform; nothing where it is not the payee")
    landed_net_value: Money

    @classmethod
    def of(cls, ranked: Ranked) -> "RankedAnswer":
        bid = ranked.bid
        return cls(
            rank=ranked.rank,
            bid_id=bid.id,
            bidder_id=bid.bidder_id,
            status=bid.status,
            price=bid.price,
            haulage_basis=bid.haulage_basis,
            disposition=bid.disposition,
            received_at=bid.received_at,
            total=ranked.total,
            haulage=ranked.haulage,
            commission=ranked.commission,
            landed_net_value=ranked.landed_net_value,
        )


class RankingAnswer(Response):
    """Every bid that stood when bidding ended, best first; what became of each is its `status`."""

    listing_id: ListingId
    commission_bps: int = Field(description="Of the price, where the seller is paid")
    data: list[RankedAnswer]

    @classmethod
    def of(cls, listing: Listing, ranked: Sequence[Ranked], commission_bps: int) -> "RankingAnswer":
        return cls(listing_id=listing.id, commission_bps=commission_bps, data=[RankedAnswer.of(one) for one in ranked])
