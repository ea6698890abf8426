"""Pictures of items: sent by the seller, recognised by content, shown to whoever may see the listing."""

import hashlib
import struct
import zlib

import httpx

from services.kernel.database import Sessions
from tests.factories.listings import draft_listing, motors
from tests.factories.parties import Party, organization
from tests.listings.test_listings_api import codes


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)
SHA256 = hashlib.sha256(PNG).hexdigest()


async def drafted(sessions: Sessions, client: httpx.AsyncClient, seller: Party) -> tuple[str, str]:
    """(listing id, path of its item's photos)."""
    listing = await draft_listing(sessions, seller, [motors()], mode="negotiated")
    read = (await client.get(f"/v1/listings/{listing.id}", headers=seller.headers)).json()
    return listing.id, f"/v1/listings/{listing.id}/items/{read['items'][0]['id']}/photos"


async def sent(client: httpx.AsyncClient, path: str, by: Party, content: bytes = PNG) -> httpx.Response:
    return await client.post(path, files={"file": ("drum.png", content, "image/png")}, headers=by.headers)


async def test_a_photo_is_kept_and_shown(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    _, path = await drafted(sessions, client, seller)
    made = await sent(client, path, seller)
    assert made.status_code == 201
    assert made.json()["items"][0]["photos"] == [{"sha256": SHA256, "name": "drum.png", "url": None}]
    shown = await client.get(f"{path}/{SHA256}", headers=seller.headers)
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")


async def test_the_same_photo_twice_is_one(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    _, path = await drafted(sessions, client, seller)
    await sent(client, path, seller)
    assert len((await sent(client, path, seller)).json()["items"][0]["photos"]) == 1


async def test_a_photo_shows_to_whoever_may_see_the_listing(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    buyer = await organization(sessions, roles=["recycler"], name="Rheinkreis Metall GmbH")
    listing_id, path = await drafted(sessions, client, seller)
    await sent(client, path, seller)
    assert (await client.get(f"{path}/{SHA256}", headers=buyer.headers)).status_code == 404
    await client.post(f"/v1/listings/{listing_id}/publish", headers=seller.headers)
    shown = await client.get(f"{path}/{SHA256}", headers=buyer.headers)
    assert (shown.status_code, shown.content) == (200, PNG)
    assert (await sent(client, path, seller)).json()["code"] == "listing_not_draft"


async def test_a_hash_opens_nobody_elses_file(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, other = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    await sent(client, (await drafted(sessions, client, other))[1], other)
    _, path = await drafted(sessions, client, seller)
    item = path.removesuffix("/photos")
    named = {"photos": [{"sha256": SHA256, "name": "not mine"}]}
    assert (await client.patch(item, json=named, headers=seller.headers)).status_code == 200
    assert (await client.get(f"{path}/{SHA256}", headers=seller.headers)).status_code == 404


async def test_what_is_no_picture_is_refused(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    _, path = await drafted(sessions, client, seller)
    assert codes(await sent(client, path, seller, b"<svg/>")) == [("/file", "file_type_not_allowed")]
    assert codes(await sent(client, path, seller, b"")) == [("/file", "file_empty")]
    assert (await sent(client, path, seller, PNG + bytes(11 * 1024 * 1024))).status_code == 413


async def test_a_photo_of_some_mebibytes_is_taken(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    _, path = await drafted(sessions, client, seller)
    assert (await sent(client, path, seller, PNG + bytes(5 * 1024 * 1024))).status_code == 201


async def test_a_stranger_adds_nothing(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, stranger = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    _, path = await drafted(sessions, client, seller)
    assert (await sent(client, path, stranger)).status_code == 404
