"""A manifest sent again: mended, changed, after publishing, by a job that died, by four at once."""

import asyncio

import pytest

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.jobs import Tools
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, publishing, queries
from services.listings.errors import ListingIsNotADraft
from services.listings.importing import landing
from services.listings.models import ItemChanges, Listing
from tests.conftest import Race, Settle
from tests.factories.listings import draft_listing, motors, open_listing, received_import
from tests.factories.parties import Party, organization
from tests.listings.manifest_files import manifest, motor
from tests.listings.test_importing import cell, completions, counts, draft_of, full, items, read, refusals, units

# Again, and mended


async def test_the_same_job_twice_changes_nothing(sessions: Sessions, settle: Settle, tools: Tools) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, manifest(motor("A"), motor("B", mass="heavy")))
    await settle()
    before = await read(sessions, row)
    await landing.land(tools, {"import_id": row.id})
    after = await read(sessions, row)
    assert (after.version, after.completed_at, after.rows) == (before.version, before.completed_at, before.rows)
    assert len(await completions(sessions, row)) == 1
    assert await units(sessions, seller) == 1


async def test_the_mended_rows_join_those_that_landed(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    first = await received_import(sessions, seller, manifest(motor("A"), motor("B", mass="heavy")), into=listing)
    await settle()
    async with UnitOfWork(sessions, seller.actor) as work:
        back = await queries.refused_file(work, first.id)
    assert back is not None
    again = await received_import(sessions, seller, back.replace(b"heavy", b"200"), into=listing)
    await settle()
    assert await counts(sessions, again) == (1, 1, 0, 0, 0)
    (item,) = await items(sessions, listing.id)
    assert (item.quantity, item.mass_g) == (2, 500_000)


async def test_a_changed_row_updates_its_unit_and_item(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A"), motor("B")), settle)
    row = await received_import(sessions, seller, manifest(motor("A", mass="350"), motor("B")), into=listing)
    await settle()
    assert await counts(sessions, row) == (2, 0, 1, 1, 0)
    (item,) = await items(sessions, listing.id)
    assert (item.quantity, item.mass_g) == (2, 650_000)


async def test_an_external_id_stays_in_the_draft_it_came_to(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A")), settle)
    row = await received_import(sessions, seller, manifest(motor("A", mass="350"), motor("B")))
    await settle()
    assert await counts(sessions, row) == (2, 1, 1, 0, 0)
    assert [item.mass_g for item in await items(sessions, listing.id)] == [350_000]
    assert [item.mass_g for item in await items(sessions, row.listing_id)] == [300_000]


async def test_a_row_that_moves_to_another_item_leaves_none_behind(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A"), motor("B", item="pump")), settle)
    await received_import(sessions, seller, manifest(motor("B")), into=listing)
    await settle()
    assert [(item.key, item.quantity) for item in await items(sessions, listing.id)] == [("motor", 2)]


async def test_a_whole_item_may_change_its_reason(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_of(sessions, seller, manifest(motor("A"), motor("B")), settle)
    changed = manifest(motor("A", reason="damaged"), motor("B", reason="damaged"))
    row = await received_import(sessions, seller, changed, into=listing)
    await settle()
    assert await counts(sessions, row) == (2, 0, 2, 0, 0)
    assert [item.return_reason for item in await items(sessions, listing.id)] == ["damaged"]


async def test_two_sellers_may_use_one_external_id(sessions: Sessions, settle: Settle) -> None:
    one, other = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    await received_import(sessions, one, manifest(motor("A")))
    row = await received_import(sessions, other, manifest(motor("A")))
    await settle()
    assert await counts(sessions, row) == (1, 1, 0, 0, 0)


# What is published, and what is free again


async def test_a_changed_row_of_a_published_listing_is_refused(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    await published(sessions, seller, full(cell("1"), cell("2")), settle)
    row = await received_import(sessions, seller, full(cell("1", mass="31"), cell("2"), cell("3")))
    await settle()
    assert await counts(sessions, row) == (3, 1, 0, 1, 1)
    assert await refusals(sessions, row) == [(1, "/external_id", "already_published")]
    async with UnitOfWork(sessions, seller.actor) as work:
        back = await queries.refused_file(work, row.id)
    assert back is not None
    assert back.splitlines()[1].endswith(cell("1", mass="31").encode())


async def test_goods_of_a_withdrawn_listing_are_free_again(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await published(sessions, seller, full(cell("1")), settle)
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.withdraw(work, listing.id, by=seller.actor)
    row = await received_import(sessions, seller, full(cell("1")))
    await settle()
    assert await counts(sessions, row) == (1, 1, 0, 0, 0)
    assert [item.quantity for item in await items(sessions, row.listing_id)] == [1]


async def test_nothing_lands_in_a_listing_published_meanwhile(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller, [motors()], mode="negotiated")
    row = await received_import(sessions, seller, manifest(motor("A")), into=listing)
    async with UnitOfWork(sessions, seller.actor) as work:
        await publishing.publish(work, listing.id, by=seller.actor)
    await settle()
    found = await read(sessions, row)
    assert (found.status, found.failure_code) == ("failed", "listing_not_draft")
    assert await units(sessions, seller) == 0


async def test_a_manifest_goes_into_a_draft_only(sessions: Sessions) -> None:
    seller = await organization(sessions)
    listing = await open_listing(sessions, seller)
    with pytest.raises(ListingIsNotADraft):
        await received_import(sessions, seller, manifest(motor("A")), into=listing)


# Crashes and races


@pytest.mark.race
async def test_a_job_that_dies_while_it_writes_leaves_the_import_to_the_next(race: Race) -> None:
    seller = await organization(race.sessions)
    row = await received_import(race.sessions, seller, manifest(motor("A")))
    async with UnitOfWork(race.sessions, system(livemode=False)) as other:
        await queries.one_import_of_a_seller_at_a_time(other, seller.org.id)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(landing.land(race.tools, {"import_id": row.id}), timeout=0.7)
    assert (await read(race.sessions, row)).status == "landing"
    await race.settle()
    assert await counts(race.sessions, row) == (1, 1, 0, 0, 0)
    assert len(await completions(race.sessions, row)) == 1


@pytest.mark.race
async def test_one_manifest_sent_four_times_at_once_lands_once(race: Race) -> None:
    seller = await organization(race.sessions)
    content = manifest(*(motor(f"U{place}") for place in range(50)))
    rows = [await received_import(race.sessions, seller, content) for _ in range(4)]
    await asyncio.gather(*(landing.land(race.tools, {"import_id": row.id}) for row in rows * 2))
    assert sorted([await counts(race.sessions, row) for row in rows]) == [(50, 0, 0, 50, 0)] * 3 + [(50, 50, 0, 0, 0)]
    assert await race.value("SELECT count(*) FROM unit") == 50
    assert await race.value("SELECT count(*) FROM event WHERE type = 'import.completed'") == 4


async def published(sessions: Sessions, seller: Party, content: bytes, settle: Settle) -> Listing:
    """An open listing of one item of lithium modules, complete for publishing."""
    listing = await draft_listing(sessions, seller, mode="negotiated")
    await received_import(sessions, seller, content, into=listing)
    await settle()
    (item,) = await items(sessions, listing.id)
    said = ItemChanges.model_validate(
        {
            "hp_codes": ["HP14"],
            "packaging": {"kind": "Steel drum", "packages": 1},
            "photos": [{"sha256": "0" * 64, "name": "drum.jpg"}],
        }
    )
    async with UnitOfWork(sessions, seller.actor) as work:
        await drafting.change_item(work, listing.id, item.id, said, by=seller.actor)
        return await publishing.publish(work, listing.id, by=seller.actor)
