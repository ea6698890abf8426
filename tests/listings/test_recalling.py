"""A recall stops what matches, now and later, and counts what becomes of it."""

from typing import Any

import httpx
import pytest

from services.kernel.database import Sessions
from services.listings.models import Listing
from tests.conftest import Settle
from tests.factories.bidding import new_bid, placed_bid, processor
from tests.factories.listings import draft_listing, motors, open_listing, received_import
from tests.factories.parties import Party, organization

PACKS = motors(title="Cell packs", key="packs")
RECALL = {
    "title": "Cell packs that may overheat",
    "predicate": {"title_words": ["cell packs"]},
    "dispositions": ["recycle"],
    "proofs": ["recycling"],
    "units_sold": 160,
}


def serials(*names: str) -> bytes:
    """A manifest of motors whose serial numbers are SN-A and so on."""
    header = "external_id,item_key,return_reason,condition_grade,mass,mass_unit,unit_serial"
    return "\n".join([header, *(f"{name},motor,end_of_life,salvage,300,kg,SN-{name}" for name in names), ""]).encode()


async def opened(client: httpx.AsyncClient, maker: Party, **given: object) -> dict[str, Any]:
    answer = await client.post("/v1/recall-campaigns", json=RECALL | given, headers=maker.headers)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def done(client: httpx.AsyncClient, party: Party, path: str, body: object = None) -> dict[str, Any]:
    answer = await client.post(f"/v1/{path}", json=body, headers=party.headers | {"If-Match": "*"})
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def refused(client: httpx.AsyncClient, party: Party, path: str, body: object = None) -> tuple[int, str]:
    answer = await client.post(f"/v1/{path}", json=body, headers=party.headers | {"If-Match": "*"})
    return answer.status_code, answer.json()["code"]


async def read(client: httpx.AsyncClient, party: Party, path: str) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get(f"/v1/{path}", headers=party.headers)).json()
    return told


async def under(client: httpx.AsyncClient, seller: Party, listing: Listing, campaign: dict[str, Any]) -> None:
    """The first item is offered under the campaign."""
    item = (await read(client, seller, f"listings/{listing.id}"))["items"][0]
    named = {"return_reason": "product_recall", "recall_campaign_id": campaign["id"]}
    answer = await client.patch(f"/v1/listings/{listing.id}/items/{item['id']}", json=named, headers=seller.headers)
    assert answer.is_success, answer.text


def bid(listing: Listing, bidder: Party, **given: Any) -> dict[str, Any]:
    return new_bid(listing, bidder, **given).model_dump(mode="json", exclude_none=True)


async def test_what_was_drafted_before_is_not_published(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    await opened(client, seller)
    assert await refused(client, seller, f"listings/{listing.id}/publish") == (409, "recall_quarantine")


async def test_what_is_drafted_later_is_not_published_either(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    await opened(client, seller)
    listing = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    assert await refused(client, seller, f"listings/{listing.id}/publish") == (409, "recall_quarantine")


async def test_other_goods_are_not_stopped(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, mode="negotiated", items=[motors()])
    await opened(client, seller)
    assert (await done(client, seller, f"listings/{listing.id}/publish"))["status"] == "open"


async def test_recalled_goods_are_offered_under_their_campaign(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    campaign = await opened(client, seller)
    listing = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    await under(client, seller, listing, campaign)
    assert (await done(client, seller, f"listings/{listing.id}/publish"))["status"] == "open"


async def test_an_open_listing_takes_no_bid_any_more(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    listing = await open_listing(sessions, seller, [PACKS], mode="negotiated")
    await opened(client, seller)
    assert await refused(client, bidder, "bids", bid(listing, bidder)) == (409, "recall_quarantine")


async def test_a_bid_that_stands_is_not_awarded(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    listing = await open_listing(sessions, seller, [PACKS], mode="negotiated")
    standing = await placed_bid(sessions, listing, bidder)
    await opened(client, seller)
    told = await read(client, seller, f"bids/{standing.id}")
    assert "award" not in told["allowed_transitions"]
    answer = await client.post(f"/v1/bids/{standing.id}/award", headers=seller.headers | {"If-Match": "*"})
    assert (answer.status_code, "recall_quarantine" in answer.text) == (409, True)


async def test_a_stopped_listing_may_be_withdrawn(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, [PACKS], mode="negotiated")
    await opened(client, seller)
    assert (await done(client, seller, f"listings/{listing.id}/withdraw"))["status"] == "withdrawn"


async def test_bids_for_recalled_goods_promise_what_the_campaign_allows(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    campaign = await opened(client, seller)
    listing = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    await under(client, seller, listing, campaign)
    await done(client, seller, f"listings/{listing.id}/publish")
    answer = await client.post("/v1/bids", json=bid(listing, bidder, disposition="reuse"), headers=bidder.headers)
    assert [one["code"] for one in answer.json()["errors"]] == ["disposition_not_in_recall"]
    assert (await done(client, bidder, "bids", bid(listing, bidder)))["status"] == "active"


async def test_lifting_sets_the_goods_free(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    listing = await open_listing(sessions, seller, [PACKS], mode="negotiated")
    campaign = await opened(client, seller)
    lifted = await done(client, seller, f"recall-campaigns/{campaign['id']}/lift", {"reason": "A false alarm"})
    assert (lifted["status"], lifted["effectiveness"]["matched"]) == ("lifted", 0)
    assert (await done(client, bidder, "bids", bid(listing, bidder)))["status"] == "active"
    (stop,) = (await read(client, seller, f"recall-campaigns/{campaign['id']}/stops"))["data"]
    assert stop["lift_reason"] == "lifted"


async def test_closing_looks_for_nothing_more_and_frees_nothing(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    before = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    campaign = await opened(client, seller)
    await done(client, seller, f"recall-campaigns/{campaign['id']}/close", {"reason": "All found"})
    after = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    assert await refused(client, seller, f"listings/{before.id}/publish") == (409, "recall_quarantine")
    assert (await done(client, seller, f"listings/{after.id}/publish"))["status"] == "open"


async def test_a_part_stays_stopped_after_the_search_is_closed(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [PACKS], mode="negotiated")
    campaign = await opened(client, seller)
    await done(client, seller, f"recall-campaigns/{campaign['id']}/close", {"reason": "All found"})
    item = (await read(client, seller, f"listings/{listing.id}"))["items"][0]["id"]
    part = await done(client, seller, f"listings/{listing.id}/split", {"items": [{"item_id": item, "quantity": 15}]})
    assert await refused(client, seller, f"listings/{part['id']}/publish") == (409, "recall_quarantine")
    told = await read(client, seller, f"recall-campaigns/{campaign['id']}")
    assert (told["effectiveness"]["matched"], told["effectiveness"]["found_percent"]) == (40, "25.0")
    merged = await done(client, seller, f"listings/{part['id']}/merge", {"into_listing_id": listing.id})
    assert await refused(client, seller, f"listings/{merged['id']}/publish") == (409, "recall_quarantine")
    told = await read(client, seller, f"recall-campaigns/{campaign['id']}")
    assert told["effectiveness"]["matched"] == 40


# Units


async def test_one_recalled_unit_stops_its_item_until_it_is_split_off(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    maker, holder = await organization(sessions), await organization(sessions, roles=["holder"], name="Kaufhaus AG")
    campaign = await opened(client, maker, predicate={"serials": ["SN-B"]})
    row = await received_import(sessions, holder, serials("A", "B", "C"))
    await settle()
    item = (await read(client, holder, f"listings/{row.listing_id}"))["items"][0]
    (stop,) = (await read(client, holder, f"recall-campaigns/{campaign['id']}/stops"))["data"]
    assert (stop["external_id"], stop["quantity"], stop["matched_on"]) == ("B", 1, ["serials"])
    blocked = (await read(client, holder, f"listings/{row.listing_id}"))["blocked_transitions"]
    assert "recall_quarantine" in [reason["code"] for one in blocked for reason in one["reasons"]]

    taken = {"items": [{"item_id": item["id"], "external_ids": ["B"]}]}
    part = await done(client, holder, f"listings/{row.listing_id}/split", taken)

    rest = (await read(client, holder, f"listings/{row.listing_id}"))["blocked_transitions"]
    assert "recall_quarantine" not in [reason["code"] for one in rest for reason in one["reasons"]]
    reasons = [reason["code"] for one in part["blocked_transitions"] for reason in one["reasons"]]
    assert "recall_quarantine" in reasons


async def test_a_seller_does_not_read_how_far_the_recall_has_got(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    maker, holder = await organization(sessions), await organization(sessions, roles=["holder"], name="Kaufhaus AG")
    await received_import(sessions, holder, serials("B"))
    await settle()
    campaign = await opened(client, maker, predicate={"serials": ["SN-B"]})
    told = await read(client, holder, f"recall-campaigns/{campaign['id']}")
    assert (told["effectiveness"], told["allowed_transitions"]) == (None, [])


async def test_a_recall_is_not_there_for_whom_it_does_not_concern(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    maker, stranger = await organization(sessions), await processor(sessions)
    campaign = await opened(client, maker)
    path = f"/v1/recall-campaigns/{campaign['id']}"
    assert (await client.get(path, headers=stranger.headers)).status_code == 404
    assert (await client.get("/v1/recall-campaigns", headers=stranger.headers)).json()["data"] == []


async def test_only_a_manufacturer_recalls(sessions: Sessions, client: httpx.AsyncClient) -> None:
    holder = await organization(sessions, roles=["holder"], name="Kaufhaus AG")
    assert await refused(client, holder, "recall-campaigns", RECALL) == (403, "may_not_recall")


@pytest.mark.parametrize("predicate", [{}, {"serial_ranges": [{"first": "A9", "last": "A1"}]}])
async def test_a_predicate_means_something(
    sessions: Sessions, client: httpx.AsyncClient, predicate: dict[str, Any]
) -> None:
    maker = await organization(sessions)
    answer = await client.post("/v1/recall-campaigns", json=RECALL | {"predicate": predicate}, headers=maker.headers)
    assert answer.status_code == 422


async def test_an_unknown_campaign_is_not_named(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    item = motors().model_dump(mode="json", exclude_none=True)
    named = item | {"recall_campaign_id": "rcl_01kaq4m8q3e8xvw2t5n6r7s8d9"}
    answer = await client.post(f"/v1/listings/{listing.id}/items", json=named, headers=seller.headers)
    assert [one["code"] for one in answer.json()["errors"]] == ["campaign_not_found"]


@pytest.mark.parametrize(
    "predicate",
    [
        {"serials": [" sn-b "]},
        {"serial_ranges": [{"first": "SN-1", "last": "SN-9"}]},
        {"mpns": ["nw-480"]},
        {"mpns": ["NW-480"], "serials": ["SN-B"]},
    ],
)
async def test_units_are_found_however_they_are_written(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle, predicate: dict[str, Any]
) -> None:
    maker, holder = await organization(sessions), await organization(sessions, roles=["holder"], name="Kaufhaus AG")
    header = "external_id,item_key,return_reason,condition_grade,mass,mass_unit,unit_serial,model"
    rows = ["B,motor,end_of_life,salvage,300,kg,SN-B,NW-480", "C,motor,end_of_life,salvage,300,kg,SN-7,NW-480"]
    await received_import(sessions, holder, "\n".join([header, *rows, ""]).encode())
    await settle()
    told = await opened(client, maker, predicate=predicate)
    assert told["effectiveness"]["matched"] >= 1
