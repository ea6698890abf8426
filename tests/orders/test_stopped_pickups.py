"""Goods that are recalled are not handed over; what is on the road arrives, and once the recall is lifted all goes on."""

from typing import Any

import httpx

from services.orders.models import Order
from services.pickups import scheduling
from services.pickups.scheduling import PickupRequest
from tests.factories import pickups as hauls
from tests.factories.listings import motors
from tests.factories.orders import Market, dispatched, held

RECALL = {
    "title": "Motors",
    "predicate": {"title_words": ["motors"]},
    "dispositions": ["recycle"],
    "proofs": ["recycling"],
}

PARTIES = ("owner_id", "seller_id", "receiver_id", "custodian_id")
COPIED = ("order_id", *PARTIES, "from_site_id", "to_site_id", "currency")


async def recalled(market: Market) -> dict[str, Any]:
    answer = await market.client.post("/v1/recall-campaigns", json=RECALL, headers=market.seller.headers)
    told: dict[str, Any] = answer.json()
    return told


async def sent(market: Market, order: Order, verb: str, body: object) -> httpx.Response:
    haul = await market.haul(order)
    who = haul.owner if verb == "plan" else haul.carrier
    return await market.client.post(f"{haul.url}/{verb}", json=body, headers=who.headers)


async def test_a_recalled_pickup_is_not_planned_until_the_recall_is_lifted(market: Market) -> None:
    order = await held(market, [motors()])
    campaign = await recalled(market)
    refused = await sent(market, order, "plan", hauls.a_plan())
    told = await market.client.get((await market.haul(order)).url, headers=market.buyer.headers)
    path = f"/v1/recall-campaigns/{campaign['id']}/lift"
    await market.client.post(path, json={"reason": "A false alarm"}, headers=market.seller.headers)
    planned = await sent(market, order, "plan", hauls.a_plan())
    assert (refused.status_code, refused.json()["code"]) == (409, "recall_quarantine")
    assert "plan" not in told.json()["allowed_transitions"]
    assert (planned.status_code, planned.json()["status"]) == (200, "planned")


async def test_the_lorry_stands_before_recalled_goods_and_is_not_loaded(market: Market) -> None:
    order = await held(market, [motors()])
    haul = await dispatched(market, order)
    await recalled(market)
    signing = hauls.a_signature(haul)
    refused = await sent(market, order, "sign_handover", signing)
    cancelled = await market.client.post(f"{haul.url}/cancel", json={"reason": "Recalled"}, headers=haul.owner.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "recall_quarantine")
    assert cancelled.json()["status"] == "cancelled"


async def test_a_job_that_is_made_later_is_stopped_from_the_start(market: Market) -> None:
    order = await held(market, [motors()])
    known = (await market.haul(order)).job
    await recalled(market)
    wanted = {name: getattr(known, name) for name in COPIED}
    async with market.work() as work:
        again = await scheduling.request(work, PickupRequest(**wanted, goods=known.lines, ceiling=known.ceiling))
        await work.session.refresh(again)
    assert again.stops == ["recall_quarantine"]
