"""Orders from the contract to the inspection, and pickup jobs at every stage of the road."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from services.kernel.ids import LineId
from services.orders.models import Order, Receipt
from services.orders.pricing import Measured
from services.parties import sites
from tests.factories import pickups as hauls
from tests.factories.listings import motors
from tests.factories.orders import delivered, held, inspected, received
from tests.factories.parties import Party, yard
from tests.factories.pickups import CREW, HERE, PHOTO, Haul, did
from tests.guards.authorization.cast import Cast

REFUSED = Measured(12, 3_600_000)


async def ordered(cast: Cast) -> dict[str, str]:
    market = cast.market
    fresh = await held(market, [motors()])
    arrived = await _delivered(cast)
    unseen = await _delivered(cast)
    uninspected = await received(market, unseen)
    order = await _delivered(cast)
    receipt = await received(market, order)
    (line,) = await market.receipt_lines(receipt)
    await inspected(market, receipt, {LineId(line.line_id): REFUSED})
    await market.settle()
    found = {"fresh_order": fresh.id, "arrived_order": arrived.id, "order": order.id, "receipt": receipt.id}
    return {
        **found,
        "order_line": line.line_id,
        "deal": (await market.deal(order)).id,
        "fresh_pickup": (await market.haul(fresh)).job.id,
        "closed_pickup": (await market.haul(order)).job.id,
        **await _waiting(cast, arrived, uninspected),
    }


async def _delivered(cast: Cast) -> Order:
    """From a place of its own: no two lorries meet at a dock."""
    seller = await _elsewhere(cast, cast["seller"])
    order = await held(cast.market, [motors()], site_id=seller.site.id)
    await delivered(cast.market, order)
    return order


async def _waiting(cast: Cast, arrived: Order, uninspected: Receipt) -> dict[str, str]:
    (expected,) = (await cast.market.lines(arrived)).values()
    (line,) = await cast.market.receipt_lines(uninspected)
    return {"arrived_line": expected.id, "new_receipt": uninspected.id, "received_line": line.line_id}


async def hauled(cast: Cast, client: httpx.AsyncClient) -> dict[str, str]:
    """Their orders are nobody's, so nothing may react to them any more."""
    planned = await hauls.planned(client, cast.market.sessions, **await _parties(cast))
    tendered = await hauls.planned(client, cast.market.sessions, **await _parties(cast))
    await did(client, tendered.owner, f"{tendered.url}/tender", hauls.a_tender(cast["carrier"], cast["rival"]))
    newest, *_ = await hauls.offers_to(client, cast["carrier"])
    return {
        "planned": planned.job.id,
        "tendered": tendered.job.id,
        "offer": newest["id"],
        **await _booked(cast, client),
        **await _signed(cast, client),
    }


async def _booked(cast: Cast, client: httpx.AsyncClient) -> dict[str, str]:
    accepted = await hauls.accepted(client, cast.market.sessions, **await _parties(cast))
    slot = hauls.a_slot(accepted)
    return {
        "accepted": accepted.job.id,
        "accepted_site": slot["site_id"],
        "slot_from": slot["starts_at"],
        "slot_until": slot["ends_at"],
        "scheduled": (await _on_the_way(cast, client)).job.id,
        "dispatched": (await _on_the_way(cast, client, "dispatch")).job.id,
        "departed": (await _on_the_way(cast, client, "dispatch", "depart")).job.id,
        "window_from": (hauls.monday() + timedelta(hours=6)).isoformat(),
        "window_until": (hauls.monday() + timedelta(days=4)).isoformat(),
    }


STEPS: dict[str, dict[str, Any]] = {"dispatch": CREW, "depart": HERE}


async def _on_the_way(cast: Cast, client: httpx.AsyncClient, *steps: str) -> Haul:
    haul = await hauls.scheduled(client, cast.market.sessions, **await _parties(cast))
    await hauls.cleared(cast.market.sessions, haul)
    for step in steps:
        await did(client, haul.carrier, f"{haul.url}/{step}", STEPS[step])
    return haul


async def _signed(cast: Cast, client: httpx.AsyncClient) -> dict[str, str]:
    waiting = await hauls.at_pickup(client, cast.market.sessions, **await _parties(cast))
    unloading = await hauls.at_delivery(client, cast.market.sessions, **await _parties(cast))
    return {
        "at_pickup": waiting.job.id,
        "at_pickup_line": waiting.job.lines[0].line_id,
        "at_delivery": unloading.job.id,
        "at_delivery_line": unloading.job.lines[0].line_id,
        "photo": PHOTO["sha256"],
    }


async def _parties(cast: Cast) -> dict[str, Any]:
    seller = await _elsewhere(cast, cast["seller"])
    return {"seller": seller, "receiver": cast["buyer"], "hauler": cast["carrier"]}


async def _elsewhere(cast: Cast, party: Party) -> Party:
    async with cast.market.work(party) as work:
        site = await sites.create(work, yard(name="Another yard"), by=party.actor)
    return replace(party, site=site)
