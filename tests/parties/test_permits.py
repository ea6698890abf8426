"""Permits over HTTP, and whether they cover goods."""

import asyncio
from datetime import date

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.errors import Blocked
from services.kernel.ids import SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import permits
from tests.conftest import Race
from tests.factories import parties
from tests.factories.parties import Party

TODAY = date(2026, 11, 22)
TONNE = 1_000_000


def document(**given: object) -> dict[str, object]:
    body: dict[str, object] = {
        "kind": "treatment",
        "number": "52.03-9876/24",
        "authority": "Bezirksregierung Düsseldorf",
        "valid_from": "2024-01-01",
        "valid_until": "2033-12-31",
        "scopes": [
            {
                "waste_codes": ["16 02 14", "16 06 07*"],
                "operations": ["R4"],
                "territories": ["DE"],
                "limit": {"value": "5000", "unit": "t"},
            }
        ],
    }
    return body | given


async def recycler(sessions: Sessions) -> Party:
    return await parties.organization(sessions, roles=["recycler"], name="Rheinkreis Recycling GmbH")


async def reasons(sessions: Sessions, party: Party, masses: dict[str, int], **given: str) -> list[str]:
    asked = {"kind": "treatment", "country": "DE", "operation": "R4"} | given
    async with UnitOfWork(sessions, party.actor) as work:
        found = await permits.against(work, party.org.id, masses=masses, on=TODAY, **asked)
    return [reason.code for reason in found]


async def reserve(sessions: Sessions, party: Party, subject: str, masses: dict[str, int]) -> None:
    async with UnitOfWork(sessions, party.actor) as work:
        await permits.reserve(
            work,
            party.org.id,
            step="award",
            subject_id=subject,
            masses=masses,
            on=TODAY,
            country="DE",
            operation="R4",
        )


async def tonnage(sessions: Sessions) -> tuple[int, int]:
    """(reserved, used) of the only scope."""
    async with sessions() as session:
        row = (await session.execute(text("SELECT reserved_g, used_g FROM permit_scope"))).one()
    return row.reserved_g, row.used_g


async def test_a_permit_is_read_as_it_was_meant(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)

    added = await client.post("/v1/permits", json=document(site_id=party.site.id), headers=party.headers)
    read = await client.get(f"/v1/permits/{added.json()['id']}", headers=party.headers)
    listed = await client.get("/v1/permits", headers=party.headers)

    assert added.status_code == 201
    assert read.json() == added.json()
    assert listed.json()["data"] == [added.json()]
    assert read.json()["scopes"] == [
        {
            "waste_codes": ["160214", "160607"],
            "operations": ["R4"],
            "territories": ["DE"],
            "limit": {"value": "5000000", "unit": "kg"},
            "reserved": {"value": "0", "unit": "kg"},
            "used": {"value": "0", "unit": "kg"},
        }
    ]


async def test_an_added_permit_is_told_to_its_organization(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)

    await client.post("/v1/permits", json=document(), headers=party.headers)

    async with sessions() as session:
        told = await session.execute(text("SELECT audience_orgs FROM event WHERE type = 'permit.added'"))
    assert told.scalars().all() == [[party.org.id]]


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"valid_until": "2023-12-31"}, "/valid_until", "ends_before_it_begins"),
        (
            {"scopes": [{"waste_codes": ["1602"], "operations": ["R4"]}]},
            "/scopes/0/waste_codes/0",
            "waste_code_malformed",
        ),
        (
            {"scopes": [{"waste_codes": ["160214"], "operations": ["R99"]}]},
            "/scopes/0/operations/0",
            "operation_unknown",
        ),
        ({"scopes": [{"waste_codes": ["160214"]}]}, "/scopes/0/operations", "operations_do_not_fit"),
        ({"kind": "transport"}, "/scopes/0/operations", "operations_do_not_fit"),
        ({"colour": "green"}, "/colour", "unknown_field"),
    ],
)
async def test_a_permit_that_cannot_be_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, given: dict[str, object], pointer: str, code: str
) -> None:
    party = await recycler(sessions)

    answer = await client.post("/v1/permits", json=document(**given), headers=party.headers)

    assert answer.status_code == 422
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (pointer, code)


async def test_a_permit_is_registered_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    await client.post("/v1/permits", json=document(), headers=party.headers)

    again = await client.post("/v1/permits", json=document(), headers=party.headers)

    assert again.json()["code"] == "permit_exists"


async def test_a_foreign_permit_is_not_found(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    foreign = await parties.permit(sessions, other)

    answer = await client.get(f"/v1/permits/{foreign.id}", headers=party.headers)

    assert answer.status_code == 404


async def test_a_permit_for_a_foreign_site_is_refused_as_if_it_were_not_there(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    party = await recycler(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")

    foreign = await client.post("/v1/permits", json=document(site_id=other.site.id), headers=party.headers)
    missing = await client.post("/v1/permits", json=document(site_id=SiteId.new()), headers=party.headers)

    assert (foreign.status_code, missing.status_code) == (404, 404)


async def test_what_is_covered_has_no_reasons(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, limit_g=10 * TONNE)

    assert await reasons(sessions, party, {"16 02 14": 10 * TONNE}) == []


async def test_every_reason_is_told_once_per_code(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, waste_codes=["160214"], limit_g=TONNE)
    await parties.permit(sessions, party, waste_codes=["160216"], number="P-2", valid_until=date(2026, 11, 21))

    found = await reasons(sessions, party, {"160214": TONNE + 1, "160216": 1, "160607": 1})

    assert sorted(found) == ["permit_expired", "permit_scope", "permit_tonnage"]


async def test_codes_on_one_scope_share_its_tonnage(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, waste_codes=["160214", "160216"], limit_g=10)

    assert await reasons(sessions, party, {"160214": 6, "160216": 5}) == ["permit_tonnage"]


async def test_another_operation_is_out_of_scope(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, operations=["R13"])

    assert await reasons(sessions, party, {"160214": 1}) == ["permit_scope"]


async def test_another_country_is_out_of_scope(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, territories=["AT"])

    assert await reasons(sessions, party, {"160214": 1}) == ["permit_scope"]


async def test_a_treatment_permit_does_not_carry_goods(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party)

    assert await reasons(sessions, party, {"160214": 1}, kind="transport") == ["permit_scope"]


async def test_a_transport_permit_does_not_ask_for_the_operation(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, kind="transport")

    assert await reasons(sessions, party, {"160214": 1}, kind="transport") == []


async def test_what_is_no_waste_needs_no_permit_and_the_check_says_so(sessions: Sessions) -> None:
    party = await recycler(sessions)
    goods: dict[str | None, int] = {None: 5}

    async with UnitOfWork(sessions, party.actor) as work:
        await permits.record(
            work, party.org.id, step="bid", subject_id="bid_1", masses=goods, on=TODAY, country="DE", kind="treatment"
        )

    async with sessions() as session:
        rows = (await session.execute(text("SELECT waste_code, mass_g, why_none FROM permit_check"))).all()
    assert rows == [("", 5, "not_waste")]


async def test_a_check_that_fails_stores_nothing_and_tells_every_reason(sessions: Sessions) -> None:
    party = await recycler(sessions)

    async with UnitOfWork(sessions, party.actor) as work:
        with pytest.raises(Blocked) as blocked:
            await permits.record(
                work,
                party.org.id,
                step="bid",
                subject_id="bid_1",
                masses={"160214": 1, "160216": 1},
                on=TODAY,
                country="DE",
                kind="treatment",
            )

    assert blocked.value.code == "permit_scope"
    assert len(blocked.value.reasons) == 2
    async with sessions() as session:
        assert (await session.execute(text("SELECT count(*) FROM permit_check"))).scalar_one() == 0


async def test_what_is_used_counts_and_the_rest_is_freed(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, limit_g=20 * TONNE)
    await reserve(sessions, party, "ord_1", {"160214": 18_900_000})

    async with UnitOfWork(sessions, party.actor) as work:
        await permits.use(work, subject_id="ord_1", masses={"16 02 14": 17_340_000})

    assert await tonnage(sessions) == (0, 17_340_000)


async def test_a_second_receipt_adds_to_what_is_used(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, limit_g=10)
    await reserve(sessions, party, "ord_1", {"160214": 8})

    async with UnitOfWork(sessions, party.actor) as work:
        await permits.use(work, subject_id="ord_1", masses={"160214": 4})
        await permits.use(work, subject_id="ord_1", masses={"160214": 3})

    assert await tonnage(sessions) == (0, 7)


async def test_more_than_the_permit_has_left_is_not_used(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, limit_g=10)
    await reserve(sessions, party, "ord_1", {"160214": 5})
    await reserve(sessions, party, "ord_2", {"160214": 4})

    async with UnitOfWork(sessions, party.actor) as work:
        with pytest.raises(Blocked) as blocked:
            await permits.use(work, subject_id="ord_1", masses={"160214": 7})

    assert blocked.value.code == "permit_tonnage"
    assert await tonnage(sessions) == (9, 0)


async def test_a_code_nothing_was_reserved_for_is_not_used(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party)
    await reserve(sessions, party, "ord_1", {"160214": 5})

    async with UnitOfWork(sessions, party.actor) as work:
        with pytest.raises(Blocked) as blocked:
            await permits.use(work, subject_id="ord_1", masses={"160607": 1})

    assert blocked.value.code == "permit_scope"


async def test_freeing_gives_the_tonnage_back(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, limit_g=10)
    await reserve(sessions, party, "ord_1", {"160214": 10})

    async with UnitOfWork(sessions, party.actor) as work:
        await permits.free(work, subject_id="ord_1")

    assert await tonnage(sessions) == (0, 0)
    assert await reasons(sessions, party, {"160214": 10}) == []


async def test_a_subjects_own_reservation_does_not_stand_in_its_way(sessions: Sessions) -> None:
    party = await recycler(sessions)
    await parties.permit(sessions, party, limit_g=10)
    await reserve(sessions, party, "ord_1", {"160214": 9})

    assert await reasons(sessions, party, {"160214": 9}) == ["permit_tonnage"]
    assert await reasons(sessions, party, {"160214": 9}, subject_id="ord_1") == []


@pytest.mark.race
async def test_twenty_at_once_reserve_what_five_may(race: Race) -> None:
    party = await recycler(race.sessions)
    await parties.permit(race.sessions, party, limit_g=5 * TONNE)

    outcomes = await asyncio.gather(
        *(reserve(race.sessions, party, f"ord_{i}", {"160214": TONNE}) for i in range(20)), return_exceptions=True
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, Blocked)]
    assert (outcomes.count(None), len(refused)) == (5, 15)
    assert {outcome.code for outcome in refused} == {"permit_tonnage"}
    assert await tonnage(race.sessions) == (5 * TONNE, 0)
    assert await race.value("SELECT sum(reserved_g) FROM permit_check") == 5 * TONNE


@pytest.mark.race
async def test_two_who_use_and_free_at_once_do_not_count_twice(race: Race) -> None:
    party = await recycler(race.sessions)
    await parties.permit(race.sessions, party, limit_g=10)
    await reserve(race.sessions, party, "ord_1", {"160214": 8})

    await asyncio.gather(*(free(race.sessions, party, "ord_1") for _ in range(8)))

    assert await tonnage(race.sessions) == (0, 0)


async def free(sessions: Sessions, party: Party, subject: str) -> None:
    async with UnitOfWork(sessions, party.actor) as work:
        await permits.free(work, subject_id=subject)
