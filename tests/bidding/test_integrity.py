"""Findings: written once the bids may be read, for operators alone, decided by them."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.bidding import placing
from services.bidding.errors import OwnListing
from services.bidding.integrity import looking, queries
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from tests.bidding.lots import close_of, open_lot
from tests.bidding.reading import statuses
from tests.conftest import Advance, Settle
from tests.factories.bidding import placed_bid
from tests.factories.parties import Party, organization

_BANK = text("UPDATE organization SET iban_masked = 'DE…13', iban_fingerprint = :account WHERE id = ANY (:orgs)")
_VAT = text("UPDATE organization SET vat_id = :vat WHERE id = :org")
_ADDRESS = text("UPDATE organization SET contact_email = id || '@example.com' WHERE id = ANY (:orgs)")
_PEOPLE = text("UPDATE member SET email = id || '@example.com' WHERE org_id = ANY (:orgs)")


async def change(sessions: Sessions, statement: Any, **values: object) -> None:
    async with sessions() as session:
        await session.execute(statement, values)
        await session.commit()


async def strangers(sessions: Sessions, *parties: Party) -> None:
    """Everybody the factories make is reached at one address; these are not."""
    for statement in (_ADDRESS, _PEOPLE):
        await change(sessions, statement, orgs=[party.org.id for party in parties])


async def found(client: httpx.AsyncClient, by: Party, **query: str) -> list[dict[str, Any]]:
    answer = await client.get("/v1/integrity-findings", headers=by.headers, params=query)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


@pytest.fixture
async def operator(sessions: Sessions) -> Party:
    return await organization(sessions, ["operator"], name="Backhaul")


async def test_whoever_is_paid_into_the_sellers_account_bids_for_its_own_goods(
    sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    await change(sessions, _BANK, account="f" * 64, orgs=[seller.org.id, rheinkreis.org.id])
    with pytest.raises(OwnListing):
        await placed_bid(sessions, listing, rheinkreis)


async def test_whoever_has_the_sellers_vat_id_bids_for_its_own_goods(
    sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    for party in (seller, rheinkreis):
        await change(sessions, _VAT, vat="DE136695976", org=party.org.id)
    with pytest.raises(OwnListing):
        await placed_bid(sessions, listing, rheinkreis)


async def test_the_same_people_on_both_sides_are_found_after_the_close_and_not_before(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis)
    async with UnitOfWork(sessions, system(False)) as work:
        await looking.look(work, listing.id)
    before = await found(client, operator)
    await advance(close_of(listing))
    after = await found(client, operator, kind="same_people", listing_id=listing.id)
    assert before == []
    assert [(one["org_ids"], one["evidence"]["with_seller"]) for one in after] == [
        (sorted([seller.org.id, rheinkreis.org.id]), True)
    ]
    assert "erika" not in str(after)


async def test_strangers_leave_no_finding(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis)
    await strangers(sessions, seller, rheinkreis)
    await advance(close_of(listing))
    assert await found(client, operator) == []


async def test_bidders_of_one_account_are_found_and_not_refused(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    operator: Party,
    advance: Advance,
) -> None:
    listing = await open_lot(sessions, seller)
    await strangers(sessions, seller, rheinkreis, zweitlauf)
    await change(sessions, _BANK, account="f" * 64, orgs=[zweitlauf.org.id, rheinkreis.org.id])
    for bidder in (rheinkreis, zweitlauf):
        await placed_bid(sessions, listing, bidder)
    await advance(close_of(listing))
    assert sorted((await statuses(sessions, listing)).values()) == ["active", "active"]
    assert [(one["kind"], one["status"]) for one in await found(client, operator)] == [("same_bank_account", "open")]


async def test_a_leader_who_withdraws_again_and_again_is_found(
    client: httpx.AsyncClient,
    sessions: Sessions,
    seller: Party,
    rheinkreis: Party,
    zweitlauf: Party,
    operator: Party,
) -> None:
    await strangers(sessions, seller, rheinkreis, zweitlauf)
    for _ in range(3):
        listing = await open_lot(sessions, seller, mode="negotiated")
        leading = await placed_bid(sessions, listing, rheinkreis, "150.00")
        await placed_bid(sessions, listing, zweitlauf, "100.00")
        async with UnitOfWork(sessions, rheinkreis.actor) as work:
            await placing.withdraw(work, leading.id, by=rheinkreis.actor)
    async with UnitOfWork(sessions, system(False)) as work:
        await looking.look(work, listing.id)
        await looking.look(work, listing.id)
    (told,) = await found(client, operator)
    assert (told["kind"], told["org_ids"], len(told["evidence"]["listing_ids"])) == (
        "withdrawn_leader",
        [rheinkreis.org.id],
        3,
    )


async def test_whoever_won_where_they_bid_is_known_even_if_it_never_bids_here(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party
) -> None:
    elsewhere = await open_lot(sessions, seller, mode="negotiated")
    await placed_bid(sessions, elsewhere, rheinkreis)
    won = await placed_bid(sessions, elsewhere, zweitlauf)
    await change(sessions, text("UPDATE bid SET status = 'confirmed' WHERE id = :bid"), bid=won.id)
    async with UnitOfWork(sessions, system(False)) as work:
        conduct = await queries.conduct(work, [rheinkreis.org.id], since=work.now - looking.WINDOW)
    assert {(part.bidder_id, part.has_won) for part in conduct} == {
        (rheinkreis.org.id, False),
        (zweitlauf.org.id, True),
    }


async def a_finding(client: httpx.AsyncClient, sessions: Sessions, by: Party, *parties: Party) -> dict[str, Any]:
    seller, bidder = parties
    listing = await open_lot(sessions, seller, mode="negotiated")
    await placed_bid(sessions, listing, bidder)
    async with UnitOfWork(sessions, system(False)) as work:
        await looking.look(work, listing.id)
    return (await found(client, by))[0]


async def decide(client: httpx.AsyncClient, by: Party, finding: dict[str, Any], verb: str) -> httpx.Response:
    path = f"/v1/integrity-findings/{finding['id']}/{verb}"
    return await client.post(path, json={"note": "One family, two firms."}, headers=by.headers)


async def test_an_operator_clears_and_thinks_better_of_it(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party
) -> None:
    finding = await a_finding(client, sessions, operator, seller, rheinkreis)
    cleared = await decide(client, operator, finding, "clear")
    again = await decide(client, operator, finding, "clear")
    upheld = await decide(client, operator, finding, "uphold")
    assert finding["allowed_transitions"] == ["clear", "uphold"]
    assert (cleared.status_code, cleared.json()["status"], cleared.json()["note"]) == (
        200,
        "cleared",
        "One family, two firms.",
    )
    assert (again.status_code, again.json()["code"]) == (409, "transition_not_possible")
    assert upheld.json()["status"] == "upheld"


async def test_what_was_cleared_is_not_found_anew(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party, settle: Settle
) -> None:
    finding = await a_finding(client, sessions, operator, seller, rheinkreis)
    await decide(client, operator, finding, "clear")
    async with UnitOfWork(sessions, system(False)) as work:
        await looking.look(work, finding["listing_id"])
    assert [one["status"] for one in await found(client, operator)] == ["cleared"]


@pytest.mark.parametrize("verb", ["clear", "uphold"])
async def test_nobody_but_operators_finds_one(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, operator: Party, verb: str
) -> None:
    finding = await a_finding(client, sessions, operator, seller, rheinkreis)
    read = await client.get(f"/v1/integrity-findings/{finding['id']}", headers=seller.headers)
    assert (await found(client, seller), await found(client, rheinkreis)) == ([], [])
    assert (read.status_code, (await decide(client, rheinkreis, finding, verb)).status_code) == (404, 404)
