"""Sites, members, carriers: an organization's own, and nobody else's."""

import httpx
import pytest

from services.kernel.database import Sessions
from services.kernel.errors import NotFound
from services.kernel.ids import OrgId, SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.permissions import ALL, ROLES
from tests.factories import parties


def place(**given: object) -> dict[str, object]:
    return parties.yard().model_dump() | given


async def test_a_site_is_read_as_it_was_written(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    added = await client.post("/v1/sites", json=place(name="Werk Kassel"), headers=party.headers)
    read = await client.get(f"/v1/sites/{added.json()['id']}", headers=party.headers)

    assert added.status_code == 201
    assert read.json() == added.json()
    assert read.json()["opens"] == "06:00"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"timezone": "Europe/Atlantis"}, "/timezone"),
        ({"opens": "18:00", "closes": "06:00"}, "/closes"),
        ({"latitude": 91}, "/latitude"),
        ({"docks": 0}, "/docks"),
        ({"colour": "green"}, "/colour"),
    ],
)
async def test_a_place_that_cannot_be_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, given: dict[str, object], pointer: str
) -> None:
    party = await parties.organization(sessions)

    answer = await client.post("/v1/sites", json=place(**given), headers=party.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_latitude_that_is_no_number_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    body = '{"name":"W","street":"S","postal_code":"1","city":"C","country":"DE","timezone":"UTC","latitude":NaN,"longitude":1}'

    answer = await client.post("/v1/sites", content=body, headers=party.headers | {"Content-Type": "application/json"})

    assert answer.status_code == 422


async def test_a_foreign_site_is_not_found(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")

    answer = await client.get(f"/v1/sites/{other.site.id}", headers=party.headers)

    assert answer.status_code == 404


async def test_a_list_holds_ones_own_and_pages_newest_first(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    await parties.organization(sessions, name="Zweitlauf GmbH")
    await client.post("/v1/sites", json=place(name="Yard 2"), headers=party.headers)

    first = (await client.get("/v1/sites?limit=1", headers=party.headers)).json()
    second = (await client.get(f"/v1/sites?limit=1&cursor={first['next_cursor']}", headers=party.headers)).json()

    assert [site["name"] for site in first["data"] + second["data"]] == ["Yard 2", "Yard 1"]
    assert not second["has_more"]


async def test_a_member_is_added_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    person = {"name": "Ali", "email": "Ali@Example.com", "role": "driver"}

    added = await client.post("/v1/members", json=person, headers=party.headers)
    again = await client.post("/v1/members", json=person | {"email": "ali@example.COM"}, headers=party.headers)

    assert added.json()["email"] == "ali@example.com"
    assert again.json()["code"] == "member_exists"


async def test_members_are_listed_to_their_own(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    await parties.organization(sessions, name="Zweitlauf GmbH")

    listed = await client.get("/v1/members", headers=party.headers)

    assert [member["id"] for member in listed.json()["data"]] == [party.actor.member_id]


async def test_without_a_credential_nothing_but_registration_is_open(client: httpx.AsyncClient) -> None:
    answers = [await client.get(path) for path in ("/v1/sites", "/v1/members", "/v1/api-keys", "/v1/permits")]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401]


async def test_carriers_are_the_verified_ones(sessions: Sessions) -> None:
    habicht = await parties.organization(sessions, roles=["carrier"], name="Habicht Logistik GmbH")
    recycler = await parties.organization(sessions, roles=["recycler"])

    async with UnitOfWork(sessions, habicht.actor) as work:
        every = await queries.carriers(work)
        named = await queries.carriers(work, [recycler.org.id])

    assert [carrier.id for carrier in every] == [habicht.org.id]
    assert named == []


async def test_what_is_not_there_is_not_found(sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    async with UnitOfWork(sessions, party.actor) as work:
        with pytest.raises(NotFound):
            await queries.organization(work, OrgId.new())
        with pytest.raises(NotFound):
            await queries.site(work, SiteId.new())
        found = await queries.organizations(work, [party.org.id, OrgId.new()])

    assert list(found) == [party.org.id]


def test_the_owner_may_everything_and_nobody_may_more() -> None:
    assert ROLES["owner"] == ALL
    assert all(permissions <= ALL for permissions in ROLES.values())


def test_a_viewer_only_reads() -> None:
    assert {name.partition(":")[2] for name in ROLES["viewer"]} == {"read"}
