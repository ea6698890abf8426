"""The audit trail: what an entry tells, to whom, and what it keeps to itself."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kernel.audit.verifying import verify
from services.kernel.database import Sessions
from services.kernel.ids import DelegationId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import sites
from services.parties.models import Site
from services.worker import chain
from tests.conftest import Advance, Race, Settle
from tests.factories.bidding import placed_bid, processor
from tests.factories.orders import awarded, confirmed, negotiated, payable, story_items
from tests.factories.parties import Party, organization, yard

ENTRIES = "/v1/audit-entries"
ENDPOINT = {"url": "https://example.com/hooks", "description": "Production", "event_types": ["order.settled"]}
SITE = yard().model_dump(mode="json")


@pytest.fixture
async def party(sessions: Sessions) -> Party:
    return await organization(sessions)


async def trail(client: httpx.AsyncClient, party: Party, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(ENTRIES, params={"limit": 200, **query}, headers=party.headers)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["data"]
    return entries


async def made(client: httpx.AsyncClient, party: Party, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers=party.headers)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_entry_says_who_did_what_by_which_credential_and_when(client: httpx.AsyncClient, party: Party) -> None:
    answer = await client.post("/v1/sites", json=SITE, headers=party.headers)

    newest = (await trail(client, party))[0]

    assert newest["operation"] == "sites.create"
    assert newest["request_id"] == answer.headers["x-request-id"]
    assert newest["recorded_at"] == answer.json()["created_at"]
    assert (newest["org_id"], newest["actor_kind"]) == (party.org.id, "key")
    assert (newest["member_id"], newest["key_id"]) == (party.actor.member_id, party.actor.key_id)
    assert [(change["table"], change["id"], change["kind"]) for change in newest["changes"]] == [
        ("site", answer.json()["id"], "added")
    ]
    assert newest["changes"][0]["fields"]["name"] == [None, SITE["name"]]


async def test_a_change_is_told_from_what_to_what(client: httpx.AsyncClient, party: Party) -> None:
    endpoint = await made(client, party, "/v1/webhook-endpoints", ENDPOINT)

    await made(client, party, f"/v1/webhook-endpoints/{endpoint['id']}/update", {"description": "Staging"})

    change = (await trail(client, party))[0]["changes"][0]
    assert (change["table"], change["kind"]) == ("webhook_endpoint", "changed")
    assert change["fields"]["description"] == ["Production", "Staging"]
    assert "url" not in change["fields"]


async def test_of_a_secret_an_entry_says_only_that_it_was_set(client: httpx.AsyncClient, party: Party) -> None:
    endpoint = await made(client, party, "/v1/webhook-endpoints", ENDPOINT)

    answer = await client.get(ENTRIES, headers=party.headers)

    change = answer.json()["data"][0]["changes"][0]
    assert change["withheld"] == ["secret"]
    assert endpoint["secret"] not in answer.text


async def test_what_changed_nothing_leaves_no_entry(client: httpx.AsyncClient, party: Party) -> None:
    before = await trail(client, party)

    await client.get("/v1/sites", headers=party.headers)
    refused = await client.post("/v1/sites", json=SITE | {"timezone": "Mars/Olympus"}, headers=party.headers)
    rehearsed = await client.post("/v1/sites?dry_run=true", json=SITE, headers=party.headers)

    assert (refused.status_code, rehearsed.status_code) == (422, 201)
    assert await trail(client, party) == before


async def test_a_replay_leaves_no_second_entry(client: httpx.AsyncClient, party: Party) -> None:
    once = party.headers | {"Idempotency-Key": "the-same-yard-once"}
    await client.post("/v1/sites", json=SITE, headers=once)
    before = await trail(client, party)

    await client.post("/v1/sites", json=SITE, headers=once)

    assert await trail(client, party) == before


async def test_a_stranger_reads_nothing_of_it(client: httpx.AsyncClient, sessions: Sessions, party: Party) -> None:
    site = await made(client, party, "/v1/sites", SITE)
    foreign = await organization(sessions, name="Fernab AG")

    seen = await trail(client, foreign)

    assert {entry["org_id"] for entry in seen} == {foreign.org.id}
    assert await trail(client, foreign, subject_id=site["id"]) == []


async def as_delegate(sessions: Sessions, grantor: Party, grantee: Party) -> Site:
    actor = replace(
        grantor.actor,
        acting_org_id=grantee.org.id,
        member_id=grantee.actor.member_id,
        key_id=grantee.actor.key_id,
        delegation_id=DelegationId.new(),
    )
    async with UnitOfWork(sessions, actor) as work:
        return await sites.create(work, yard(name="Yard of the grantor"), by=actor)


async def test_a_delegates_act_is_read_by_both_and_names_both(
    client: httpx.AsyncClient, sessions: Sessions, party: Party
) -> None:
    consultant = await organization(sessions, roles=["broker"], name="Rat und Tat")
    site = await as_delegate(sessions, grantor=party, grantee=consultant)

    (of_grantor,) = await trail(client, party, subject_id=site.id)
    (of_grantee,) = await trail(client, consultant, subject_id=site.id)

    assert of_grantor == of_grantee
    assert (of_grantor["org_id"], of_grantor["acting_org_id"]) == (party.org.id, consultant.org.id)
    assert of_grantor["member_id"] == consultant.actor.member_id


async def test_the_filters_narrow(client: httpx.AsyncClient, party: Party, advance: Advance) -> None:
    first = await made(client, party, "/v1/sites", SITE)
    await advance(timedelta(hours=1))
    second = await made(client, party, "/v1/sites", SITE)
    later = second["created_at"]

    async def subjects(**query: Any) -> list[str]:
        entries = await trail(client, party, operation="sites.create", **query)
        return [entry["changes"][0]["id"] for entry in entries]

    assert await subjects() == [second["id"], first["id"]]
    assert await subjects(since=later) == [second["id"]]
    assert await subjects(until=later) == [first["id"]]
    assert await subjects(subject_id=first["id"]) == [first["id"]]
    assert await subjects(member_id="mem_01kaq4m8q3e8xvw2t5n6r7s8d9") == []


async def test_a_sealed_bid_is_told_without_its_price(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    listing = await negotiated(sessions, seller, story_items())
    bid = await placed_bid(sessions, listing, bidder, "123.45")

    (entry,) = await trail(client, bidder, subject_id=bid.id)
    (change,) = [change for change in entry["changes"] if change["table"] == "bid"]

    assert change["withheld"] == ["price_minor"]
    assert "12345" not in str(entry)


async def test_who_wins_reads_nothing_of_who_lost_by_the_same_act(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    loser = await processor(sessions, "Zweitlauf GmbH", roles=["remanufacturer"])
    await payable(sessions, seller, buyer)
    listing = await negotiated(sessions, seller, story_items())
    lost = await placed_bid(sessions, listing, loser, "90.00")
    order = await confirmed(sessions, await placed_bid(sessions, listing, buyer), seller, buyer)

    told = str(await trail(client, buyer))
    of_loser = await trail(client, loser, subject_id=lost.id)

    assert order.id in told
    assert lost.id not in told
    assert loser.org.id not in told
    assert [entry["member_id"] for entry in of_loser] == [loser.actor.member_id]


async def test_what_hangs_on_an_order_is_told_to_its_parties(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    await payable(sessions, seller, buyer)
    bid = await placed_bid(sessions, await negotiated(sessions, seller, story_items()), buyer)
    order = await awarded(sessions, bid, seller)

    (entry,) = await trail(client, seller, subject_id=order.id)

    tables = [change["table"] for change in entry["changes"]]
    assert tables.count("order_line") == 4
    assert "permit_scope" not in tables


async def test_an_operator_reads_what_the_house_did_to_others(client: httpx.AsyncClient, sessions: Sessions) -> None:
    operator = await organization(sessions, roles=["operator"], name="Backhaul")
    theirs = await organization(sessions, name="Fernab AG")
    async with UnitOfWork(sessions, operator.actor) as work:
        site = await work.session.get_one(Site, theirs.site.id)
        site.name = "Renamed by the house"

    (entry,) = await trail(client, operator, subject_id=theirs.site.id)

    assert entry["changes"][0]["fields"]["name"] == ["Yard 1", "Renamed by the house"]


async def test_a_row_is_told_as_it_was_before_and_after_however_often_it_was_flushed(
    client: httpx.AsyncClient, sessions: Sessions, party: Party
) -> None:
    async with UnitOfWork(sessions, party.actor) as work:
        site = await work.session.get_one(Site, party.site.id)
        site.name = "In between"
        await work.session.flush()
        site.name, site.docks = "At last", 3
        await work.session.flush()
        site.docks = 2

    entry = (await trail(client, party))[0]

    assert entry["changes"][0]["fields"] == {"name": ["Yard 1", "At last"]}


async def test_a_removed_row_is_told_with_what_it_held(
    client: httpx.AsyncClient, sessions: Sessions, party: Party
) -> None:
    spare = await made(client, party, "/v1/sites", SITE)
    async with UnitOfWork(sessions, party.actor) as work:
        await work.session.delete(await work.session.get_one(Site, spare["id"]))

    change = (await trail(client, party))[0]["changes"][0]

    assert (change["id"], change["kind"]) == (spare["id"], "removed")
    assert change["fields"]["city"] == [SITE["city"], None]


async def test_a_statement_by_hand_is_told_where_the_verb_notes_it(
    client: httpx.AsyncClient, sessions: Sessions, party: Party
) -> None:
    async with UnitOfWork(sessions, party.actor) as work:
        work.note_change("site", party.site.id, docks=(2, 3))

    entry = (await trail(client, party))[0]

    assert entry["changes"][0]["fields"] == {"docks": [2, 3]}


async def test_an_anonymous_act_is_told_to_whom_it_turned_out_to_be(
    client: httpx.AsyncClient, sessions: Sessions, party: Party
) -> None:
    async with UnitOfWork(sessions, replace(party.actor, kind="anonymous", org_id=None, member_id=None)) as work:
        work.trail.is_of(party.org.id, party.actor.member_id)
        work.note_change("member", "mem_1", status=("invited", "active"))

    entry = (await trail(client, party))[0]

    assert (entry["actor_kind"], entry["member_id"]) == ("anonymous", party.actor.member_id)


async def test_entries_get_their_place_in_the_chain_in_the_order_of_their_commits(
    client: httpx.AsyncClient, party: Party, settle: Settle
) -> None:
    await made(client, party, "/v1/sites", SITE)
    unchained = (await trail(client, party))[0]
    await settle()

    entries = (await trail(client, party))[::-1]

    assert (unchained["seq"], unchained["hash"]) == (None, None)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry["prev_hash"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]


async def refused(sessions: Sessions, statement: str) -> str:
    async with sessions() as session:
        with pytest.raises(DBAPIError) as raised:
            await session.execute(text(statement))
    return str(raised.value.orig)


async def test_an_entry_cannot_be_changed_or_removed(
    sessions: Sessions, client: httpx.AsyncClient, party: Party, settle: Settle
) -> None:
    await settle()
    assert "permission denied" in await refused(sessions, "UPDATE audit_entry SET changes = '[]'")
    assert "permission denied" in await refused(sessions, "DELETE FROM audit_entry")
    assert "permission denied" in await refused(sessions, "TRUNCATE audit_entry")


async def test_an_entry_cannot_be_inserted_with_a_place_it_chose(sessions: Sessions) -> None:
    assert "permission denied" in await refused(sessions, "INSERT INTO audit_entry (id, seq) VALUES ('aud_1', 1)")


async def test_an_entry_keeps_its_place(sessions: Sessions, party: Party, settle: Settle) -> None:
    await settle()
    told = await refused(sessions, "UPDATE audit_entry SET seq = seq + 1000 WHERE seq IS NOT NULL")
    assert "append-only" in told


@pytest.mark.race
async def test_chainers_beside_each_other_and_writers_make_one_chain(race: Race) -> None:
    party = await organization(race.sessions)
    writers = [made(race.client, party, "/v1/sites", SITE) for _ in range(20)]
    chainers = [chain(race.sessions) for _ in range(20)]
    await asyncio.gather(*(each for pair in zip(writers, chainers, strict=True) for each in pair))
    await race.settle()

    exported = await race.client.get(f"{ENTRIES}/export", headers=party.headers)

    assert verify([exported.content]).entries == len(await trail(race.client, party)) > 20
