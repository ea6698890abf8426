"""Listings and imports as partners meet them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.kernel.database import Sessions
from tests.conftest import Settle
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing
from tests.factories.parties import Party, organization
from tests.listings.manifest_files import manifest, motor

MOTORS = motors().model_dump(mode="json", exclude_none=True)
MiB = 1024 * 1024


def body(seller: Party, **given: object) -> dict[str, object]:
    usual = {
        "title": "End-of-life equipment",
        "site_id": seller.site.id,
        "mode": "negotiated",
        "price_unit": "tonne",
        "currency": "EUR",
    }
    return usual | given


def form(seller: Party, **given: str) -> dict[str, str]:
    return {"profile": "backhaul-1", "listing": json.dumps(body(seller, price_unit="piece"))} | given


def file(content: bytes) -> dict[str, tuple[str, bytes, str]]:
    return {"file": ("returns.csv", content, "text/csv")}


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


async def recycler(sessions: Sessions) -> Party:
    return await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")


# Drafts


async def test_a_draft_says_what_is_missing_before_it_is_published(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller = await organization(sessions)
    made = await client.post("/v1/listings", json=body(seller), headers=seller.headers)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.json()["allowed_transitions"] == ["split", "merge", "withdraw"]
    assert made.json()["blocked_transitions"] == [
        {
            "name": "publish",
            "reasons": [{"code": "listing_without_items", "detail": "/items: A listing needs at least one item."}],
        }
    ]
    refused = await client.post(f"/v1/listings/{made.json()['id']}/publish", headers=seller.headers)
    assert (refused.status_code, codes(refused)) == (422, [("/items", "listing_without_items")])


async def test_a_listing_goes_from_draft_to_open(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    made = (await client.post("/v1/listings", json=body(seller, items=[MOTORS]), headers=seller.headers)).json()
    assert made["items"][0]["mass"] == {"value": "12000", "unit": "kg"}
    assert [notice["code"] for notice in made["notices"]] == ["photo_missing"]
    path = f"/v1/listings/{made['id']}"
    tried = await client.post(f"{path}/publish?dry_run=true", headers=seller.headers)
    assert tried.json()["status"] == "open"
    assert (await client.get(path, headers=seller.headers)).json()["status"] == "draft"
    published = await client.post(f"{path}/publish", headers=seller.headers | {"If-Match": '"1"'})
    assert (published.status_code, published.json()["status"]) == (200, "open")
    withdrawn = await client.post(f"{path}/withdraw", json={"reason": "Sold"}, headers=seller.headers)
    assert (withdrawn.json()["status"], withdrawn.json()["allowed_transitions"]) == ("withdrawn", [])


async def test_items_are_added_changed_and_removed(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    path = f"/v1/listings/{(await draft_listing(sessions, seller)).id}"
    added = await client.post(f"{path}/items", json=MOTORS, headers=seller.headers)
    assert (added.status_code, added.json()["item_count"]) == (201, 1)
    item = f"{path}/items/{added.json()['items'][0]['id']}"
    changed = await client.patch(item, json={"mass": {"value": "11", "unit": "t"}}, headers=seller.headers)
    assert changed.json()["total_mass"] == {"value": "11000", "unit": "kg"}
    removed = await client.delete(item, headers=seller.headers)
    assert (removed.status_code, removed.json()["items"]) == (200, [])


async def test_a_change_checks_the_version_that_was_read(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    path = f"/v1/listings/{(await draft_listing(sessions, seller)).id}"
    changed = await client.patch(path, json={"title": "Motors"}, headers=seller.headers | {"If-Match": '"1"'})
    assert (changed.json()["title"], changed.headers["etag"]) == ("Motors", '"2"')
    late = await client.patch(path, json={"title": "Pumps"}, headers=seller.headers | {"If-Match": '"1"'})
    assert (late.status_code, late.headers["etag"]) == (412, '"2"')


async def test_an_emptied_title_is_not_valid(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    path = f"/v1/listings/{(await draft_listing(sessions, seller)).id}"
    assert (await client.patch(path, json={"title": None}, headers=seller.headers)).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"currency": "XAU"}, "/currency"),
        ({"closes_at": "2027-01-15T14:00:00"}, "/closes_at"),
        ({"reserve": "1"}, "/reserve"),
        ({"items": [{"title": "Motors", "quantity": 0}]}, "/items/0/quantity"),
        ({"items": [{"title": "Motors", "quantity": 1, "waste_code": "16"}]}, "/items/0/waste_code"),
        ({"origin_remainder_id": "rem_01kaq4m8q3e8xvw2t5n6r7s8d9"}, "/origin_remainder_id"),
    ],
)
async def test_what_is_wrong_in_a_new_listing_has_a_pointer(
    sessions: Sessions, client: httpx.AsyncClient, wrong: dict[str, object], pointer: str
) -> None:
    seller = await organization(sessions)
    refused = await client.post("/v1/listings", json=body(seller, **wrong), headers=seller.headers)
    assert refused.status_code == 422
    assert [where for where, _ in codes(refused)] == [pointer]


async def test_a_recycler_lists_nothing(sessions: Sessions, client: httpx.AsyncClient) -> None:
    processor = await recycler(sessions)
    refused = await client.post("/v1/listings", json=body(processor), headers=processor.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "may_not_list")


# Who sees what


async def test_a_foreign_draft_is_not_there(sessions: Sessions, client: httpx.AsyncClient) -> None:
    listing = await draft_listing(sessions, await organization(sessions), [motors()])
    stranger = await recycler(sessions)
    path = f"/v1/listings/{listing.id}"
    answers = [
        await client.get(path, headers=stranger.headers),
        await client.patch(path, json={"title": "Mine"}, headers=stranger.headers),
        await client.post(f"{path}/publish", headers=stranger.headers),
        await client.post(f"{path}/withdraw", headers=stranger.headers),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


async def test_another_sellers_listing_is_read_but_not_moved(sessions: Sessions, client: httpx.AsyncClient) -> None:
    listing = await open_listing(sessions, await organization(sessions), [motors(), lithium_modules()])
    stranger = await recycler(sessions)
    seen = (await client.get(f"/v1/listings/{listing.id}", headers=stranger.headers)).json()
    assert ([item["title"] for item in seen["items"]], seen["notices"]) == (["Electric motors", "Lithium modules"], [])
    assert (seen["allowed_transitions"], seen["blocked_transitions"]) == ([], [])
    refused = await client.post(f"/v1/listings/{listing.id}/withdraw", headers=stranger.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_the_seller")


async def test_the_invited_do_not_learn_of_each_other(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, guest = await organization(sessions), await recycler(sessions)
    listing = await open_listing(sessions, seller, visibility="invited", invited=[guest.org.id])
    stranger = await organization(sessions, roles=["recycler"], name="Batteriehof GmbH")
    path = f"/v1/listings/{listing.id}"
    assert (await client.get(path, headers=seller.headers)).json()["invited"] == [guest.org.id]
    assert (await client.get(path, headers=guest.headers)).json()["invited"] == []
    assert (await client.get(path, headers=stranger.headers)).status_code == 404


async def test_my_listings_are_listed_by_status(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, other = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    draft, opened = await draft_listing(sessions, seller), await open_listing(sessions, seller)
    foreign = await open_listing(sessions, other)

    async def listed(query: str) -> list[str]:
        answer = await client.get(f"/v1/listings{query}", headers=seller.headers)
        return [listing["id"] for listing in answer.json()["data"]]

    assert await listed("") == [opened.id, draft.id]
    assert await listed("?status=draft") == [draft.id]
    assert await listed("?mine=false") == [foreign.id, opened.id, draft.id]


async def test_pages_of_a_search_follow_each_other(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    expected = [(await open_listing(sessions, seller)).id for _ in range(3)][::-1]
    first = (await client.get("/v1/listings/search?limit=2", headers=seeker.headers)).json()
    rest = (
        await client.get(f"/v1/listings/search?limit=2&cursor={first['next_cursor']}", headers=seeker.headers)
    ).json()
    assert [listing["id"] for listing in first["data"] + rest["data"]] == expected
    assert (first["has_more"], rest["has_more"]) == (True, False)


async def test_a_search_around_a_place_tells_distances(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    await open_listing(sessions, seller)
    query = "?near=51.4344,6.7623&radius_km=250&material=copper&condition=salvage&return_reason=end_of_life&country=DE"
    (found,) = (await client.get(f"/v1/listings/search{query}", headers=seeker.headers)).json()["data"]
    assert found["distance_km"] == pytest.approx(189, abs=1)


@pytest.mark.parametrize("query", ["?radius_km=501", "?near=north", "?material=unobtainium", "?status=draft"])
async def test_a_search_for_what_cannot_be_is_refused(
    sessions: Sessions, client: httpx.AsyncClient, query: str
) -> None:
    seeker = await recycler(sessions)
    assert (await client.get(f"/v1/listings/search{query}", headers=seeker.headers)).status_code == 422


# Imports


async def test_a_manifest_is_received_read_and_its_refused_rows_come_back(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    content = manifest(motor("A"), motor("B", mass="heavy"))
    made = await client.post("/v1/imports", data=form(seller), files=file(content), headers=seller.headers)
    assert (made.status_code, made.json()["status"]) == (201, "received")
    path = f"/v1/imports/{made.json()['id']}"
    assert (await client.get(f"{path}/refused", headers=seller.headers)).status_code == 404
    await settle()
    read = (await client.get(path, headers=seller.headers)).json()
    assert (read["status"], read["rows"], read["imported"], read["refused"]) == ("completed", 2, 1, 1)
    assert read["problems"] == [
        {"row": 2, "pointer": "/mass", "code": "mass_malformed", "detail": "'heavy' is no mass"}
    ]
    back = await client.get(f"{path}/refused", headers=seller.headers)
    assert back.headers["content-type"] == "text/csv"
    assert back.text.splitlines()[1].startswith("mass mass_malformed")
    listing = (await client.get(f"/v1/listings/{read['listing_id']}", headers=seller.headers)).json()
    assert [(item["key"], item["quantity"]) for item in listing["items"]] == [("motor", 1)]


async def test_a_manifest_sent_twice_under_one_key_is_received_once(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    headers = seller.headers | {"Idempotency-Key": "manifest-1", "Content-Type": "multipart/form-data; boundary=b"}
    parts = {**form(seller), "file": manifest(motor("A")).decode()}
    head = {"file": 'file"; filename="returns.csv'}
    sent = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{head.get(name, name)}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    first = await client.post("/v1/imports", content=f"{sent}--b--\r\n".encode(), headers=headers)
    again = await client.post("/v1/imports", content=f"{sent}--b--\r\n".encode(), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    await settle()
    listed = (await client.get("/v1/imports", headers=seller.headers)).json()["data"]
    assert [(row["file_name"], row["rows"], row["added"]) for row in listed] == [("returns.csv", 1, 1)]


async def test_a_manifest_goes_into_a_draft_with_a_mapping_of_its_own(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    fields = {"external_id": "Nr", "item_key": "Typ", "return_reason": {"constant": "end_of_life"}}
    mapping = {"decimal": ",", "fields": {**fields, "condition_grade": {"constant": "salvage"}, "mass": "Masse"}}
    sent = {"mapping": json.dumps(mapping), "listing_id": listing.id}
    content = b"Nr;Typ;Masse\n1;Motor;12,5 kg\n"
    made = await client.post("/v1/imports", data=sent, files=file(content), headers=seller.headers)
    await settle()
    read = (await client.get(f"/v1/imports/{made.json()['id']}", headers=seller.headers)).json()
    assert (read["listing_id"], read["added"], read["profile"]) == (listing.id, 1, None)
    found = (await client.get(f"/v1/listings/{listing.id}", headers=seller.headers)).json()
    assert found["total_mass"] == {"value": "12.5", "unit": "kg"}


async def test_what_is_wrong_in_the_form_has_a_pointer(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)

    async def refused(**given: Any) -> list[tuple[str, str]]:
        sent = {name: value for name, value in form(seller, **given).items() if value}
        answer = await client.post("/v1/imports", data=sent, files=file(manifest()), headers=seller.headers)
        assert answer.status_code == 422
        return codes(answer)

    assert await refused(profile="") == [("/profile", "one_of")]
    assert await refused(mapping="{}") == [("/profile", "one_of")]
    assert await refused(profile="a\0") == [("/profile", "text_unstorable")]
    assert await refused(profile="nobody's") == [("/profile", "profile_unknown")]
    assert await refused(profile="", mapping="{") == [("/mapping", "json_invalid")]
    assert await refused(profile="", mapping="[" * 100_000) == [("/mapping", "json_invalid")]
    assert await refused(profile="", mapping='{"fields": {"\\u0000": "a"}}') == [("/mapping", "text_unstorable")]
    assert (await refused(profile="", mapping='{"fields": {}}'))[0] == (
        "/mapping/fields/external_id",
        "target_required",
    )
    assert await refused(listing="") == [("/listing_id", "one_of")]
    assert await refused(listing="{}") == [
        (f"/listing/{name}", "required") for name in ("title", "site_id", "mode", "price_unit", "currency")
    ]
    assert await refused(listing=json.dumps(body(seller, reserve=1))) == [("/listing/reserve", "unknown_field")]


async def test_a_foreign_import_is_not_there(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, stranger = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    made = await client.post("/v1/imports", data=form(seller), files=file(manifest(motor("A"))), headers=seller.headers)
    path = f"/v1/imports/{made.json()['id']}"
    assert (await client.get(path, headers=stranger.headers)).status_code == 404
    assert (await client.get(f"{path}/refused", headers=stranger.headers)).status_code == 404
    assert (await client.get("/v1/imports", headers=stranger.headers)).json()["data"] == []


async def test_a_manifest_into_a_foreign_draft_is_refused(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, stranger = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    sent = {"profile": "backhaul-1", "listing_id": (await draft_listing(sessions, seller)).id}
    refused = await client.post("/v1/imports", data=sent, files=file(manifest(motor("A"))), headers=stranger.headers)
    assert refused.status_code == 404


async def test_a_manifest_of_two_mebibytes_is_taken(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    content = manifest(motor("A", fault="x" * 2 * MiB))
    made = await client.post("/v1/imports", data=form(seller), files=file(content), headers=seller.headers)
    assert (made.status_code, made.json()["size_bytes"]) == (201, len(content))


async def test_a_manifest_above_the_limit_is_refused_by_its_declared_length(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller = await organization(sessions)
    refused = await client.post("/v1/imports", data=form(seller), files=file(b"a" * 49 * MiB), headers=seller.headers)
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")


async def test_a_manifest_above_the_limit_is_refused_as_it_streams_in(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller = await organization(sessions)

    async def chunks() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(49):
            yield b"a" * MiB

    headers = seller.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    refused = await client.post("/v1/imports", content=chunks(), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
