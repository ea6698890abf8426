"""Splitting and merging as partners meet them: every piece and gram is kept, and where it went is told."""

from typing import Any

import httpx
import pytest

from services.kernel.database import Sessions
from services.listings.models import Listing
from tests.conftest import Settle
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing, received_import
from tests.factories.parties import Party, organization
from tests.listings.manifest_files import manifest, motor

GEARBOXES = motors(title="Gearboxes", quantity=7, mass={"value": "1", "unit": "t"}, key="gearboxes")
MOTORS = motors(key="motors")


async def post(client: httpx.AsyncClient, party: Party, path: str, body: object = None) -> httpx.Response:
    return await client.post(f"/v1/listings/{path}", json=body, headers=party.headers)


async def done(client: httpx.AsyncClient, party: Party, path: str, body: object = None) -> dict[str, Any]:
    answer = await post(client, party, path, body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def read(client: httpx.AsyncClient, party: Party, listing_id: str, what: str = "") -> dict[str, Any]:
    told: dict[str, Any] = (await client.get(f"/v1/listings/{listing_id}{what}", headers=party.headers)).json()
    return told


def goods(listing: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(item["title"], item["quantity"], item["mass"]["value"]) for item in listing["items"]]


async def item_id(client: httpx.AsyncClient, party: Party, listing: Listing, place: int = 0) -> str:
    return str((await read(client, party, listing.id))["items"][place]["id"])


async def test_part_of_an_item_becomes_a_draft_that_names_its_origin(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES])
    item = await item_id(client, seller, listing)

    part = await done(client, seller, f"{listing.id}/split", {"items": [{"item_id": item, "quantity": 3}]})

    assert (part["status"], part["origin_listing_id"]) == ("draft", listing.id)
    assert goods(part) == [("Gearboxes", 3, "428.571")]
    rest = await read(client, seller, listing.id)
    assert goods(rest) == [("Gearboxes", 4, "571.429")]
    assert (part["total_mass"]["value"], rest["total_mass"]["value"]) == ("428.571", "571.429")


async def test_the_new_draft_asks_for_what_the_old_one_did(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    money = {"amount": "12.50", "currency": "EUR"}
    terms: dict[str, Any] = {
        "mode": "instant",
        "price": money,
        "reserve_price": money,
        "deposit": money,
        "visibility": "invited",
        "invited_capability": {"roles": ["recycler"]},
    }
    listing = await draft_listing(sessions, seller, [motors()], **terms)
    body = {"items": [{"item_id": await item_id(client, seller, listing), "quantity": 10}]}
    draft = await done(client, seller, f"{listing.id}/split", body)
    before = await read(client, seller, listing.id)
    assert {name: draft[name] for name in terms} == {name: before[name] for name in terms}
    assert [draft[name] for name in ("price", "reserve_price", "deposit")] == [money] * 3


async def test_the_part_is_sold_on_the_same_terms_prices_included(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller = await organization(sessions)
    prices = {
        name: {"amount": amount, "currency": "EUR"}
        for name, amount in (("reserve_price", "95.00"), ("increment", "2.50"))
    }
    listing = await draft_listing(sessions, seller, [GEARBOXES], mode="timed", award_rule="best_landed", **prices)
    item = await item_id(client, seller, listing)
    part = await done(client, seller, f"{listing.id}/split", {"items": [{"item_id": item, "quantity": 3}]})
    apart = {"id", "created_at", "version", "items", "total_mass", "materials", "origin_listing_id"}
    whole = await read(client, seller, listing.id)
    assert part["reserve_price"] == prices["reserve_price"]
    assert {name: part[name] for name in part.keys() - apart} == {name: whole[name] for name in whole.keys() - apart}


async def test_a_whole_item_moves_as_it_is(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES, MOTORS])
    item = await item_id(client, seller, listing)
    part = await done(client, seller, f"{listing.id}/split", {"items": [{"item_id": item}], "title": "Gearboxes"})
    assert (part["title"], part["items"][0]["id"]) == ("Gearboxes", item)
    assert goods(await read(client, seller, listing.id)) == [("Electric motors", 40, "12000")]


async def test_something_stays_behind(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES])
    item = await item_id(client, seller, listing)
    refused = await post(client, seller, f"{listing.id}/split", {"items": [{"item_id": item}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "goods_not_divisible")


@pytest.mark.parametrize("quantity", [8, 1_000])
async def test_more_than_there_is_cannot_be_taken(sessions: Sessions, client: httpx.AsyncClient, quantity: int) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES, MOTORS])
    item = await item_id(client, seller, listing)
    refused = await post(client, seller, f"{listing.id}/split", {"items": [{"item_id": item, "quantity": quantity}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "goods_not_divisible")


async def test_another_listings_item_is_not_found(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES])
    item = await item_id(client, seller, await draft_listing(sessions, seller, [MOTORS]))
    refused = await post(client, seller, f"{listing.id}/split", {"items": [{"item_id": item}]})
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("/items/0/item_id", "item_not_found")
    ]


async def test_what_was_split_can_be_merged_again(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES, MOTORS])
    before = await read(client, seller, listing.id)
    part = await done(
        client, seller, f"{listing.id}/split", {"items": [{"item_id": before["items"][0]["id"], "quantity": 2}]}
    )

    whole = await done(client, seller, f"{part['id']}/merge", {"into_listing_id": listing.id, "reason": "No taker"})

    assert goods(whole) == goods(before)
    assert whole["items"][0]["id"] == before["items"][0]["id"]
    assert (await read(client, seller, part["id"]))["status"] == "withdrawn"
    told = await read(client, seller, listing.id, "/lineage")
    assert [(one["kind"], one["quantity"], one["mass"]["value"], one["reason"]) for one in told["data"]] == [
        ("split", 2, "285.714", None),
        ("merge", 2, "285.714", "No taker"),
    ]


async def test_items_of_one_key_that_differ_are_not_joined(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES])
    worn = GEARBOXES.model_copy(update={"condition_grade": "damaged"})
    other = await draft_listing(sessions, seller, [worn])
    merged = await done(client, seller, f"{other.id}/merge", {"into_listing_id": listing.id})
    assert [item["condition_grade"] for item in merged["items"]] == ["salvage", "damaged"]
    assert merged["total_mass"]["value"] == "2000"


async def test_a_draft_is_not_merged_into_itself(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [GEARBOXES])
    refused = await post(client, seller, f"{listing.id}/merge", {"into_listing_id": listing.id})
    assert [one["code"] for one in refused.json()["errors"]] == ["same_listing"]


async def test_only_drafts_are_merged(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    draft = await draft_listing(sessions, seller, [GEARBOXES])
    published = await open_listing(sessions, seller)
    refused = await post(client, seller, f"{draft.id}/merge", {"into_listing_id": published.id})
    assert (refused.status_code, refused.json()["code"]) == (409, "listing_not_draft")


async def test_a_published_listing_is_split_until_somebody_bids(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, [MOTORS], mode="negotiated")
    item = await item_id(client, seller, listing)
    await done(client, seller, f"{listing.id}/split", {"items": [{"item_id": item, "quantity": 10}]})
    await placed_bid(sessions, listing, await processor(sessions))
    refused = await post(client, seller, f"{listing.id}/split", {"items": [{"item_id": item, "quantity": 10}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "has_live_bids")
    assert "split" not in (await read(client, seller, listing.id))["allowed_transitions"]


async def test_what_was_split_off_is_not_found_in_what_is_left(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, reader = await organization(sessions), await processor(sessions)
    listing = await open_listing(sessions, seller, [MOTORS, lithium_modules()], mode="negotiated")
    modules = (await read(client, seller, listing.id))["items"][1]
    before = await client.get("/v1/listings/search?material=lithium_batteries", headers=reader.headers)
    assert [found["id"] for found in before.json()["data"]] == [listing.id]

    await done(client, seller, f"{listing.id}/split", {"items": [{"item_id": modules["id"]}]})

    after = await client.get("/v1/listings/search?material=lithium_batteries", headers=reader.headers)
    assert after.json()["data"] == []


async def test_splitting_does_not_tell_whether_a_sealed_listing_has_bids(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller, [MOTORS])
    item = await item_id(client, seller, listing)
    refused = await post(client, seller, f"{listing.id}/split", {"items": [{"item_id": item, "quantity": 10}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "bids_are_sealed")


async def test_lineage_is_the_sellers(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller)
    bidder = await processor(sessions)
    refused = await client.get(f"/v1/listings/{listing.id}/lineage", headers=bidder.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_the_seller")


# Units


async def imported(sessions: Sessions, settle: Settle) -> tuple[Party, str]:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, manifest(motor("A"), motor("B"), motor("C")))
    await settle()
    assert row.listing_id is not None
    return seller, row.listing_id


async def test_units_move_whole_and_stay_known_by_their_ids(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, listing_id = await imported(sessions, settle)
    (item,) = (await read(client, seller, listing_id))["items"]
    taken = {"items": [{"item_id": item["id"], "external_ids": ["B"]}]}
    part = await done(client, seller, f"{listing_id}/split", taken)
    assert (part["items"][0]["quantity"], item["quantity"]) == (1, 3)
    again = await received_import(sessions, seller, manifest(motor("A"), motor("B"), motor("C")))
    await settle()
    told = (await client.get(f"/v1/imports/{again.id}", headers=seller.headers)).json()
    assert (told["unchanged"], told["imported"]) == (3, 3)


async def test_an_unknown_unit_is_not_found(sessions: Sessions, client: httpx.AsyncClient, settle: Settle) -> None:
    seller, listing_id = await imported(sessions, settle)
    (item,) = (await read(client, seller, listing_id))["items"]
    taken = {"items": [{"item_id": item["id"], "external_ids": ["Z"]}]}
    refused = await post(client, seller, f"{listing_id}/split", taken)
    assert [one["code"] for one in refused.json()["errors"]] == ["unit_not_found"]


async def test_units_that_do_not_sum_to_the_quantity_stay(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, listing_id = await imported(sessions, settle)
    (item,) = (await read(client, seller, listing_id))["items"]
    taken = {"items": [{"item_id": item["id"], "quantity": 2, "external_ids": ["A"]}]}
    refused = await post(client, seller, f"{listing_id}/split", taken)
    assert (refused.status_code, refused.json()["code"]) == (409, "units_move_whole")
