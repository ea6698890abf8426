"""A search that is kept tells what is published from then on, once, and only what its organization may see."""

from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col

from services.kernel.database import Sessions
from services.kernel.events import EventRow
from tests.conftest import Settle
from tests.factories.listings import lithium_modules, motors, open_listing
from tests.factories.parties import Party, organization


async def recycler(sessions: Sessions, name: str = "Rheinkreis Metall GmbH") -> Party:
    return await organization(sessions, roles=["recycler"], name=name)


async def keep(client: httpx.AsyncClient, party: Party, criteria: dict[str, Any]) -> httpx.Response:
    return await client.post("/v1/saved-searches", headers=party.headers, json={"name": "Mine", "criteria": criteria})


async def told(sessions: Sessions) -> list[tuple[str, str]]:
    """To whom, about which listing."""
    async with sessions() as session:
        query = select(EventRow).where(col(EventRow.type) == "saved_search.matched").order_by(col(EventRow.ordinal))
        rows = (await session.execute(query)).scalars().all()
    return [(row.audience_orgs[0], row.data["listing_id"]) for row in rows]


async def test_what_is_published_and_fits_is_told_once(
    client: httpx.AsyncClient, sessions: Sessions, settle: Settle
) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    await keep(client, seeker, {"material": "copper", "near": "51.3,9.5", "radius_km": 50, "text": "electric MOTORS"})
    fits = await open_listing(sessions, seller, [motors(), motors(condition_grade="damaged")])
    await open_listing(sessions, seller, [lithium_modules()])
    await settle()
    assert await told(sessions) == [(seeker.org.id, fits.id)]


async def test_nobody_is_told_of_its_own(client: httpx.AsyncClient, sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    await keep(client, seller, {"material": "copper"})
    await open_listing(sessions, seller)
    await settle()
    assert await told(sessions) == []


async def test_an_invited_listing_is_told_to_the_invited_alone(
    client: httpx.AsyncClient, sessions: Sessions, settle: Settle
) -> None:
    seller, guest, stranger = (
        await organization(sessions),
        await recycler(sessions),
        await recycler(sessions, "Fern AG"),
    )
    await keep(client, guest, {"material": "copper"})
    await keep(client, stranger, {"material": "copper"})
    listing = await open_listing(sessions, seller, visibility="invited", invited=[guest.org.id])
    await settle()
    assert await told(sessions) == [(guest.org.id, listing.id)]


async def test_a_search_is_changed_as_a_whole_and_forgotten(
    client: httpx.AsyncClient, sessions: Sessions, settle: Settle
) -> None:
    seller, seeker = await organization(sessions), await recycler(sessions)
    kept = (await keep(client, seeker, {"material": "copper"})).json()
    path = f"/v1/saved-searches/{kept['id']}"
    body = {"name": "Cells", "criteria": {"waste_code": "16 06 07*"}}
    changed = await client.put(path, headers={**seeker.headers, "If-Match": '"1"'}, json=body)
    assert (changed.json()["version"], changed.json()["criteria"]["material"]) == (2, None)
    await open_listing(sessions, seller)
    await settle()
    assert await told(sessions) == []
    assert (await client.delete(path, headers=seeker.headers)).status_code == 204
    assert (await client.get("/v1/saved-searches", headers=seeker.headers)).json()["data"] == []


async def test_searches_are_their_organizations_alone(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seeker, other = await recycler(sessions), await recycler(sessions, "Fern AG")
    kept = (await keep(client, seeker, {"country": "DE"})).json()
    answers = [
        await client.get(f"/v1/saved-searches/{kept['id']}", headers=other.headers),
        await client.delete(f"/v1/saved-searches/{kept['id']}", headers=other.headers),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_search_for_anything_or_nowhere_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seeker = await recycler(sessions)
    assert (await keep(client, seeker, {"radius_km": 5})).status_code == 422
    nowhere = await keep(client, seeker, {"near": "Kassel"})
    assert nowhere.json()["errors"][0]["code"] == "place_malformed"
