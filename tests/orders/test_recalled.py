"""A recall that opens while goods are sold, and goods that are remedied under one."""

import asyncio
from typing import Any

import pytest

from services.kernel.ids import CertificateId
from services.orders import remedying
from tests.conftest import Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import draft_listing, motors
from tests.factories.orders import Market, awarded, delivered, held, inspected, negotiated, payable, received
from tests.factories.parties import Party, organization

PACKS = motors(title="Cell packs", key="packs")
RECALL = {
    "title": "Cell packs that may overheat",
    "predicate": {"title_words": ["cell packs"]},
    "dispositions": ["recycle"],
    "proofs": ["recycling"],
    "units_sold": 80,
}


async def done(market: Market, party: Party, path: str, body: object = None) -> dict[str, Any]:
    answer = await market.client.post(f"/v1/{path}", json=body, headers=party.headers | {"If-Match": "*"})
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_an_award_is_not_confirmed_once_its_goods_are_recalled(market: Market) -> None:
    listing = await negotiated(market.sessions, market.seller, [PACKS])
    order = await awarded(market.sessions, await placed_bid(market.sessions, listing, market.buyer), market.seller)
    await done(market, market.seller, "recall-campaigns", RECALL)

    headers = market.buyer.headers | {"If-Match": "*"}
    refused = await market.client.post(
        f"/v1/bids/{order.bid_id}/confirm", json={"terms_hash": order.terms_hash}, headers=headers
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "recall_quarantine")
    cancelled = await done(market, market.buyer, f"orders/{order.id}/cancel", {"reason": "Recalled"})
    assert cancelled["status"] == "cancelled"


async def test_a_certificate_counts_what_was_accepted_as_remedied(market: Market) -> None:
    campaign = await done(market, market.seller, "recall-campaigns", RECALL)
    named = motors(title="Cell packs", return_reason="product_recall", recall_campaign_id=campaign["id"])
    order = await held(market, [named])
    await delivered(market, order)
    await inspected(market, await received(market, order))

    async with market.work() as work:
        proof = CertificateId.new()
        await remedying.count_recalled(work, order_id=order.id, kind="recycling", certificate_id=proof)

    path = f"/v1/recall-campaigns/{campaign['id']}"
    told = (await market.client.get(path, headers=market.seller.headers)).json()["effectiveness"]
    assert (told["matched"], told["remedied"], told["open"]) == (40, 40, 0)
    assert (told["found_percent"], told["remedied_percent"]) == ("50.0", "100.0")
    (stop,) = (await market.client.get(f"{path}/stops", headers=market.seller.headers)).json()["data"]
    assert stop["lift_reason"] == "remedied"


@pytest.mark.race
async def test_no_award_slips_past_a_recall_that_opens_at_once(race: Race) -> None:
    """Each listing is awarded before the recall, or not at all; what was awarded is stopped before it is confirmed."""
    seller = await organization(race.sessions)
    await payable(race.sessions, seller)
    bidder = await processor(race.sessions)
    listings = [await negotiated(race.sessions, seller, [PACKS]) for _ in range(8)]
    bids = [await placed_bid(race.sessions, listing, bidder) for listing in listings]
    drafts = [await draft_listing(race.sessions, seller, [PACKS], mode="negotiated") for _ in range(8)]
    headers = seller.headers | {"If-Match": "*"}

    answers = await asyncio.gather(
        *(race.client.post(f"/v1/bids/{bid.id}/award", headers=headers) for bid in bids),
        race.client.post("/v1/recall-campaigns", json=RECALL, headers=seller.headers),
        *(race.client.post(f"/v1/listings/{draft.id}/publish", headers=headers) for draft in drafts),
    )

    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert await race.value("SELECT count(*) FROM listing WHERE stops <> ARRAY['recall_quarantine']") == 0
    assert await race.value("SELECT count(*) FROM \"order\" WHERE stops <> ARRAY['recall_quarantine']") == 0
    assert await race.value("SELECT count(*) FROM stop WHERE lifted_at IS NULL") == 16
