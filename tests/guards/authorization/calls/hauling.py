"""Pickup jobs and the offers made to carriers."""

from typing import Any

from tests.guards.authorization.asking import NOT_SENT, Call
from tests.guards.authorization.world import World

NOW = {"occurred_at": NOT_SENT}


def calls(world: World) -> dict[str, Call]:
    return _seen(world) | _planned(world) | _booked(world) | _driven(world) | _signed(world) | _offered(world)


def _job(world: World, thing: str) -> dict[str, str]:
    return {"pickup_id": world[thing]}


def _seen(world: World) -> dict[str, Call]:
    return {
        "pickups.list": Call("buyer", "rival"),
        "pickups.get": Call("buyer", "rival", path=_job(world, "closed_pickup")),
        "pickups.handover": Call("buyer", "rival", path=_job(world, "closed_pickup")),
    }


def _planned(world: World) -> dict[str, Call]:
    window = {name: world[name] for name in ("window_from", "window_until")}
    euros = {"amount": "620.00", "currency": "EUR"}
    asked = {"offers": [{"carrier_id": world.party("carrier").org.id, "price": euros}]}
    return {
        "pickups.plan": Call("buyer", "seller", path=_job(world, "fresh_pickup"), given=window),
        "pickups.tender": Call("buyer", "seller", path=_job(world, "planned"), given=asked),
        "pickups.self_haul": Call("buyer", "seller", path=_job(world, "planned")),
        "pickups.cancel": Call("buyer", "seller", path=_job(world, "planned")),
    }


def _booked(world: World) -> dict[str, Call]:
    slot = {"site_id": world["accepted_site"], "starts_at": world["slot_from"], "ends_at": world["slot_until"]}
    return {
        "pickups.book_slot": Call("carrier", "rival", path=_job(world, "accepted"), given=slot),
        "pickups.cancel_slot": Call("carrier", "rival", path=_job(world, "scheduled")),
        "pickups.dispatch": Call("carrier", "seller", path=_job(world, "scheduled")),
    }


def _driven(world: World) -> dict[str, Call]:
    return {
        "pickups.depart": Call("carrier", "seller", path=_job(world, "dispatched"), given=NOW),
        "pickups.arrive": Call("carrier", "seller", path=_job(world, "departed"), given=NOW | {"reason": "early"}),
    }


def _signed(world: World) -> dict[str, Call]:
    loaded = _content(world, "at_pickup_line")
    unloaded = _content(world, "at_delivery_line")
    return {
        "pickups.sign_handover": Call("seller", "buyer", path=_job(world, "at_pickup"), given=loaded),
        "pickups.sign_delivery": Call("buyer", "seller", path=_job(world, "at_delivery"), given=unloaded),
    }


def _content(world: World, line: str) -> dict[str, Any]:
    scale = {"method": "floor_scale", "instrument": "FS-2", "ticket": "T-4711"}
    whole = {"line_id": world[line], "quantity": 40, "mass": {"value": "12", "unit": "t"}}
    return NOW | {"lines": [whole], "measurement": scale}


def _offered(world: World) -> dict[str, Call]:
    offer = {"offer_id": world["offer"]}
    return {
        "offers.list": Call("carrier", "rival", query=_job(world, "tendered")),
        "offers.get": Call("carrier", "rival", path=offer),
        "offers.accept": Call("carrier", "rival", path=offer),
        "offers.decline": Call("carrier", "rival", path=offer),
    }
