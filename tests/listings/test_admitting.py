"""Listings for whoever can do what they ask: who is let in, when, and that nobody else learns of them or of each other."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from services.bidding.models import DemandMatch
from services.kernel.database import Sessions
from services.kernel.events import EventRow
from services.kernel.ids import SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings.admitting import letting_in, queries
from services.listings.models import Listing
from services.parties import permits, sites, verification
from services.parties.models import PermitDetails, ScopeDetails
from tests.conftest import Advance, Race, Settle
from tests.factories.demands import demand_order
from tests.factories.listings import draft_listing, lithium_modules, motors, open_listing, terms
from tests.factories.parties import Party, organization, permit, yard

WITH_PERMIT: dict[str, Any] = {"has_permit": True}


async def recycler(sessions: Sessions, name: str = "Rheinkreis Metall GmbH", country: str = "DE") -> Party:
    return await organization(sessions, ["recycler"], name, country)


async def asking(sessions: Sessions, seller: Party, capability: dict[str, Any], **given: Any) -> Listing:
    """Open to whoever has the capability."""
    return await open_listing(sessions, seller, visibility="invited", invited_capability=capability, **given)


async def sees(client: httpx.AsyncClient, party: Party, listing: Listing) -> bool:
    """By the listing's address, by a search, and by the list of what is offered: all three say the same."""
    there = (await client.get(f"/v1/listings/{listing.id}", headers=party.headers)).status_code
    found = [
        listing.id in {one["id"] for one in (await client.get(path, headers=party.headers)).json()["data"]}
        for path in ("/v1/listings/search", "/v1/listings?mine=false")
    ]
    assert {there == 200, *found} in ({True}, {False})
    return there == 200


async def told(sessions: Sessions, party: Party, type: str) -> list[EventRow]:
    query = select(EventRow).where(
        col(EventRow.type) == type, col(EventRow.audience_orgs).contains([str(party.org.id)])
    )
    async with sessions() as session:
        return list((await session.execute(query)).scalars())


async def bid(client: httpx.AsyncClient, party: Party, listing: Listing) -> httpx.Response:
    body = {
        "listing_id": listing.id,
        "site_id": party.site.id,
        "price": {"amount": "120.00", "currency": "EUR"},
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    return await client.post("/v1/bids", headers=party.headers, json=body)


async def test_a_seller_publishes_for_whoever_may_treat_the_goods(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, able, unable = await organization(sessions), await recycler(sessions), await recycler(sessions, "Fern AG")
    await permit(sessions, able)
    body = terms(seller, items=[motors()], mode="negotiated").model_dump(mode="json", exclude_none=True)
    body |= {"visibility": "invited", "invited_capability": {"roles": ["recycler"], "has_permit": True}}
    body["items"][0].pop("key", None)
    drafted = await client.post("/v1/listings", headers=seller.headers, json=body)
    assert drafted.status_code == 201, drafted.text
    path = f"/v1/listings/{drafted.json()['id']}"
    published = (await client.post(f"{path}/publish", headers=seller.headers)).json()
    listing = (await listed(sessions))[0]

    assert (published["invited"], published["admitted_count"]) == ([], 1)
    assert published["invited_capability"] == {
        "roles": ["recycler"],
        "countries": [],
        "has_permit": True,
        "operation": None,
    }
    assert [await sees(client, one, listing) for one in (seller, able, unable)] == [True, True, False]
    assert (await bid(client, able, listing)).status_code == 201
    assert (await bid(client, unable, listing)).status_code == 404
    assert [len(await told(sessions, one, "listing.published")) for one in (able, unable)] == [1, 0]


async def listed(sessions: Sessions) -> list[Listing]:
    async with sessions() as session:
        return list((await session.execute(select(Listing))).scalars())


async def test_neither_the_capability_nor_who_has_it_is_told_to_who_is_let_in(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller, able = await organization(sessions), await recycler(sessions)
    await permit(sessions, able)
    await permit(sessions, await recycler(sessions, "Fern AG"))
    listing = await asking(sessions, seller, WITH_PERMIT)
    operator = await organization(sessions, ["operator"], "Backhaul")

    seen_by_able, seen_by_operator, seen_by_seller = [
        (await client.get(f"/v1/listings/{listing.id}", headers=party.headers)).json()
        for party in (able, operator, seller)
    ]

    assert (seen_by_able["invited_capability"], seen_by_able["admitted_count"]) == (None, 0)
    for seen in (seen_by_operator, seen_by_seller):
        assert (seen["invited_capability"]["has_permit"], seen["admitted_count"]) == (True, 2)
        assert able.org.id not in str(seen)
    trail = (await client.get("/v1/audit-entries", headers=seller.headers)).text
    assert listing.id in trail
    assert able.org.id not in trail


async def test_the_second_wall_lets_in_who_was_let_in_and_nobody_else(sessions: Sessions) -> None:
    seller, able, unable = await organization(sessions), await recycler(sessions), await recycler(sessions, "Fern AG")
    await permit(sessions, able)
    await asking(sessions, seller, WITH_PERMIT)
    shown = []
    for party in (seller, able, unable):
        async with UnitOfWork(sessions, party.actor) as work:
            counts = text(
                "SELECT (SELECT count(*) FROM listing), (SELECT count(*) FROM item), (SELECT count(DISTINCT listing_id) FROM offer)"
            )
            shown.append(tuple((await work.session.execute(counts)).one()))
    assert shown == [(1, 1, 1), (1, 1, 1), (0, 0, 0)]


@pytest.mark.parametrize(
    ("capability", "is_let_in"),
    [
        ({"roles": ["recycler"]}, True),
        ({"roles": ["repairer", "remanufacturer"]}, False),
        ({"countries": ["DE", "AT"]}, True),
        ({"countries": ["AT"]}, False),
        ({"countries": ["DE"], "roles": ["repairer"]}, False),
        ({"has_permit": True}, True),
        ({"has_permit": True, "operation": "r4"}, True),
        ({"has_permit": True, "operation": "D10"}, False),
    ],
)
async def test_every_thing_that_is_asked_must_hold(
    sessions: Sessions, client: httpx.AsyncClient, capability: dict[str, Any], is_let_in: bool
) -> None:
    seller, party = await organization(sessions), await recycler(sessions)
    await permit(sessions, party)
    assert await sees(client, party, await asking(sessions, seller, capability)) is is_let_in


@pytest.mark.parametrize(
    ("given", "is_let_in"),
    [
        ({"waste_codes": ["160214", "160607"]}, True),
        ({"waste_codes": ["160214"]}, False),
        ({"waste_codes": ["160214", "160607"], "territories": ["AT"]}, False),
        ({"waste_codes": ["160214", "160607"], "territories": ["AT", "DE"]}, True),
        ({"waste_codes": ["160214", "160607"], "valid_until": date(2021, 1, 1)}, False),
        ({"waste_codes": ["160214", "160607"], "kind": "transport"}, False),
    ],
)
async def test_a_permit_counts_that_is_in_force_there_for_every_code(
    sessions: Sessions, client: httpx.AsyncClient, given: dict[str, Any], is_let_in: bool
) -> None:
    seller, party = await organization(sessions), await recycler(sessions)
    await permit(sessions, party, **given)
    listing = await asking(sessions, seller, WITH_PERMIT, items=[motors(), lithium_modules()])
    assert await sees(client, party, listing) is is_let_in


async def _permit_at(sessions: Sessions, party: Party, site_id: SiteId, code: str) -> None:
    details = PermitDetails(
        number=f"P-{code}",
        authority="RP Kassel",
        valid_from=date(2020, 1, 1),
        valid_until=date(2099, 12, 31),
        site_id=site_id,
    )
    scope = ScopeDetails(waste_codes=[code], operations=["R4"])
    async with UnitOfWork(sessions, party.actor) as work:
        await permits.add(work, details, kind="treatment", scopes=[scope], by=party.actor)


async def test_permits_of_two_places_do_not_add_up(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, split, whole = await organization(sessions), await recycler(sessions), await recycler(sessions, "Fern AG")
    async with UnitOfWork(sessions, split.actor) as work:
        second = await sites.create(work, yard(name="Yard 2"), by=split.actor)
    await _permit_at(sessions, split, split.site.id, "160214")
    await _permit_at(sessions, split, second.id, "160607")
    await _permit_at(sessions, whole, whole.site.id, "160214")
    await permit(sessions, whole, waste_codes=["160607"])
    listing = await asking(sessions, seller, WITH_PERMIT, items=[motors(), lithium_modules()])
    assert [await sees(client, one, listing) for one in (split, whole)] == [False, True]


async def test_who_gets_a_permit_later_is_let_in_once_and_told(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, late = await organization(sessions), await recycler(sessions)
    listing = await asking(sessions, seller, WITH_PERMIT, mode="negotiated")
    await settle()
    assert not await sees(client, late, listing)
    await permit(sessions, late)
    await permit(sessions, late, number="P-2")
    await settle()
    assert await sees(client, late, listing)
    [event] = await told(sessions, late, "listing.admitted")
    assert (event.data["organization_id"], event.audience_orgs) == (late.org.id, [late.org.id])
    assert (await client.get(f"/v1/listings/{listing.id}", headers=seller.headers)).json()["admitted_count"] == 1
    assert (await bid(client, late, listing)).status_code == 201


async def test_who_is_verified_later_is_let_in(sessions: Sessions, client: httpx.AsyncClient, settle: Settle) -> None:
    seller, late = await organization(sessions), await recycler(sessions)
    operator = await organization(sessions, ["operator"], "Backhaul")
    async with UnitOfWork(sessions, operator.actor) as work:
        await verification.suspend(work, late.org.id, by=operator.actor, reasons=[])
    listing = await asking(sessions, seller, {"roles": ["recycler"]})
    assert not await sees(client, late, listing)
    async with UnitOfWork(sessions, operator.actor) as work:
        await verification.reinstate(work, late.org.id, by=operator.actor)
    newcomer = await recycler(sessions, "Fern AG")
    await settle()
    assert [await sees(client, one, listing) for one in (late, newcomer)] == [True, True]


async def test_a_permit_that_begins_later_counts_from_its_day(
    sessions: Sessions, client: httpx.AsyncClient, advance: Advance, settle: Settle
) -> None:
    seller, late = await organization(sessions), await recycler(sessions)
    listing = await asking(sessions, seller, WITH_PERMIT, mode="negotiated")
    await permit(sessions, late, valid_from=listing.created_at.date() + timedelta(days=2))
    await settle()
    assert not await sees(client, late, listing)
    await advance(timedelta(days=2))
    assert await sees(client, late, listing)


async def test_a_closed_listing_lets_nobody_in(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle, advance: Advance
) -> None:
    seller, late = await organization(sessions), await recycler(sessions)
    listing = await asking(sessions, seller, WITH_PERMIT)
    await advance(timedelta(days=4))
    await permit(sessions, late)
    await settle()
    assert not await sees(client, late, listing)


async def test_what_was_seen_stays_seen_when_a_permit_goes_but_bids_are_refused(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, party = await organization(sessions), await recycler(sessions)
    granted = await permit(sessions, party)
    before = await asking(sessions, seller, WITH_PERMIT, mode="negotiated")
    async with UnitOfWork(sessions, party.actor) as work:
        await permits.withdraw(work, granted.id, by=party.actor)
    await settle()
    after = await asking(sessions, seller, WITH_PERMIT, mode="negotiated")
    assert [await sees(client, party, one) for one in (before, after)] == [True, False]
    refused = await bid(client, party, before)
    assert (refused.status_code, refused.json()["code"]) == (409, "permit_expired")


async def test_searches_and_standing_orders_of_who_is_let_in_later_find_it_once(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, early, late = await organization(sessions), await recycler(sessions), await recycler(sessions, "Fern AG")
    await permit(sessions, early)
    for party in (early, late):
        body = {"name": "Steel", "criteria": {"material": "steel"}}
        assert (await client.post("/v1/saved-searches", headers=party.headers, json=body)).status_code == 201
        await demand_order(sessions, party)
    listing = await asking(sessions, seller, WITH_PERMIT, mode="negotiated")
    await settle()
    assert [len(await told(sessions, one, "saved_search.matched")) for one in (early, late)] == [1, 0]
    await permit(sessions, late)
    await settle()
    assert [len(await told(sessions, one, "saved_search.matched")) for one in (early, late)] == [1, 1]
    async with sessions() as session:
        matches = (await session.execute(select(DemandMatch))).scalars().all()
    assert {match.org_id for match in matches} == {early.org.id, late.org.id}
    assert {match.listing_id for match in matches} == {listing.id}


async def test_many_listings_open_in_portions(
    sessions: Sessions, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letting_in, "AT_ONCE", 2)
    seller, late = await organization(sessions), await recycler(sessions)
    for _ in range(5):
        await asking(sessions, seller, WITH_PERMIT, mode="negotiated")
    await permit(sessions, late)
    await settle()
    assert [listing.admitted for listing in await listed(sessions)] == [[late.org.id]] * 5
    assert len(await told(sessions, late, "listing.admitted")) == 5


async def test_a_permit_that_arrives_while_the_listing_is_published_is_not_lost(race: Race) -> None:
    seller, late = await organization(race.sessions), await recycler(race.sessions)
    listing = await draft_listing(
        race.sessions,
        seller,
        [motors()],
        mode="negotiated",
        visibility="invited",
        invited_capability=WITH_PERMIT,
    )
    async with UnitOfWork(race.sessions, seller.actor) as work:
        await publishing.publish(work, listing.id, by=seller.actor)
        await permit(race.sessions, late)
        await race.settle()
    await race.settle()
    async with UnitOfWork(race.sessions, late.actor) as work:
        assert (await work.session.get_one(Listing, listing.id)).admitted == [late.org.id]


async def test_who_is_invited_by_name_is_not_let_in_again(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller, named, able = await organization(sessions), await recycler(sessions), await recycler(sessions, "Fern AG")
    await permit(sessions, able)
    listing = await asking(sessions, seller, WITH_PERMIT, invited=[named.org.id])
    await permit(sessions, named)
    await settle()
    [kept] = await listed(sessions)
    assert (kept.invited, kept.admitted) == ([named.org.id], [able.org.id])
    assert [await sees(client, one, listing) for one in (named, able)] == [True, True]


async def test_what_lets_in_says_the_same_as_what_refuses_a_bid(sessions: Sessions) -> None:
    """The condition in SQL and the check of a bid agree where both ask of permits alone."""
    seller = await organization(sessions)
    granted: list[dict[str, Any]] = [
        {"waste_codes": ["160214"]},
        {"waste_codes": ["160216"]},
        {"waste_codes": ["160214"], "operations": ["R12"]},
        {"waste_codes": ["160214"], "territories": ["FR"]},
        {"waste_codes": ["160214"], "valid_from": date(2090, 1, 1)},
        {"waste_codes": ["160214"], "valid_until": date(2021, 1, 1)},
    ]
    parties = [await recycler(sessions, f"Processor {place}") for place in range(len(granted))]
    for party, given in zip(parties, granted, strict=True):
        await permit(sessions, party, **given)
    listing = await asking(sessions, seller, {"has_permit": True, "operation": "R4"})
    async with UnitOfWork(sessions, seller.actor) as work, work.as_house():
        covered = [
            party.org.id
            for party in parties
            if not await permits.against(
                work,
                party.org.id,
                kind="treatment",
                masses={"160214": 0},
                on=work.now.date(),
                country="DE",
                operation="R4",
                site_id=party.site.id,
            )
        ]
        assert await queries.organizations_that_can(work, listing.id, 10) == []
    assert listing.admitted == covered == [parties[0].org.id]
