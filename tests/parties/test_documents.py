"""Papers: handed in, looked at, mended, running out; and what runs out with them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.actors import Actor
from services.kernel.database import Sessions
from services.kernel.objects import LIMIT
from services.kernel.unit_of_work import UnitOfWork
from services.parties import expiring, standing
from services.parties.models import KINDS, ROLES, OrganizationDocument
from tests.conftest import Advance
from tests.factories import papers, parties
from tests.factories import pickups as make
from tests.factories.papers import PDF
from tests.factories.parties import Party

ISSUED = {"kind": "trade_register", "issued_on": "2026-01-05"}
ILLEGIBLE = {"reasons": [{"code": "illegible", "detail": "Page two cannot be read."}]}


async def hand_in(
    client: httpx.AsyncClient, party: Party, content: bytes = PDF, /, name: str = "register.pdf", **given: str
) -> httpx.Response:
    form = ISSUED | given
    return await client.post("/v1/documents", data=form, files={"file": (name, content)}, headers=party.headers)


@pytest.fixture
async def party(sessions: Sessions) -> Party:
    return await parties.organization(sessions)


@pytest.fixture
async def operator(sessions: Sessions) -> Party:
    return await parties.organization(sessions, roles=["operator"], name="Backhaul")


async def test_a_paper_is_read_and_downloaded_as_it_was_handed_in(client: httpx.AsyncClient, party: Party) -> None:
    made = (await hand_in(client, party, number="HRB 4711", issuer="Amtsgericht Kassel")).json()
    read = await client.get(f"/v1/documents/{made['id']}", headers=party.headers)
    listed = await client.get("/v1/documents", headers=party.headers)
    file = await client.get(f"/v1/documents/{made['id']}/file", headers=party.headers)

    assert read.json() == made
    assert listed.json()["data"] == [made]
    assert made["status"] == "submitted"
    assert (file.content, file.headers["content-type"]) == (PDF, "application/pdf")


async def test_no_browser_runs_what_is_downloaded(client: httpx.AsyncClient, party: Party) -> None:
    made = (await hand_in(client, party, name="../Über uns.html")).json()

    file = await client.get(f"/v1/documents/{made['id']}/file", headers=party.headers)

    assert made["file"]["name"] == "Über uns.html"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%9Cber%20uns.html"
    assert file.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"MZ\x90\x00" + bytes(64), "file_type_not_allowed"),
        (b"<html><script>alert(1)</script>", "file_type_not_allowed"),
        (b"PK\x03\x04" + bytes(64), "file_type_not_allowed"),
        (b"MZ\x90\x00" + bytes(64) + PDF, "file_type_not_allowed"),
    ],
)
async def test_the_content_says_what_a_file_is(
    client: httpx.AsyncClient, party: Party, content: bytes, code: str
) -> None:
    answer = await hand_in(client, party, content)

    assert answer.status_code == 422
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == ("/file", code)


async def test_a_file_that_is_too_large_is_refused(client: httpx.AsyncClient, party: Party) -> None:
    above = await hand_in(client, party, PDF.ljust(LIMIT + 1, b" "))
    far_above = await hand_in(client, party, PDF.ljust(LIMIT + 3_000_000, b" "))

    assert (above.status_code, above.json()["code"]) == (413, "file_too_large")
    assert far_above.status_code == 413


async def test_a_file_of_the_largest_size_is_taken(client: httpx.AsyncClient, party: Party) -> None:
    answer = await hand_in(client, party, PDF.ljust(LIMIT, b" "))

    assert answer.json()["file"]["size_bytes"] == LIMIT


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"issued_on": "2999-01-01"}, "/issued_on"),
        ({"valid_until": "2025-01-01"}, "/valid_until"),
        ({"valid_until": "2026-01-06"}, "/valid_until"),
        ({"kind": "insurance"}, ""),
        ({"kind": "poem"}, "/kind"),
        ({"number": "a\0b"}, "/number"),
        ({"replaces_id": "doc_1"}, "/replaces_id"),
    ],
)
async def test_a_paper_that_cannot_be_is_refused(
    client: httpx.AsyncClient, party: Party, given: dict[str, str], pointer: str
) -> None:
    answer = await hand_in(client, party, **given)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_paper_is_for_its_organization_and_the_operators(
    client: httpx.AsyncClient, sessions: Sessions, party: Party, operator: Party
) -> None:
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    made = (await hand_in(client, party)).json()
    url = f"/v1/documents/{made['id']}"

    foreign = [(await client.get(path, headers=other.headers)).status_code for path in (url, f"{url}/file")]
    listed = await client.get("/v1/documents", headers=other.headers)
    seen = await client.get("/v1/documents?status=submitted", headers=operator.headers)

    assert foreign == [404, 404]
    assert listed.json()["data"] == []
    assert [one["id"] for one in seen.json()["data"]] == [made["id"]]


async def test_nobody_accepts_his_own_papers(client: httpx.AsyncClient, party: Party) -> None:
    made = (await hand_in(client, party)).json()

    answer = await client.post(f"/v1/documents/{made['id']}/accept", headers=party.headers)

    assert made["allowed_transitions"] == ["withdraw"]
    assert answer.status_code == 403


async def test_a_refused_paper_is_followed_by_a_mended_one(
    client: httpx.AsyncClient, party: Party, operator: Party
) -> None:
    first = (await hand_in(client, party)).json()

    refused = await client.post(f"/v1/documents/{first['id']}/refuse", json=ILLEGIBLE, headers=operator.headers)
    second = await hand_in(client, party, replaces_id=first["id"])
    accepted = await client.post(f"/v1/documents/{second.json()['id']}/accept", headers=operator.headers)
    old = await client.get(f"/v1/documents/{first['id']}", headers=party.headers)

    assert (refused.json()["status"], refused.json()["reasons"]) == ("refused", ILLEGIBLE["reasons"])
    assert accepted.json()["status"] == "accepted"
    assert old.json()["status"] == "replaced"


async def test_a_paper_has_one_successor(client: httpx.AsyncClient, party: Party, operator: Party) -> None:
    first = (await hand_in(client, party)).json()
    unseen = await hand_in(client, party, replaces_id=first["id"])
    await client.post(f"/v1/documents/{first['id']}/accept", headers=operator.headers)
    other_kind = await hand_in(client, party, kind="vat_certificate", replaces_id=first["id"])
    second = await hand_in(client, party, replaces_id=first["id"])
    third = await hand_in(client, party, replaces_id=first["id"])

    codes = [answer.json().get("code") for answer in (unseen, other_kind, second, third)]
    assert codes == ["document_not_replaceable", "document_not_replaceable", None, "document_not_replaceable"]


async def test_what_counts_stays_until_its_successor_is_accepted(
    client: httpx.AsyncClient, party: Party, operator: Party
) -> None:
    first = (await hand_in(client, party)).json()
    await client.post(f"/v1/documents/{first['id']}/accept", headers=operator.headers)
    second = (await hand_in(client, party, replaces_id=first["id"])).json()

    meanwhile = await client.get(f"/v1/documents/{first['id']}", headers=party.headers)
    await client.post(f"/v1/documents/{second['id']}/accept", headers=operator.headers)
    afterwards = await client.get(f"/v1/documents/{first['id']}", headers=party.headers)

    assert (meanwhile.json()["status"], afterwards.json()["status"]) == ("accepted", "replaced")


async def test_a_paper_is_taken_back(client: httpx.AsyncClient, party: Party) -> None:
    made = (await hand_in(client, party)).json()

    withdrawn = await client.post(f"/v1/documents/{made['id']}/withdraw", headers=party.headers)
    again = await client.post(f"/v1/documents/{made['id']}/withdraw", headers=party.headers)

    assert withdrawn.json()["status"] == "withdrawn"
    assert again.json()["code"] == "transition_not_possible"


async def accepted(sessions: Sessions, party: Party, operator: Party, days: int) -> OrganizationDocument:
    made = await papers.handed_in(sessions, party.actor, valid_for=timedelta(days=days))
    return await papers.accepted(sessions, made.id, operator.actor)


async def news(sessions: Sessions, subject_id: str) -> list[tuple[str, Any]]:
    query = text("SELECT type, data->>'days_left' AS days FROM event WHERE subject_id = :id ORDER BY ordinal")
    async with sessions() as session:
        rows = (await session.execute(query, {"id": subject_id})).all()
    return [(row.type, row.days) for row in rows]


async def test_a_paper_that_runs_out_is_told_three_times_and_at_the_end(
    sessions: Sessions, party: Party, operator: Party, advance: Advance
) -> None:
    paper = await accepted(sessions, party, operator, days=90)

    await advance(timedelta(days=91))

    assert (await news(sessions, paper.id))[2:] == [
        ("document.expiring", "60"),
        ("document.expiring", "30"),
        ("document.expiring", "7"),
        ("document.expired", None),
    ]


async def test_a_paper_accepted_late_is_told_of_what_is_still_ahead(
    sessions: Sessions, party: Party, operator: Party, advance: Advance
) -> None:
    paper = await accepted(sessions, party, operator, days=20)

    await advance(timedelta(days=21))

    assert (await news(sessions, paper.id))[2:] == [("document.expiring", "7"), ("document.expired", None)]


async def test_a_replaced_paper_is_not_told_of_any_more(
    sessions: Sessions, party: Party, operator: Party, advance: Advance
) -> None:
    paper = await accepted(sessions, party, operator, days=90)
    successor = await papers.handed_in(sessions, party.actor, replaces=paper)
    await papers.accepted(sessions, successor.id, operator.actor)

    await advance(timedelta(days=91))

    assert len(await news(sessions, paper.id)) == 2


async def test_an_expired_paper_blocks_what_is_new_until_its_successor_is_accepted(
    client: httpx.AsyncClient, sessions: Sessions, party: Party, operator: Party, advance: Advance
) -> None:
    paper = await accepted(sessions, party, operator, days=10)
    listing = {"title": "Motors", "site_id": party.site.id, "mode": "sealed", "price_unit": "tonne", "currency": "EUR"}
    draft = await client.post("/v1/listings", json=listing, headers=party.headers)
    await advance(timedelta(days=11))

    refused = await client.post("/v1/listings", json=listing, headers=party.headers)
    read = await client.get(f"/v1/listings/{draft.json()['id']}", headers=party.headers)
    successor = await papers.handed_in(sessions, party.actor, replaces=paper)
    await papers.accepted(sessions, successor.id, operator.actor)
    taken = await client.post("/v1/listings", json=listing, headers=party.headers)

    (publish,) = read.json()["blocked_transitions"]
    assert (refused.status_code, refused.json()["code"]) == (409, "document_expired")
    assert "document_expired" in {reason["code"] for reason in publish["reasons"]}
    assert taken.status_code == 201


async def test_what_is_under_way_is_finished_although_a_paper_expired(
    client: httpx.AsyncClient, sessions: Sessions, operator: Party, advance: Advance
) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    for party in (haul.carrier, haul.seller, haul.receiver):
        await accepted(sessions, party, operator, days=1)
    await advance(timedelta(days=2))

    await make.did(client, haul.carrier, f"{haul.url}/dispatch", make.CREW)
    await make.did(client, haul.carrier, f"{haul.url}/depart", make.HERE)
    await make.did(client, haul.carrier, f"{haul.url}/arrive", {**make.HERE, "reason": "early"})
    await make.signed_by_both(client, haul, "handover", haul.seller, make.a_signature(haul, photos=[make.PHOTO]))

    read = await client.get(haul.url, headers=haul.carrier.headers)
    assert read.json()["status"] == "loaded"


async def test_a_live_seller_whose_paper_expired_lists_nothing_new(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    by, _ = await papers.operator(sessions, livemode=True)
    registered = await papers.live(sessions, ["manufacturer"])
    (paper,) = await papers.submitted(sessions, registered)
    await papers.accepted(sessions, paper.id, by)
    await papers.passed(sessions, registered.organization.id, by)
    headers = {"Authorization": f"Bearer {registered.secret}"}
    site = (await client.post("/v1/sites", json=parties.yard().model_dump(), headers=headers)).json()
    listing = {"title": "Motors", "site_id": site["id"], "mode": "sealed", "price_unit": "tonne", "currency": "EUR"}

    before = await client.post("/v1/listings", json=listing, headers=headers)
    await papers.lapsed(sessions, paper, paper.created_at.date() - timedelta(days=1))
    after = await client.post("/v1/listings", json=listing, headers=headers)

    assert before.status_code == 201
    assert after.json()["code"] == "document_expired"


async def test_a_bidder_and_a_carrier_are_asked_for_their_own_papers(
    sessions: Sessions, operator: Party, advance: Advance
) -> None:
    both = await parties.organization(sessions, roles=["carrier", "recycler"])
    made = await papers.handed_in(sessions, both.actor, "carrier_licence", valid_for=timedelta(days=1))
    await papers.accepted(sessions, made.id, operator.actor)
    await advance(timedelta(days=2))

    assert await codes_against(sessions, both.actor, {"carrier"}) == ["document_expired"]
    assert await codes_against(sessions, both.actor, {"recycler"}) == []


async def codes_against(sessions: Sessions, actor: Actor, roles: set[str]) -> list[str]:
    async with UnitOfWork(sessions, actor) as work:
        return [reason.code for reason in await standing.against(work, actor.org, roles)]


async def test_who_is_asked_for_what_is_reference_data(client: httpx.AsyncClient, party: Party) -> None:
    listed = await client.get("/v1/reference/document-kinds", headers=party.headers)

    kinds = {one["kind"]: one for one in listed.json()["data"]}
    assert set(kinds) == set(KINDS)
    assert kinds["carrier_licence"]["asked_of"] == ["carrier"]


def test_every_role_but_the_houses_shows_something() -> None:
    asked = {role for kind in KINDS.values() for role in kind.asked_of}

    assert asked == set(ROLES) - {"operator"}


def test_the_first_instant_of_the_day_after_ends_a_paper() -> None:
    last = date(2027, 3, 31)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)

    assert expiring.next_look(last, end - timedelta(microseconds=1)) == end
    assert expiring.next_look(last, end + timedelta(days=3)) == end + timedelta(days=3)
    assert expiring.next_look(last, end - timedelta(days=60)) == end - timedelta(days=30)


def test_a_paper_for_ever_is_looked_at_in_its_last_year() -> None:
    assert expiring.next_look(date.max, datetime(2027, 1, 1, tzinfo=UTC)).year == 9998
