"""Bids, awards, orders, receipts."""

from typing import Any

from tests.guards.authorization.asking import NOT_SENT, Call
from tests.guards.authorization.world import World

REASON = "condition_below_declared"


def calls(world: World) -> dict[str, Call]:
    bidding = _bids(world) | _deposits(world) | _demand(world) | _awards(world)
    return bidding | _orders(world) | _receipts(world) | _findings(world)


def _bids(world: World) -> dict[str, Call]:
    sealed = {"bid_id": world["sealed_bid"]}
    euros = {"amount": "125.00", "currency": "EUR"}
    place = {"listing_id": world["open"], "site_id": world.party("buyer").site.id, "price": euros}
    return {
        "bids.place": Call("buyer", "seller", given=place | {"valid_until": NOT_SENT}),
        "bids.list": Call("buyer", "loser", query={"listing_id": world["open"]}),
        "bids.get": Call("buyer", "loser", path=sealed),
        "bids.receipt": Call("buyer", "loser", path=sealed),
        "bids.receipts": Call("seller", "buyer", path={"listing_id": world["opened_listing"]}),
        "bids.watch": Call("seller", "buyer", path={"listing_id": world["opened_listing"]}),
        "bids.withdraw": Call("buyer", "loser", path=sealed),
        "bids.counter": Call("seller", "buyer", path={"bid_id": world["bid"]}),
        "bids.counters": Call("buyer", "loser", path={"bid_id": world["countered_bid"]}),
        "bids.history": Call("seller", "buyer", path={"listing_id": world["negotiated"]}),
        "bids.ranking": Call("seller", "buyer", path={"listing_id": world["negotiated"]}),
    }


def _deposits(world: World) -> dict[str, Call]:
    return {
        "deposits.create": Call("loser", "seller", given={"listing_id": world["with_deposit"]}),
        "deposits.list": Call("loser", "seller"),
        "deposits.get": Call("loser", "seller", path={"deposit_id": world["deposit"]}),
    }


def _demand(world: World) -> dict[str, Call]:
    order = {"demand_order_id": world["demand_order"]}
    given = {"site_id": world.party("buyer").site.id}
    return {
        "demand_orders.create": Call("buyer", "seller", given=given),
        "demand_orders.list": Call("buyer", "seller"),
        "demand_orders.get": Call("buyer", "seller", path=order),
        "demand_orders.matches": Call("buyer", "seller", path=order),
        "demand_orders.pause": Call("buyer", "seller", path=order),
        "demand_orders.resume": Call("buyer", "seller", path={"demand_order_id": world["paused_demand_order"]}),
        "demand_orders.cancel": Call("buyer", "seller", path=order),
    }


def _awards(world: World) -> dict[str, Call]:
    confirmation = {"terms_hash": world["terms_hash"]}
    to_the_buyer = {"site_id": world.party("buyer").site.id}
    return {
        "listings.buy": Call("buyer", "seller", path={"listing_id": world["for_sale"]}, given=to_the_buyer),
        "bids.accept_counter": Call("buyer", "seller", path={"bid_id": world["countered_bid"]}),
        "bids.award": Call("seller", "buyer", path={"bid_id": world["bid"]}),
        "bids.confirm": Call("buyer", "seller", path={"bid_id": world["awarded_bid"]}, given=confirmation),
    }


def _findings(world: World) -> dict[str, Call]:
    finding = {"finding_id": world["finding"]}
    return {
        "integrity_findings.list": Call("operator", "seller"),
        "integrity_findings.get": Call("operator", "seller", path=finding),
        "integrity_findings.clear": Call("operator", "seller", path=finding),
        "integrity_findings.uphold": Call("operator", "seller", path=finding),
    }


def _orders(world: World) -> dict[str, Call]:
    order = {"order_id": world["order"]}
    mass = {"value": "12", "unit": "t"}
    arrived = {"lines": [{"line_id": world["arrived_line"], "quantity": 40, "mass": mass}]}
    back = {"line_id": world["order_line"], "route": "return", "redirect": NOT_SENT}
    return {
        "orders.list": Call("buyer", "carrier"),
        "orders.get": Call("buyer", "carrier", path=order),
        "orders.cancel": Call("seller", "carrier", path={"order_id": world["fresh_order"]}),
        "orders.receive": Call("buyer", "seller", path={"order_id": world["arrived_order"]}, given=arrived),
        "orders.route_remainder": Call("seller", "buyer", path=order, given=back),
    }


def _receipts(world: World) -> dict[str, Call]:
    verdict: dict[str, Any] = {
        "line_id": world["received_line"],
        "accepted": {"mass": {"value": "12", "unit": "t"}, "quantity": 40},
    }
    return {
        "receipts.list": Call("buyer", "carrier", query={"order_id": world["order"]}),
        "receipts.get": Call("buyer", "carrier", path={"receipt_id": world["receipt"]}),
        "receipts.inspect": Call(
            "buyer", "seller", path={"receipt_id": world["new_receipt"]}, given={"lines": [verdict]}
        ),
    }
