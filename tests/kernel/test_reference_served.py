"""Code lists over HTTP, by jurisdiction and date, page by page."""

import httpx
import pytest

from services.kernel.database import Sessions
from services.kernel.reference import hazard_properties, materials, operations, un_numbers
from tests.factories import parties
from tests.factories.parties import Party

CODES = "/v1/reference/waste-codes"


@pytest.fixture
async def party(sessions: Sessions) -> Party:
    return await parties.organization(sessions)


async def read(client: httpx.AsyncClient, party: Party, url: str, **query: str | int) -> list[dict[str, object]]:
    answer = await client.get(url, params=query, headers=party.headers)
    data: list[dict[str, object]] = answer.json()["data"]
    return data


async def test_the_battery_codes_hold_from_their_day_on(client: httpx.AsyncClient, party: Party) -> None:
    before = await read(client, party, CODES, on="2026-11-08", prefix="160607")
    since = await read(client, party, CODES, on="2026-11-09", prefix="160607")

    assert before == []
    assert [code["printed"] for code in since] == ["16 06 07*"]


@pytest.mark.parametrize(("path", "name", "number"), [(CODES, "on", "0"), ("/v1/audit-entries", "until", "0.5")])
async def test_a_number_is_neither_a_day_nor_an_instant(
    client: httpx.AsyncClient, party: Party, path: str, name: str, number: str
) -> None:
    answer = await client.get(path, params={name: number}, headers=party.headers)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{name}")


async def test_a_code_of_the_union_need_not_be_one_of_great_britain(client: httpx.AsyncClient, party: Party) -> None:
    asked = {"on": "2027-01-01", "prefix": "160607"}

    of_union = await read(client, party, CODES, country="DE", **asked)
    of_britain = await read(client, party, CODES, jurisdiction="GB", **asked)

    assert (len(of_union), of_britain) == (1, [])


async def test_nothing_is_guessed_for_a_country_without_a_list(client: httpx.AsyncClient, party: Party) -> None:
    assert await read(client, party, CODES, country="US") == []


async def test_pages_lose_and_repeat_nothing(client: httpx.AsyncClient, party: Party) -> None:
    whole = await read(client, party, CODES, prefix="1606", limit=200)
    first = (await client.get(f"{CODES}?prefix=1606&limit=3", headers=party.headers)).json()
    rest = await read(client, party, CODES, prefix="1606", limit=200, cursor=first["next_cursor"])

    assert first["data"] + rest == whole
    assert len(whole) > 3


async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient, party: Party) -> None:
    first = (await client.get("/v1/reference/operations?limit=1", headers=party.headers)).json()

    answer = await client.get(f"{CODES}?cursor={first['next_cursor']}", headers=party.headers)

    assert answer.json()["errors"][0]["code"] == "cursor_invalid"


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("operations", "code", [row.code for row in operations.every()]),
        ("un-numbers", "number", [row.number for row in un_numbers.every()]),
        ("materials", "code", [row.code for row in materials.every()]),
        ("hazard-properties", "code", [row.code for row in hazard_properties.every()]),
    ],
)
async def test_a_list_is_served_whole(
    client: httpx.AsyncClient, party: Party, name: str, key: str, expected: list[str]
) -> None:
    rows = await read(client, party, f"/v1/reference/{name}", limit=200)

    assert [row[key] for row in rows] == expected


@pytest.mark.parametrize("query", ["prefix=16+06", "jurisdiction=MARS", "on=yesterday", "country=de", "scheme=ewc"])
async def test_a_question_that_cannot_be_is_refused(client: httpx.AsyncClient, party: Party, query: str) -> None:
    answer = await client.get(f"{CODES}?{query}", headers=party.headers)

    assert answer.status_code == 422
