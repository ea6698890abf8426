"""Permits of one site, permits that run out, permits that are withdrawn."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.ids import OrgId, PermitId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import coverage, permits, sites
from services.parties.coverage import Question
from services.parties.models import Permit, PermitScope
from tests.conftest import Advance
from tests.factories import papers, parties
from tests.factories.bidding import new_bid
from tests.factories.listings import open_listing
from tests.factories.parties import Party, yard

NUMBER = {"number": "52.03-9876/24", "authority": "Bezirksregierung Düsseldorf"}
DAY = date(2027, 3, 22)


def document(**changes: object) -> dict[str, object]:
    scope = {"waste_codes": ["160214"], "operations": ["R4"]}
    dates = {"valid_from": "2024-01-01", "valid_until": "2033-12-31"}
    return {"kind": "treatment", **NUMBER, **dates, "scopes": [scope], **changes}


async def recycler(sessions: Sessions) -> Party:
    return await parties.organization(sessions, roles=["recycler"], name="Rheinkreis Recycling GmbH")


async def codes_against(sessions: Sessions, party: Party, **asked: Any) -> list[str]:
    question: dict[str, Any] = {"kind": "treatment", "country": "DE", "operation": "R4", "on": DAY} | asked
    async with UnitOfWork(sessions, party.actor) as work:
        found = await permits.against(work, party.org.id, masses={"160214": 1}, **question)
    return [reason.code for reason in found]


async def test_a_permit_of_one_site_covers_nothing_at_another(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    async with UnitOfWork(sessions, party.actor) as work:
        other = await sites.create(work, yard(name="Yard 2"), by=party.actor)
    await client.post("/v1/permits", json=document(site_id=party.site.id), headers=party.headers)

    assert await codes_against(sessions, party, site_id=party.site.id) == []
    assert await codes_against(sessions, party, site_id=other.id) == ["permit_scope"]


async def test_a_bid_for_the_site_without_the_permit_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seller = await parties.organization(sessions)
    bidder = await recycler(sessions)
    async with UnitOfWork(sessions, bidder.actor) as work:
        other = await sites.create(work, yard(name="Yard 2"), by=bidder.actor)
    await client.post("/v1/permits", json=document(site_id=bidder.site.id), headers=bidder.headers)
    bid = new_bid(await open_listing(sessions, seller), bidder).model_dump(mode="json", exclude_none=True)

    there = await client.post("/v1/bids", json=bid | {"site_id": other.id}, headers=bidder.headers)
    here = await client.post("/v1/bids", json=bid, headers=bidder.headers)

    assert (there.status_code, there.json()["code"]) == (409, "permit_scope")
    assert here.status_code == 201


async def test_a_transport_permit_goes_where_the_lorry_goes(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    scope = [{"waste_codes": ["160214"]}]
    body = document(kind="transport", site_id=party.site.id, scopes=scope)
    await client.post("/v1/permits", json=body, headers=party.headers)

    assert await codes_against(sessions, party, kind="transport", operation=None, site_id="site_elsewhere") == []


async def test_a_withdrawn_permit_covers_what_was_before(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    added = (await client.post("/v1/permits", json=document(), headers=party.headers)).json()

    withdrawn = await client.post(f"/v1/permits/{added['id']}/withdraw", headers=party.headers)
    again = await client.post(f"/v1/permits/{added['id']}/withdraw", headers=party.headers)

    today = date.fromisoformat(withdrawn.json()["withdrawn_on"])
    assert (added["allowed_transitions"], withdrawn.json()["status"]) == (["withdraw"], "withdrawn")
    assert again.json()["code"] == "transition_not_possible"
    assert await codes_against(sessions, party, on=today - timedelta(days=1)) == []
    assert await codes_against(sessions, party, on=today) == ["permit_expired"]


async def test_a_permit_that_was_mistyped_is_registered_anew(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    added = (await client.post("/v1/permits", json=document(), headers=party.headers)).json()
    await client.post(f"/v1/permits/{added['id']}/withdraw", headers=party.headers)

    again = await client.post("/v1/permits", json=document(), headers=party.headers)

    assert again.status_code == 201


async def test_a_foreign_permit_is_not_withdrawn(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    foreign = await parties.permit(sessions, await parties.organization(sessions, name="Zweitlauf GmbH"))

    answer = await client.post(f"/v1/permits/{foreign.id}/withdraw", headers=party.headers)

    assert answer.status_code == 404


async def test_a_permit_names_its_copy(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await recycler(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    own = await papers.handed_in(sessions, party.actor, "treatment_permit")
    foreign = await papers.handed_in(sessions, other.actor)

    added = await client.post("/v1/permits", json=document(document_id=own.id), headers=party.headers)
    refused = await client.post(
        "/v1/permits", json=document(document_id=foreign.id, number="P-2"), headers=party.headers
    )

    assert added.json()["document_id"] == own.id
    assert refused.status_code == 404


async def test_a_permit_that_runs_out_is_told_three_times_and_at_the_end(sessions: Sessions, advance: Advance) -> None:
    party = await recycler(sessions)
    async with UnitOfWork(sessions, party.actor) as work:
        last = work.now.date() + timedelta(days=90)
    granted = await parties.permit(sessions, party, valid_until=last)

    await advance(timedelta(days=91))

    query = text("SELECT type, data->>'days_left' AS days FROM event WHERE subject_id = :id ORDER BY ordinal")
    async with sessions() as session:
        rows = (await session.execute(query, {"id": granted.id})).all()
    assert [(row.type, row.days) for row in rows] == [
        ("permit.added", None),
        ("permit.expiring", "60"),
        ("permit.expiring", "30"),
        ("permit.expiring", "7"),
        ("permit.expired", None),
    ]


SITES = st.sampled_from([None, "site_a", "site_b"])
SCOPES = st.builds(
    lambda id, codes, limit, used, site, withdrawn: (
        PermitScope(
            id=id,
            permit_id=PermitId("prm_1"),
            waste_codes=sorted(codes),
            operations=["R4"],
            territories=[],
            limit_g=limit,
            used_g=min(used, limit),
        ),
        Permit(
            livemode=False,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            org_id=OrgId("org_1"),
            kind="treatment",
            number="P",
            authority="A",
            valid_from=DAY - timedelta(days=9),
            valid_until=DAY,
            site_id=site,
            withdrawn_on=withdrawn,
        ),
    ),
    st.integers(1, 10_000),
    st.sets(st.sampled_from(["160214", "160216", "160607"]), min_size=1),
    st.integers(0, 50),
    st.integers(0, 50),
    SITES,
    st.sampled_from([None, DAY, DAY + timedelta(days=1)]),
)
MASSES = st.dictionaries(st.sampled_from(["160214", "160216", "160607"]), st.integers(0, 60))


@given(st.lists(SCOPES, max_size=6, unique_by=lambda pair: pair[0].id), MASSES, SITES)
def test_whatever_is_covered_lies_within_a_scope_in_force_there(
    granted: list[tuple[PermitScope, Permit]], masses: dict[str, int], site: str | None
) -> None:
    found = coverage.cover(granted, masses, Question("treatment", DAY, "DE", "R4", site), own={})

    permit_of = {scope.id: permit for scope, permit in granted}
    on_scope: dict[int | None, int] = {}
    for code, scope in found.scopes.items():
        assert code in scope.waste_codes
        assert permit_of[scope.id].is_in_force(DAY)
        assert None in (site, permit_of[scope.id].site_id) or site == permit_of[scope.id].site_id
        on_scope[scope.id] = on_scope.get(scope.id, 0) + masses[code]
    assert all(on_scope.get(s.id, 0) + s.used_g <= (s.limit_g or 0) for s, _ in granted if s.id in on_scope)
    assert len(found.scopes) + len(found.reasons) == len(masses)
