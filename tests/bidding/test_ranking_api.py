"""What the seller reads beside the ranking, and how far it is told where a bidder sits."""

from typing import Any

import httpx
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.quantities import Mass
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from services.parties import sites
from tests.bidding.lots import open_lot
from tests.factories.bidding import placed_bid
from tests.factories.listings import motors
from tests.factories.parties import Party, yard

_EXPIRE = text("UPDATE permit SET valid_until = '2021-01-01' WHERE org_id = :org")


async def ranking(client: httpx.AsyncClient, seller: Party, listing: Listing) -> dict[str, Any]:
    answer = await client.get(f"/v1/listings/{listing.id}/ranking", headers=seller.headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_the_seller_reads_why_first_is_first(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    best = await placed_bid(sessions, listing, rheinkreis, co2e=Mass(400_000))
    await placed_bid(sessions, listing, zweitlauf, "100.00")
    told = await ranking(client, seller, listing)
    first, second = told["data"]

    assert told["tie_break"] == ["landed_net_value", "disposition", "co2e", "received_at", "id"]
    assert (first["behind"], first["is_efficient"], first["dominated_by"]) == (None, True, [])
    assert second["behind"] == {
        "bid_id": best.id,
        "criterion": "landed_net_value",
        "difference": {"amount": "38.00", "currency": "EUR"},
    }
    assert (second["is_efficient"], second["dominated_by"]) == (False, [best.id])
    assert (first["co2e"], second["co2e"]) == ({"value": "400", "unit": "kg"}, None)


async def test_the_distance_is_an_estimate_in_steps_of_ten_kilometres(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller, mode="negotiated")
    async with UnitOfWork(sessions, rheinkreis.actor) as work:
        cologne = await sites.create(work, yard(latitude=50.94, longitude=6.96, city="Köln"), by=rheinkreis.actor)
    await placed_bid(sessions, listing, rheinkreis, site_id=cologne.id)
    assert (await ranking(client, seller, listing))["data"][0]["estimated_distance_km"] == 240


async def test_the_seller_sees_whose_permit_no_longer_covers_the_goods(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    listing = await open_lot(sessions, seller, [motors()], mode="negotiated")
    await placed_bid(sessions, listing, rheinkreis)
    await placed_bid(sessions, listing, zweitlauf, "100.00")
    async with sessions() as session:
        await session.execute(_EXPIRE, {"org": rheinkreis.org.id})
        await session.commit()
    first, second = (await ranking(client, seller, listing))["data"]
    assert (first["permits_fit"], [one["code"] for one in first["permits_lack"]]) == (False, ["permit_expired"])
    assert (second["permits_fit"], second["permits_lack"]) == (True, [])


async def test_the_reserve_is_the_sellers_secret(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    reserve = {"amount": "130.00", "currency": "EUR"}
    listing = await open_lot(sessions, seller, mode="negotiated", reserve_price=reserve)
    bid = await placed_bid(sessions, listing, rheinkreis)
    own = await client.get(f"/v1/listings/{listing.id}", headers=seller.headers)
    others = await client.get(f"/v1/listings/{listing.id}", headers=rheinkreis.headers)
    theirs = await client.get(f"/v1/bids/{bid.id}?expand=listing", headers=rheinkreis.headers)
    told = await ranking(client, seller, listing)
    assert (own.json()["reserve_price"], others.json()["reserve_price"]) == (reserve, None)
    assert "130.00" not in others.text + theirs.text
    assert (told["reserve"]["amount"], told["data"][0]["meets_reserve"]) == ("260.00", False)
