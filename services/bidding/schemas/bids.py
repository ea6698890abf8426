"""Requests and answers of bids."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ConfigDict, Field

from services.bidding.comparing import Compared
from services.bidding.models import BID, Amounts, Bid, BidFacts, BidPart, NewBid, NewCounter
from services.bidding.policy import part_of
from services.bidding.ranking import SELLER_COMMISSION_BPS, TIE_BREAK
from services.bidding.sizing_up import Circumstances
from services.kernel.actors import Actor
from services.kernel.http.expanding import Expandable
from services.kernel.http.schemas import BlockedReason, Request, Response, Transitions, UtcDatetime, told
from services.kernel.ids import BidId, CounterId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import choices
from services.listings.models import Listing


class NewBidRequest(NewBid, Request):
    """A promise for the whole lot, or for parts of one that is sold so. The price is signed, as the seller sees it: above zero
    you pay, below zero you are paid."""

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


class NewCounterRequest(NewCounter, Request):
    """What you would take instead: for the same lot, site and disposition as the bid."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "price": {"amount": "128.00", "currency": "EUR"},
                    "note": "With the cable drums left out of the count.",
                }
            ]
        },
    )


class CounterAnswer(Response):
    """A counter-offer. `haulage` is the ceiling of a bid FCA, the quote of one DAP."""

    id: CounterId
    bid_id: BidId
    number: int = Field(description="Counts the bid's counter-offers from 1")
    side: str = Field(description="Who said it: seller or buyer")
    price: Money
    haulage: Money | None
    note: str | None
    expires_at: UtcDatetime | None
    created_at: UtcDatetime


class CounterPage(Page[CounterAnswer]):
    """Counter-offers, newest first."""


class BidAnswer(Expandable, Transitions):
    """A bid. `is_leading` is told of timed listings only; `sequence` to the seller only, once bids are numbered. `counter` is the
    counter-offer on the table, `agreed_price` the one that was accepted; `price` stays what was promised."""

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
    parts: list[BidPart] | None = Field(description="What it is for, all or nothing; null: the whole lot")
    valid_until: UtcDatetime | None
    co2e: Mass | None = Field(description="As the bidder states it; null is missing, not nothing")
    counter: CounterAnswer | None
    agreed_price: Money | None
    received_at: UtcDatetime = Field(description="The instant by which the bid counts")
    sequence: int | None
    is_leading: bool | None
    leading_price: Money | None = Field(description="Of a timed listing: the price that stands now, whoever leads")
    limit: Money | None = Field(description="How far it may be raised; told to its bidder alone")
    standing_price: Money | None = Field(description="Where its limit had brought it when bidding ended")
    status: str = Field(
        description="submitted, active, countered, awarded, confirmed, timed_out, lost, withdrawn or expired",
    )
    ended_reason: str | None = Field(description="Why it was withdrawn, lost or timed out")
    livemode: bool
    version: int

    @classmethod
    def of(cls, bid: Bid, listing: Listing, facts: BidFacts, actor: Actor, amounts: Amounts) -> "BidAnswer":
        part = part_of(actor, bid, listing)
        facts = replace(facts, part=part)
        shown = {name: getattr(bid, name) for name in cls.model_fields.keys() - vars(amounts) if hasattr(bid, name)}
        shown |= vars(amounts)
        shown["sequence"] = bid.sequence if part == "seller" else None
        shown["limit"] = bid.limit if part == "buyer" else None
        shown["leading_price"] = facts.leading_price
        shown["is_leading"] = facts.is_leading if facts.mode == "timed" else None
        shown["counter"] = CounterAnswer.model_validate(facts.counter) if facts.counter is not None else None
        return cls(**shown, **told(choices(BID, bid, by=[part], facts=facts)))


class BidPage(Page[BidAnswer]):
    """Bids, newest first."""


class BehindAnswer(Response):
    """What parts a bid from the one above it."""

    bid_id: BidId = Field(description="The one above")
    criterion: str = Field(description="The first of `tie_break` in which they differ")
    difference: Money = Field(description="How much more the one above leaves the seller")


class RankedAnswer(Response):
    """What a bid leaves the seller before recoverable VAT: `total` − `haulage` − `commission` − `tax`; and why it stands where it
    does."""

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
    tax: Money = Field(description="VAT on what the seller pays, where it does not recover it")
    landed_net_value: Money
    meets_reserve: bool | None = Field(description="null where the seller set none")
    co2e: Mass | None = Field(description="As the bidder states it; null is missing, not nothing")
    estimated_distance_km: int = Field(
        description="An estimate by road: the great circle to the bidder's site × 1.3, rounded up to 10 km"
    )
    permits_fit: bool | None = Field(
        description="Whether the bidder's permits cover the goods today; null once it is over"
    )
    permits_lack: list[BlockedReason] = Field(description="Why they do not")
    is_efficient: bool = Field(
        description="No bid is at least as good in value, rung and CO2e, and better in one of them"
    )
    dominated_by: list[BidId] = Field(description="Efficient ones that are, the best ten")
    behind: BehindAnswer | None = Field(description="null for the first")

    @classmethod
    def of(cls, compared: Compared, circumstances: Circumstances, reserve: Money | None) -> "RankedAnswer":
        ranked, bid, against = compared.ranked, compared.ranked.bid, circumstances.against
        behind = compared.behind
        landed = ranked.landed_net_value
        return cls(
            rank=ranked.rank,
            bid_id=bid.id,
            bidder_id=bid.bidder_id,
            status=bid.status,
            price=bid.price_now,
            haulage_basis=bid.haulage_basis,
            disposition=bid.disposition,
            received_at=bid.received_at,
            total=ranked.total,
            haulage=ranked.haulage,
            commission=ranked.commission,
            tax=ranked.tax,
            landed_net_value=landed,
            meets_reserve=None if reserve is None else reserve <= landed,
            co2e=bid.co2e,
            estimated_distance_km=circumstances.estimated_distance_km,
            permits_fit=None if against is None else not against,
            permits_lack=[BlockedReason(code=reason.code, detail=reason.detail) for reason in against or ()],
            is_efficient=compared.is_efficient,
            dominated_by=list(compared.dominated_by),
            behind=None if behind is None else BehindAnswer.model_validate(behind),
        )


class RankingAnswer(Response):
    """Every bid that stood when bidding ended, best first; what became of each is its `status`."""

    listing_id: ListingId
    commission_bps: int = Field(description="Of the price, where the seller is paid")
    tie_break: list[str] = Field(description="What decides, in this order")
    reserve: Money | None = Field(description="The least landed net value at which a rule awards")
    data: list[RankedAnswer]

    @classmethod
    def of(
        cls,
        listing: Listing,
        compared: Sequence[Compared],
        sized_up: Mapping[BidId, Circumstances],
        reserve: Money | None,
    ) -> "RankingAnswer":
        return cls(
            listing_id=listing.id,
            commission_bps=SELLER_COMMISSION_BPS,
            tie_break=list(TIE_BREAK),
            reserve=reserve,
            data=[RankedAnswer.of(one, sized_up[one.ranked.bid.id], reserve) for one in compared],
        )
