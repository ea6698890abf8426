"""Something alive: a draft, a sealed lot with bids nobody else can read, and a negotiated one whose bids wait for an answer."""

from datetime import datetime, timedelta
from typing import Any

from backhaul_client import Backhaul
from backhaul_client.models import MoneyParam, NewItemParam

from services.sandbox.cast import Market, Organization

DAYS_OPEN = timedelta(days=30)
MOTORS: NewItemParam = {
    "key": "motors",
    "title": "Electric motors, 7.5 to 30 kW",
    "quantity": 40,
    "mass": {"value": "12", "unit": "t"},
    "mass_method": "weighed",
    "condition_grade": "salvage",
    "return_reason": "end_of_life",
    "waste_code": "16 02 14",
    "composition": [
        {"material": "steel", "ppm": 620_000},
        {"material": "copper", "ppm": 180_000},
        {"material": "unknown", "ppm": 200_000},
    ],
    "is_data_bearing": False,
}
COPPER: NewItemParam = {
    "key": "copper",
    "title": "Copper bars and cable",
    "quantity": 1,
    "mass": {"value": "1200", "unit": "kg"},
    "mass_method": "weighed",
    "condition_grade": "salvage",
    "return_reason": "end_of_life",
    "waste_code": "16 02 16",
    "composition": [{"material": "copper", "ppm": 1_000_000}],
    "is_data_bearing": False,
}


def put_on_offer(market: Market, organizations: list[Organization]) -> dict[str, list[str]]:
    """Ids by what they are."""
    sellers = _with_role(organizations, "manufacturer") + _with_role(organizations, "holder")
    bidders = _with_role(organizations, "recycler") + _with_role(organizations, "remanufacturer")
    end = _end(market.owner(sellers[0]))
    draft = _drafted(market, sellers[0], mode="sealed", closes_at=end)
    sealed = _published(market, sellers[0], mode="sealed", closes_at=end)
    negotiated = _published(market, sellers[1], mode="negotiated")
    timed = _published(market, sellers[2], mode="timed", closes_at=end)
    offers = [(sealed, "120.00"), (sealed, "95.00"), (negotiated, "110.00"), (timed, "60.00")]
    bids = [_bid(market, bidder, *offer) for bidder, offer in zip(bidders, offers, strict=True)]
    return {"draft_listings": [draft], "open_listings": [sealed, negotiated, timed], "bids": bids}


def _with_role(organizations: list[Organization], role: str) -> list[Organization]:
    return [one for one in organizations if role in one.roles]


def _end(client: Backhaul) -> str:
    """A month from now on the market's clock."""
    return (datetime.fromisoformat(client.test_clock.get().now) + DAYS_OPEN).isoformat()


def _drafted(market: Market, seller: Organization, **terms: Any) -> str:
    draft = market.owner(seller).listings.create(
        title=f"End-of-life equipment of {seller.name}",
        site_id=seller.sites[0],
        price_unit="tonne",
        currency="EUR",
        items=[MOTORS, COPPER],
        **terms,
    )
    return draft.id


def _published(market: Market, seller: Organization, **terms: Any) -> str:
    return market.owner(seller).listings.publish(_drafted(market, seller, **terms)).id


def _bid(market: Market, bidder: Organization, listing_id: str, price: str) -> str:
    amount: MoneyParam = {"amount": price, "currency": "EUR"}
    ceiling: MoneyParam = {"amount": "700.00", "currency": "EUR"}
    bid = market.owner(bidder).bids.place(
        listing_id=listing_id,
        site_id=bidder.sites[0],
        price=amount,
        price_unit="tonne",
        disposition="recycle",
        operation="R4",
        haulage_basis="FCA",
        haulage_ceiling=ceiling,
    )
    return bid.id
