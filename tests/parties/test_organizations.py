"""What an organization says of itself: legal identity, bank account, contacts."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.database import Sessions
from tests.factories import papers, parties
from tests.factories.parties import Party

IBAN = "DE89 3704 0044 0532 0130 00"


def registration(**given: object) -> dict[str, object]:
    body: dict[str, object] = {
        "legal_name": "Rheinkreis Recycling GmbH",
        "country": "DE",
        "roles": ["recycler"],
        "contact_email": "office@rheinkreis.example",
        "owner": {"name": "Jan Weber", "email": "jan@rheinkreis.example"},
    }
    return body | given


async def change(client: httpx.AsyncClient, party: Party, **given: Any) -> httpx.Response:
    return await client.patch(
        f"/v1/organizations/{party.org.id}", json=given, headers=party.headers | {"If-Match": "*"}
    )


@pytest.mark.parametrize(
    ("country", "written", "kept"),
    [
        ("DE", "de 136 695 976", "DE136695976"),
        ("DE", "136695976", "DE136695976"),
        ("GR", "094259216", "EL094259216"),
        ("GB", "980780684", "GB980780684"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("US", "12-3456789", "123456789"),
    ],
)
async def test_a_vat_id_is_kept_as_its_country_writes_it(
    client: httpx.AsyncClient, country: str, written: str, kept: str
) -> None:
    answer = await client.post("/v1/organizations", json=registration(country=country, vat_id=written))

    assert answer.json()["organization"]["vat_id"] == kept


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"vat_id": "DE123456789"}, "vat_id_invalid"),
        ({"vat_id": "ATU13585627"}, "vat_id_invalid"),
        ({"vat_id": "ＤＥ１３６６９５９７６"}, "vat_id_invalid"),
        ({"country": "US", "vat_id": "-----"}, "vat_id_invalid"),
        ({"lei": "213800KUD8LAJWSQ9D16"}, "lei_invalid"),
    ],
)
async def test_a_number_that_cannot_be_one_is_refused(
    client: httpx.AsyncClient, given: dict[str, object], code: str
) -> None:
    answer = await client.post("/v1/organizations", json=registration(**given))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code
    assert answer.json()["errors"][0]["pointer"] == f"/{code.removesuffix('_invalid')}"


async def test_of_a_bank_account_only_a_mask_is_read(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    changed = await change(client, party, iban=IBAN)

    async with sessions() as session:
        everything = await session.execute(text("SELECT row_to_json(o)::text || e.data FROM organization o, event e"))
        kept = " ".join(everything.scalars())
    assert changed.json()["iban"] == "DE…3000"
    assert "37040044" not in changed.text + kept


async def test_two_organizations_with_one_account_can_be_told(client: httpx.AsyncClient, sessions: Sessions) -> None:
    bidder = await parties.organization(sessions)
    affiliate = await parties.organization(sessions, name="Zweitlauf GmbH")
    other = await parties.organization(sessions, name="Fernab AG")

    await change(client, bidder, iban=IBAN)
    await change(client, affiliate, iban=IBAN.replace(" ", "").lower())
    await change(client, other, iban="DE02120300000000202051")

    async with sessions() as session:
        rows = await session.execute(text("SELECT iban_fingerprint FROM organization ORDER BY id"))
        first, second, third = rows.scalars()
    assert first == second != third


async def test_an_account_that_cannot_be_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    answer = await change(client, party, iban="DE89 3704 0044 0532 0130 01")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "iban_invalid")


async def test_an_account_can_be_taken_back(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    await change(client, party, iban=IBAN)

    emptied = await change(client, party, iban=None)

    assert emptied.json()["iban"] is None


async def test_contacts_are_read_as_they_were_written(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    contacts = [
        {"kind": "dispatch", "name": "Gate 2", "email": None, "phone": "+495615550123"},
        {"kind": "billing", "name": "Accounts", "email": "pay@nordwerk.example", "phone": None},
    ]

    await change(client, party, contacts=contacts)
    read = await client.get(f"/v1/organizations/{party.org.id}", headers=party.headers)

    assert read.json()["contacts"] == contacts


@pytest.mark.parametrize(
    "given",
    [
        {"contacts": [{"kind": "dispatch", "name": "Nobody"}]},
        {"contacts": [{"kind": "dispatch", "name": "Gate", "phone": "0561 5550123"}]},
        {"contacts": None},
        {"legal_name": None},
        {"contact_email": None},
        {"country": "AT"},
    ],
)
async def test_what_cannot_be_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, given: dict[str, object]
) -> None:
    party = await parties.organization(sessions)

    answer = await change(client, party, **given)

    assert answer.status_code == 422


async def test_a_change_names_the_version_it_read(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    url, changes = f"/v1/organizations/{party.org.id}", {"contact_email": "new@nordwerk.example"}

    blind = await client.patch(url, json=changes, headers=party.headers)
    changed = await client.patch(url, json=changes, headers=party.headers | {"If-Match": '"2"'})
    late = await client.patch(url, json=changes, headers=party.headers | {"If-Match": '"2"'})

    assert (blind.status_code, changed.status_code, late.status_code) == (428, 200, 412)
    assert changed.headers["etag"] == '"3"'


async def test_nobody_else_changes_an_organization(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    url = f"/v1/organizations/{party.org.id}"

    answer = await client.patch(url, json={"legal_name": "Mine"}, headers=other.headers | {"If-Match": "*"})

    assert answer.status_code == 403


async def test_the_sandbox_verifies_a_new_name_at_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    changed = await change(client, party, legal_name="Nordwerk Produktions GmbH")

    assert changed.json()["verification_status"] == "verified"


async def test_a_live_organization_with_a_new_name_is_looked_at_again(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    operator, _ = await papers.operator(sessions, livemode=True)
    registered = await papers.live(sessions, ["manufacturer"])
    await papers.verified(sessions, registered, operator)
    url, headers = f"/v1/organizations/{registered.organization.id}", {"If-Match": "*"}
    headers["Authorization"] = f"Bearer {registered.secret}"

    same = await client.patch(url, json={"legal_name": "Ernstfall GmbH"}, headers=headers)
    renamed = await client.patch(url, json={"legal_name": "Ernstfall AG"}, headers=headers)
    again = await client.patch(url, json={"lei": "213800KUD8LAJWSQ9D15"}, headers=headers)
    moved_office = await client.patch(url, json={"contact_email": "new@ernstfall.example"}, headers=headers)

    assert same.json()["verification_status"] == "verified"
    assert renamed.json()["verification_status"] == "in_review"
    assert again.json()["code"] == "identity_under_review"
    assert moved_office.status_code == 200


async def test_a_list_holds_ones_own_and_an_operators_everybody(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)
    other = await parties.organization(sessions, name="Zweitlauf GmbH")
    operator = await parties.organization(sessions, roles=["operator"], name="Backhaul")

    own = await client.get("/v1/organizations", headers=party.headers)
    every = await client.get("/v1/organizations?verification_status=verified", headers=operator.headers)

    assert [one["id"] for one in own.json()["data"]] == [party.org.id]
    assert {one["id"] for one in every.json()["data"]} >= {party.org.id, other.org.id}
