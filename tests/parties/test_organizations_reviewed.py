"""The review of a live organization, its suspension and its end; and what a partner under way still may."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.errors import Blocked
from services.kernel.unit_of_work import UnitOfWork
from services.parties import standing, verification
from services.parties.events import Told
from services.parties.models import PROCESSORS
from services.parties.onboarding import Registered
from tests.factories import papers, parties
from tests.factories import pickups as make
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import draft_listing, motors, open_listing
from tests.factories.parties import Party

OPEN_POINTS = {"reasons": [{"code": "name_differs", "detail": "The register names another company."}]}


class Office:
    """A live organization and the operator who looks at it, over HTTP."""

    def __init__(self, client: httpx.AsyncClient, registered: Registered, operator: str) -> None:
        self.client = client
        self.url = f"/v1/organizations/{registered.organization.id}"
        self.tokens = {"owner": registered.secret, "operator": operator}

    async def does(self, who: str, transition: str, body: Any = None, **query: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        answer = await self.client.post(f"{self.url}/{transition}", json=body, headers=headers, params=query)
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def registered(sessions: Sessions) -> Registered:
    return await papers.live(sessions, ["carrier"])


@pytest.fixture
async def office(client: httpx.AsyncClient, sessions: Sessions, registered: Registered) -> Office:
    _, token = await papers.operator(sessions, livemode=True)
    return Office(client, registered, token)


async def test_what_its_roles_are_asked_for_must_be_handed_in_first(office: Office) -> None:
    early = await office.does("owner", "submit")

    assert early["code"] == "document_missing"
    assert len(early["errors"]) == 3


async def test_every_paper_must_be_accepted_before_the_organization_is(
    office: Office, sessions: Sessions, registered: Registered
) -> None:
    await papers.submitted(sessions, registered)

    early = await office.does("operator", "verify")

    assert early["code"] == "document_under_review"


async def test_open_points_are_mended_and_looked_at_again(
    office: Office, sessions: Sessions, registered: Registered
) -> None:
    operator, _ = await papers.operator(sessions, livemode=True)
    for paper in await papers.submitted(sessions, registered):
        await papers.accepted(sessions, paper.id, operator)

    asked = await office.does("operator", "request_changes", OPEN_POINTS)
    again = await office.does("owner", "submit")
    done = await office.does("operator", "verify")

    assert (asked["verification_status"], asked["reasons"]) == ("unverified", OPEN_POINTS["reasons"])
    assert (again["verification_status"], again["reasons"]) == ("in_review", [])
    assert done["verification_status"] == "verified"


async def test_a_rejected_organization_may_submit_again(
    office: Office, sessions: Sessions, registered: Registered
) -> None:
    await papers.submitted(sessions, registered)

    rejected = await office.does("operator", "reject", OPEN_POINTS)
    again = await office.does("owner", "submit")

    assert rejected["verification_status"] == "rejected"
    assert again["verification_status"] == "in_review"


async def test_a_dry_run_of_the_verification_changes_nothing(
    office: Office, sessions: Sessions, registered: Registered
) -> None:
    operator, _ = await papers.operator(sessions, livemode=True)
    for paper in await papers.submitted(sessions, registered):
        await papers.accepted(sessions, paper.id, operator)

    tried = await office.does("operator", "verify", dry_run=True)
    done = await office.does("operator", "verify")

    assert (tried["verification_status"], done["verification_status"]) == ("verified", "verified")
    assert tried["version"] == done["version"]


async def test_the_review_is_told_to_the_organization(
    office: Office, sessions: Sessions, registered: Registered
) -> None:
    await papers.submitted(sessions, registered)
    await office.does("operator", "reject", OPEN_POINTS)

    async with sessions() as session:
        query = text("SELECT type, audience FROM event WHERE subject_id = :id ORDER BY ordinal")
        rows = (await session.execute(query, {"id": registered.organization.id})).all()
    assert [row.type for row in rows] == [
        "organization.registered",
        "organization.submitted",
        "organization.rejected",
    ]
    assert {tuple(row.audience) for row in rows} == {(registered.organization.id,)}


async def test_the_owner_does_not_review_himself(office: Office, sessions: Sessions, registered: Registered) -> None:
    await papers.submitted(sessions, registered)

    told = [await office.does("owner", "verify"), await office.does("owner", "reject", OPEN_POINTS)]

    assert [problem["status"] for problem in told] == [403, 403]


async def test_a_stranger_does_not_hear_where_an_organization_stands(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")

    answer = await client.post(f"/v1/organizations/{party.org.id}/submit", headers=other.headers)

    assert answer.status_code == 403
    assert "verified" not in answer.text


async def suspended(sessions: Sessions, party: Party) -> None:
    operator, _ = await papers.operator(sessions, livemode=False)
    async with UnitOfWork(sessions, operator) as work:
        complaint = [Told(code="complaint", detail="A partner complained.")]
        await verification.suspend(work, party.org.id, reasons=complaint, by=operator)


async def test_a_suspended_seller_lists_nothing_new(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seller = await parties.organization(sessions)
    draft = await draft_listing(sessions, seller, [motors()], mode="negotiated")
    await suspended(sessions, seller)

    published = await client.post(f"/v1/listings/{draft.id}/publish", headers=seller.headers)

    assert published.json()["code"] == "may_not_list"


async def test_a_suspended_bidder_is_not_awarded(client: httpx.AsyncClient, sessions: Sessions) -> None:
    seller = await parties.organization(sessions)
    bidder = await processor(sessions)
    listing = await open_listing(sessions, seller, mode="negotiated")
    bid = await placed_bid(sessions, listing, bidder, "0.00")
    await suspended(sessions, bidder)

    awarded = await client.post(f"/v1/bids/{bid.id}/award", headers=seller.headers | {"If-Match": "*"})

    assert awarded.json()["code"] == "organization_suspended"


async def test_a_suspended_carrier_takes_no_new_job(client: httpx.AsyncClient, sessions: Sessions) -> None:
    carrier = await make.carrier(sessions)
    await make.tendered(client, sessions, [carrier])
    (offer,) = await make.offers_to(client, carrier)
    await suspended(sessions, carrier)

    refused = await client.post(f"/v1/offers/{offer['id']}/accept", headers=carrier.headers)

    assert refused.json()["code"] == "organization_suspended"


async def test_suspended_parties_finish_what_is_under_way(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    for party in (haul.carrier, haul.seller, haul.receiver):
        await suspended(sessions, party)

    await make.did(client, haul.carrier, f"{haul.url}/dispatch", make.CREW)
    await make.did(client, haul.carrier, f"{haul.url}/depart", make.HERE)
    await make.did(client, haul.carrier, f"{haul.url}/arrive", {**make.HERE, "reason": "early"})
    signature = make.a_signature(haul, photos=[make.PHOTO])
    await make.signed_by_both(client, haul, "handover", haul.seller, signature)
    await make.did(client, haul.carrier, f"{haul.url}/depart", make.HERE)
    await make.did(client, haul.carrier, f"{haul.url}/arrive", make.HERE)
    await make.signed_by_both(client, haul, "delivery", haul.receiver, signature)

    read = await client.get(haul.url, headers=haul.receiver.headers)
    assert read.json()["status"] == "closed"


async def test_a_reinstated_organization_may_begin_again(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions, roles=["recycler"])
    operator = await parties.organization(sessions, roles=["operator"], name="Backhaul")
    url = f"/v1/organizations/{party.org.id}"

    stopped = await client.post(f"{url}/suspend", json=OPEN_POINTS, headers=operator.headers)
    again = await client.post(f"{url}/reinstate", headers=operator.headers)

    assert (stopped.json()["verification_status"], again.json()["verification_status"]) == ("suspended", "verified")
    async with UnitOfWork(sessions, party.actor) as work:
        assert await standing.against(work, party.org.id, PROCESSORS) == []


async def test_a_closed_organization_stays_closed(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions, roles=["recycler"])
    url = f"/v1/organizations/{party.org.id}"

    closed = await client.post(f"{url}/close", headers=party.headers)
    changed = await client.patch(url, json={"legal_name": "New"}, headers=party.headers | {"If-Match": "*"})

    assert (closed.json()["verification_status"], closed.json()["allowed_transitions"]) == ("closed", [])
    assert changed.json()["code"] == "organization_closed"
    async with UnitOfWork(sessions, party.actor) as work:
        with pytest.raises(Blocked) as blocked:
            await standing.must_be_good(work, party.org.id, PROCESSORS, thing="bid", step="place")
    assert blocked.value.code == "organization_closed"
