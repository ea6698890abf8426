"""What PostgreSQL writes for the lane is what the schemas write for the route, member by member."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.listings.faces import DETAIL, ITEM, SUMMARY
from services.listings.models import LISTING
from services.listings.schemas import ItemAnswer, ListingAnswer, ListingSummary
from tests.factories.listings import PHOTO, lithium_modules, motors, open_listing
from tests.factories.parties import Party, organization
from tests.listings.test_reading import Watched, asked_both, lane, route, told

__all__ = ["lane", "route"]

ODD = 'Motors "7,5 kW" \\ größe\n廃プラスチック </b>\u2028 00.000000Z +00:00'
LISTINGS = [
    "title = :odd, description = :odd",
    "description = NULL, opens_at = NULL, closes_at = NULL, hard_cap_at = NULL",
    "opens_at = '2026-11-23T08:00:00Z', closes_at = '2027-01-12T09:30:15.5+01:00'",
    "created_at = '2026-02-28T23:59:59.000001Z', hard_cap_at = '2030-06-01T00:00:00.123456Z'",
    "mode = 'instant', price_minor = 12950",
    "mode = 'instant', price_minor = -5, currency = 'USD', increment_minor = 100",
    "mode = 'instant', price_minor = 1000, currency = 'JPY', increment_minor = 7",
    "mode = 'instant', price_minor = -1230, currency = 'KWD'",
    "mode = 'instant', price_minor = 0, reserve_price_minor = 999, price_direction = 'seller_pays'",
    'total_mass_g = NULL, materials = \'[{"material": "steel", "mass_g": null}]\'',
    "total_mass_g = 0, materials = '[]'",
    "total_mass_g = 1",
    'total_mass_g = 1234560, materials = \'[{"material": "steel", "mass_g": 999999999999}, {"material": "pp", "mass_g": 10}]\'',
    "latitude = -0.5, longitude = 1e-7",
    "latitude = 51.31270000000001, longitude = 179.9999999",
    "lot_rule = 'by_fraction', min_quantity = 12, award_rule = 'best_landed', recovers_vat = false, goods_vat_bps = 700",
    "status = 'closed', version = 77, mode = 'timed', price_unit = 'piece', disposition_floor = 'reuse'",
    "status = 'withdrawn', stops = '{quarantine}'",
    "visibility = 'invited', invited = ARRAY[:reader]",
    "item_count = 1000000",
]
ITEMS = [
    "title = :odd, key = concat(item.id, CAST(:odd AS varchar)), reason_detail = :odd",
    "gtin = '04012345678901', mpn = :odd, batch = :odd",
    "mass_g = NULL, condition_grade = NULL, return_reason = NULL, waste_code = NULL",
    "composition = NULL, packaging = NULL",
    "mass_g = 1, mass_uncertainty_g = 1500, mass_method = 'weighed'",
    "quantity = 40, awarded_quantity = 3, relisted_quantity = 4",
    "is_hazardous = true, is_data_bearing = NULL, hp_codes = '[\"HP4\", \"HP14\"]', un_number = 'UN3480'",
]


async def changed(sessions: Sessions, table: str, change: str, reader: Party, listing_id: str) -> None:
    key = "id" if table == "listing" else "listing_id"
    values: dict[str, Any] = {"odd": ODD, "reader": reader.org.id, "listing": listing_id}
    statement = text(f"UPDATE {table} SET {change} WHERE {key} = :listing")
    async with UnitOfWork(sessions, system(False)) as work, work.as_house():
        await work.session.execute(statement, {name: values[name] for name in values if f":{name}" in str(statement)})


@pytest.mark.parametrize(
    ("table", "change"), [*(("listing", one) for one in LISTINGS), *(("item", one) for one in ITEMS)]
)
async def test_every_value_is_told_as_by_the_route(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, lane: Watched, table: str, change: str
) -> None:
    seller, reader = await organization(sessions), await organization(sessions, ["recycler"])
    with_tare = {"kind": "Drum", "packages": 2, "tare": {"value": "12.5", "unit": "kg"}, "labels": ["9A"]}
    photos = [PHOTO | {"url": 'https://example.org/a?b=1&c="2"'.replace('"', "")}]
    goods = [motors(photos=photos), lithium_modules(packaging=with_tare)]
    listing = await open_listing(sessions, seller, goods)
    await changed(sessions, table, change, reader, listing.id)

    detail, detail_by_route = await asked_both(client, route, reader, f"/v1/listings/{listing.id}")
    status = detail.json()["status"]
    found, found_by_route = await asked_both(client, route, reader, f"/v1/listings/search?status={status}")

    assert lane.taken >= 2
    assert detail.status_code == 200
    assert told(detail) == told(detail_by_route)
    assert told(found) == told(found_by_route)


async def test_pages_are_told_as_by_the_route_from_end_to_end(
    sessions: Sessions, client: httpx.AsyncClient, route: httpx.AsyncClient, lane: Watched
) -> None:
    seller, reader = await organization(sessions), await organization(sessions, ["recycler"])
    for _ in range(5):
        await open_listing(sessions, seller, [motors()])
    for query in ("sort=newest", "sort=closing&near=51.3127,9.4797", "sort=distance&near=51.3127,9.4797"):
        pages = [await followed(one, reader, f"limit=2&{query}") for one in (client, route)]
        assert pages[0] == pages[1]
        assert [len(page["data"]) for page in pages[0]] == [2, 2, 1]
    assert lane.taken >= 9


async def followed(client: httpx.AsyncClient, reader: Party, query: str) -> list[Any]:
    """Every page, at most five."""
    pages: list[Any] = []
    cursor = ""
    while cursor is not None and len(pages) < 5:
        path = f"/v1/listings/search?{query}" + (f"&cursor={cursor}" if cursor else "")
        pages.append((await client.get(path, headers=reader.headers)).json())
        cursor = pages[-1]["next_cursor"]
    return pages


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&cursor=!!",
        "limit=1&cursor=",
        "cursor=abc&cursor=abc",
        "limit=1&cursor=abc&cursor=abc",
        "sort=closing&cursor=bHN0XzE",
        "cursor=" + "a" * 201,
        "limit=1&cursor=" + "a" * 201,
    ],
)
async def test_a_cursor_that_is_refused_is_refused_by_the_route(
    sessions: Sessions, client: httpx.AsyncClient, lane: Watched, query: str
) -> None:
    reader = await organization(sessions, ["recycler"])
    refused = await client.get(f"/v1/listings/search?{query}", headers=reader.headers)
    assert (refused.status_code, lane.taken) == (422, 0)


@pytest.mark.parametrize("first", ["cursor", "%63ursor"])
async def test_a_cursor_that_is_given_twice_is_left_to_the_route(
    sessions: Sessions, client: httpx.AsyncClient, lane: Watched, first: str
) -> None:
    reader = await organization(sessions, ["recycler"])
    answer = await client.get(f"/v1/listings/search?{first}=bHN0XzE&cursor=bHN0XzE", headers=reader.headers)
    assert (answer.status_code, lane.taken) == (200, 0)


def test_every_member_of_the_schemas_is_told() -> None:
    assert SUMMARY.keys() == ListingSummary.model_fields.keys()
    assert DETAIL.keys() == ListingAnswer.model_fields.keys()
    assert ITEM.keys() == ItemAnswer.model_fields.keys()


def test_a_stranger_may_move_nothing_of_a_listing() -> None:
    assert not any("processor" in transition.actors for transition in LISTING.transitions)
