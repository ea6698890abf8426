"""A manifest lands whole: rows become units of items once, whatever is sent how often."""

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.events import EventRow
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, queries
from services.listings.errors import StatedByManifest
from services.listings.manifests.profiles import PROFILES
from services.listings.models import Import, Item, ItemChanges, Listing
from tests.conftest import Settle
from tests.factories.listings import draft_listing, motors, received_import
from tests.factories.parties import Party, organization
from tests.listings.manifest_files import manifest, motor

TORONTO = Path(__file__).parents[2] / "../shared/data/returns/repair-cafe-toronto-2025-07.csv"
FULL = (
    "external_id,item_key,description,return_reason,condition_grade,quantity,mass,mass_unit,waste_code,un_number,"
    "composition,unit_serial"
)


def full(*lines: str) -> bytes:
    return "\n".join([FULL, *lines, ""]).encode()


def cell(external_id: str, *, key: str = "cells", code: str = "160607*", mass: str = "30") -> str:
    return f"{external_id},{key},Lithium modules,end_of_life,salvage,1,{mass},kg,{code},UN 3480,unknown,S-{external_id}"


async def read(sessions: Sessions, row: Import) -> Import:
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        return await queries.import_for_update(work, row.id)


async def counts(sessions: Sessions, row: Import) -> tuple[int, int, int, int, int]:
    """(rows, added, updated, unchanged, refused)."""
    found = await read(sessions, row)
    assert (found.status, found.rows) == ("completed", found.imported + found.refused)
    assert found.imported == found.added + found.updated + found.unchanged
    return found.rows, found.added, found.updated, found.unchanged, found.refused


async def refusals(sessions: Sessions, row: Import) -> list[tuple[int, str, str]]:
    return [(one["row"], one["pointer"], one["code"]) for one in (await read(sessions, row)).problems]


async def items(sessions: Sessions, listing_id: str | None) -> list[Item]:
    assert listing_id is not None
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        return await queries.items(work, listing_id)


async def units(sessions: Sessions, seller: Party) -> int:
    async with sessions() as session:
        counted = text("SELECT count(*) FROM unit WHERE seller_id = :seller")
        return int((await session.execute(counted, {"seller": seller.org.id})).scalar_one())


async def completions(sessions: Sessions, row: Import) -> list[dict[str, Any]]:
    query = select(EventRow).where(col(EventRow.subject_id) == row.id, col(EventRow.type) == "import.completed")
    async with sessions() as session:
        return [event.data for event in (await session.execute(query)).scalars()]


async def draft_of(sessions: Sessions, seller: Party, content: bytes, settle: Settle) -> Listing:
    """A draft by the piece that holds what the manifest says."""
    listing = await draft_listing(sessions, seller, price_unit="piece")
    await received_import(sessions, seller, content, into=listing)
    await settle()
    return listing


# The story's file and the real one


async def test_good_rows_land_as_units_of_items(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(
        sessions, seller, full(cell("1"), cell("2"), "3,bar,,end_of_life,salvage,7,1,t,,,copper 100%,")
    )
    await settle()
    assert await counts(sessions, row) == (3, 3, 0, 0, 0)
    cells, bar = await items(sessions, row.listing_id)
    assert (cells.key, cells.title, cells.quantity, cells.mass_g) == ("cells", "Lithium modules", 2, 60_000)
    assert (cells.waste_code, cells.un_number, cells.is_hazardous) == ("160607", "UN3480", True)
    assert (bar.quantity, bar.mass_g, bar.composition) == (7, 1_000_000, [{"material": "copper", "ppm": 1_000_000}])
    assert await units(sessions, seller) == 3


async def test_an_import_is_told_once_with_its_counts(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, manifest(motor("A"), motor("B", mass="heavy")))
    await settle()
    (told,) = await completions(sessions, row)
    assert (told["status"], told["rows"], told["imported"], told["added"], told["refused"]) == ("completed", 2, 1, 1, 1)


async def test_every_row_of_the_toronto_file_is_accounted_for(sessions: Sessions, settle: Settle) -> None:
    if not TORONTO.exists():
        pytest.skip("../shared/data/returns is not beside the repository")
    seller = await organization(sessions, name="Toronto Hub", country="CA")
    content, ords = TORONTO.read_bytes(), PROFILES["ords-0.3"]
    first = await received_import(sessions, seller, content, mapping=ords)
    started = perf_counter()
    await settle()
    assert perf_counter() - started < 10
    assert await counts(sessions, first) == (5567, 5567, 0, 0, 0)
    assert sum(item.quantity for item in await items(sessions, first.listing_id)) == 5567
    second = await received_import(sessions, seller, content, mapping=ords)
    await settle()
    assert await counts(sessions, second) == (5567, 0, 0, 5567, 0)
    assert await units(sessions, seller) == 5567


async def test_a_hundred_broken_rows_of_five_thousand_cost_no_good_one(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    lines = [motor(f"G{place}") for place in range(4900)]
    for place in range(100):
        lines.insert(place * 49, motor(f"B{place}", mass="heavy"))
    row = await received_import(sessions, seller, manifest(*lines))
    await settle()
    assert await counts(sessions, row) == (5000, 4900, 0, 0, 100)
    assert await units(sessions, seller) == 4900


# Rows that cannot stand together


async def test_rows_of_one_item_with_two_waste_codes_do_not_both_land(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, full(cell("1"), cell("2", code="160214"), cell("3", code="")))
    await settle()
    assert await refusals(sessions, row) == [(2, "/waste_code", "item_disagrees")]
    assert [item.quantity for item in await items(sessions, row.listing_id)] == [2]


async def test_a_row_that_disagrees_with_what_landed_before_is_refused(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, full(cell("1")), settle)
    row = await received_import(sessions, seller, full(cell("2", code="160214")), into=listing)
    await settle()
    assert await refusals(sessions, row) == [(1, "/waste_code", "item_disagrees")]


async def test_a_refused_change_holds_back_the_rows_that_relied_on_it(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, full(cell("1"), cell("2")), settle)
    half = full(cell("1", code="160214"), cell("2", code="160216"))
    row = await received_import(sessions, seller, half, into=listing)
    await settle()
    assert await counts(sessions, row) == (2, 0, 0, 0, 2)
    assert [item.waste_code for item in await items(sessions, listing.id)] == ["160607"]


async def test_rows_do_not_mix_with_an_item_entered_by_hand(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [motors(key="motor")])
    row = await received_import(sessions, seller, manifest(motor("A"), motor("B", item="pump")), into=listing)
    await settle()
    assert await refusals(sessions, row) == [(1, "/item_key", "item_entered_by_hand")]
    assert [(item.key, item.quantity) for item in await items(sessions, listing.id)] == [("motor", 40), ("pump", 1)]


async def test_a_material_nobody_knows_goes_back(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, full(cell("1").replace("unknown", "unobtainium 100%")))
    await settle()
    assert await refusals(sessions, row) == [(1, "/composition", "material_unknown")]


async def test_a_composition_is_the_mean_of_its_rows_by_mass(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    light = cell("1", mass="10").replace("unknown", "Stainless steel 100%")
    heavy = cell("2", mass="20").replace("unknown", "copper 50%")
    row = await received_import(sessions, seller, full(light, heavy))
    await settle()
    (item,) = await items(sessions, row.listing_id)
    assert item.composition == [
        {"material": "copper", "ppm": 333_334},
        {"material": "stainless_steel", "ppm": 333_333},
        {"material": "unknown", "ppm": 333_333},
    ]


# What the rows say and what the seller says


async def test_what_the_rows_are_silent_about_survives_the_next_import(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A")), settle)
    (item,) = await items(sessions, listing.id)
    said = ItemChanges.model_validate({"waste_code": "160214", "title": "Motors", "reason_detail": "Worn out"})
    async with UnitOfWork(sessions, seller.actor) as work:
        await drafting.change_item(work, listing.id, item.id, said, by=seller.actor)
    await received_import(sessions, seller, manifest(motor("B")), into=listing)
    await settle()
    (item,) = await items(sessions, listing.id)
    assert (item.quantity, item.title, item.waste_code, item.reason_detail) == (2, "Motors", "160214", "Worn out")


async def test_the_number_of_an_imported_item_is_not_typed_over(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A")), settle)
    (item,) = await items(sessions, listing.id)
    async with UnitOfWork(sessions, seller.actor) as work:
        with pytest.raises(StatedByManifest):
            await drafting.change_item(work, listing.id, item.id, ItemChanges(quantity=9), by=seller.actor)


async def test_a_removed_item_frees_its_external_ids(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A")), settle)
    (item,) = await items(sessions, listing.id)
    async with UnitOfWork(sessions, seller.actor) as work:
        await drafting.remove_item(work, listing.id, item.id, by=seller.actor)
    row = await received_import(sessions, seller, manifest(motor("A")), into=listing)
    await settle()
    assert await counts(sessions, row) == (1, 1, 0, 0, 0)


# Files that cannot be read


async def test_an_unreadable_file_fails_and_is_told(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, b"%PDF-1.7")
    await settle()
    found = await read(sessions, row)
    assert (found.status, found.failure_code, found.rows) == ("failed", "encoding", 0)
    (told,) = await completions(sessions, row)
    assert (told["status"], told["failure_code"]) == ("failed", "encoding")


async def test_a_mapping_that_does_not_fit_says_which_column(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, b"id,what\n1,motor\n", mapping=PROFILES["ords-0.3"])
    await settle()
    found = await read(sessions, row)
    assert (found.status, found.failure_code) == ("failed", "mapping_does_not_fit")
    assert found.problems[0]["code"] == "column_missing"
