"""Requests and answers of demand orders."""

from typing import Self

from pydantic import ConfigDict, Field

from services.bidding.demanding.judging import Miss
from services.bidding.models import DEMAND, DemandMatch, DemandOrder, NewDemand
from services.kernel.http.schemas import Request, Response, Transitions, UtcDatetime, told
from services.kernel.ids import BidId, DemandId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import choices


class NewDemandOrder(NewDemand, Request):
    """What you always take, how much of it a week, and on which terms. Prices are signed: below zero the seller pays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "PP regrind, Kassel",
                    "site_id": "site_01kaq4m8q3e8xvw2t5n6r7s8d9",
                    "material": "pp",
                    "condition_floor": "used_fair",
                    "waste_codes": ["16 01 19"],
                    "weekly": {"value": "20", "unit": "t"},
                    "radius_km": 200,
                    "price_limit": {"amount": "-15.00", "currency": "EUR"},
                    "disposition": "recycle",
                    "operation": "R3",
                    "bids_by_itself": True,
                    "bid_price": {"amount": "-20.00", "currency": "EUR"},
                    "haulage_ceiling": {"amount": "600.00", "currency": "EUR"},
                }
            ]
        },
    )


class DemandOrderAnswer(Transitions):
    """A standing order. `left_this_week` is `weekly` less what its own bids of this week would bring."""

    id: DemandId
    livemode: bool
    created_at: UtcDatetime
    version: int
    org_id: OrgId
    site_id: SiteId
    name: str
    material: str
    least_share_bps: int
    condition_floor: str | None
    waste_codes: list[str]
    weekly: Mass
    left_this_week: Mass
    radius_km: float
    price_limit: Money
    disposition: str
    operation: str | None
    valid_until: UtcDatetime | None
    bids_by_itself: bool
    bid_price: Money | None
    haulage_ceiling: Money | None
    status: str = Field(description="active, paused, cancelled or expired")

    @classmethod
    def of(cls, order: DemandOrder, left_g: int) -> Self:
        masses = {"weekly": Mass(order.weekly_g), "left_this_week": Mass(left_g)}
        plain = {name: getattr(order, name) for name in cls.model_fields if hasattr(order, name)}
        return cls(**plain, **masses, **told(choices(DEMAND, order, by=["buyer"])))


class DemandOrderPage(Page[DemandOrderAnswer]):
    """Standing orders, newest first."""


class MissAnswer(Response):
    """A criterion that the lot misses: figures in `unit`, or names where it has none."""

    criterion: str = Field(
        description="distance, material_share, condition, waste_code, quantity, price, currency or disposition"
    )
    wanted: str
    offered: str | None = Field(description="null: the listing does not say")
    unit: str | None

    @classmethod
    def of(cls, miss: Miss) -> Self:
        return cls(**miss.as_json)


class DemandMatchAnswer(Response):
    """A published listing held against the order. `refused_code` says why the order could not bid for it."""

    demand_order_id: DemandId
    listing_id: ListingId
    created_at: UtcDatetime
    is_match: bool
    misses: list[MissAnswer] = Field(description="Empty for a match; one or two for a near miss")
    distance_km: float
    mass: Mass | None
    bid_id: BidId | None
    reserved: Mass = Field(description="What its bid counts against the week")
    refused_code: str | None
    refused_detail: str | None

    @classmethod
    def of(cls, match: DemandMatch) -> Self:
        held = match.reserved_g if match.released_at is None else 0
        shown = {
            "misses": [MissAnswer.of(Miss(**miss)) for miss in match.misses],
            "mass": None if match.mass_g is None else Mass(match.mass_g),
            "reserved": Mass(held),
        }
        return cls(**{name: getattr(match, name) for name in cls.model_fields if name not in shown}, **shown)


class DemandMatchPage(Page[DemandMatchAnswer]):
    """What was held against an order, by the newest listing."""
