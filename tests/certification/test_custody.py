"""What was loaded, accepted and refused, and what a processor reports: the chain of every site."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col

from services.certification import chain, queries
from services.certification.custody import MadeOutput, Report, Taken, inspecting, loading
from services.certification.errors import MassDoesNotBalance, MassNotAvailable, NotInYourCustody
from services.certification.models import CustodyEvent, CustodyLine, MaterialBatch
from services.kernel.database import Sessions
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.errors import Blocked, Invalid, NotFound
from services.kernel.events import EventRow
from services.kernel.ids import CustodyEventId, PickupId, ReceiptId
from tests.conftest import Race
from tests.factories.certification import (
    MODULES,
    MOTORS,
    STORY,
    STORY_OUTPUTS,
    Plant,
    inspection,
    load,
    make,
    plant,
    received,
    record,
)
from tests.factories.parties import organization

APPEND_ONLY = ("custody_event", "custody_line", "batch_code", "certificate_version", "impact_statement", "evidence")


@pytest.fixture
async def at(sessions: Sessions) -> Plant:
    return await plant(sessions)


async def events_of(at: Plant, site_id: str) -> list[CustodyEvent]:
    async with at.work() as work:
        query = select(CustodyEvent).where(col(CustodyEvent.site_id) == site_id).order_by(col(CustodyEvent.position))
        return list((await work.session.execute(query)).scalars())


async def all_batches(at: Plant) -> list[MaterialBatch]:
    async with at.work() as work:
        return list((await work.session.execute(select(MaterialBatch).order_by(col(MaterialBatch.id)))).scalars())


async def test_custody_starts_with_the_loaded_mass(at: Plant) -> None:
    async with at.work() as work:
        event = await loading.book(work, load(at, STORY, work.now))

    batches = await all_batches(at)
    assert (event.type, event.announced_g, event.packaging_g) == ("move", 17_720_000, 420_000)
    assert {batch.owner_id for batch in batches} == {at.seller.org.id}
    assert {batch.custodian_id for batch in batches} == {at.carrier.org.id}


async def test_accepted_mass_is_the_processors_and_refused_mass_stays_the_holders(at: Plant) -> None:
    await received(at, [MODULES])

    loaded, *others = await all_batches(at)
    by_owner = {batch.owner_id: batch for batch in others}
    accepted, refused = by_owner[at.recycler.org.id], by_owner[at.seller.org.id]
    assert (loaded.remaining_g, loaded.status) == (0, "downstream")
    assert (accepted.mass_g, accepted.status) == (1_440_000, "awaiting_processing")
    assert (refused.mass_g, refused.custodian_id, refused.site_id) == (
        360_000,
        at.recycler.org.id,
        at.recycler.site.id,
    )


async def test_a_weighing_difference_is_no_loss(at: Plant) -> None:
    await received(at, [MOTORS])

    (event,) = await events_of(at, at.recycler.site.id)
    assert (event.announced_g, event.received_g, event.accepted_g, event.loss_g) == (
        11_780_000,
        11_760_000,
        11_760_000,
        0,
    )


async def test_a_full_refusal_makes_no_batch_at_the_processor(at: Plant) -> None:
    assert await received(at, [("60 lithium modules", "160607", 1_800_000, 0, 1_800_000)]) == []


async def test_goods_nobody_announced_are_facts_too(at: Plant) -> None:
    async with at.work() as work:
        await loading.book(work, load(at, [MOTORS], work.now))
    async with at.work() as work:
        await inspecting.book(work, inspection(at, [MOTORS, MODULES], work.now))

    assert sorted(batch.mass_g for batch in await at.batches()) == [1_440_000, 11_760_000]


async def test_the_same_news_twice_is_recorded_once(at: Plant) -> None:
    await received(at)
    async with at.work() as work:
        again = await inspecting.book(work, inspection(at, STORY, work.now))
        await loading.book(work, load(at, STORY, work.now))

    assert again == []
    assert len(await events_of(at, at.recycler.site.id)) == 4
    assert len(await events_of(at, at.seller.site.id)) == 1


async def test_refused_goods_that_travel_on_are_taken_from_their_batch(at: Plant) -> None:
    await received(at, [MODULES])
    source = (await events_of(at, at.recycler.site.id))[0].source
    async with at.work() as work:
        onward = load(
            at,
            [("12 lithium modules", "160607", 360_000, 0, 0)],
            work.now,
            pickup_id=PickupId.new(),
            custodian_id=at.recycler.org.id,
            from_site_id=at.recycler.site.id,
            to_site_id=at.seller.site.id,
            taken_from=source,
        )
        event = await loading.book(work, onward)
        lines = (await queries.lines_of(work, [event.id]))[event.id]

    assert [(line.direction, line.mass_g) for line in lines] == [("in", 360_000), ("out", 360_000)]


async def test_receipt_tells_everybody_in_the_move_and_the_batch_its_owner_alone(at: Plant) -> None:
    await received(at, [MODULES])

    async with at.work() as work:
        query = select(EventRow).where(col(EventRow.type).in_(["custody.recorded", "batch.created"]))
        told = (await work.session.execute(query.order_by(col(EventRow.ordinal)))).scalars().all()
    parties = {at.seller.org.id, at.carrier.org.id, at.recycler.org.id}
    assert [(row.type, set(row.audience)) for row in told] == [
        ("custody.recorded", {at.seller.org.id, at.carrier.org.id}),
        ("custody.recorded", parties),
        ("batch.created", {at.recycler.org.id}),
    ]


async def test_a_make_turns_inputs_into_outputs_and_loss(at: Plant) -> None:
    batches = await received(at)
    event = await record(at, make(batches, STORY_OUTPUTS, loss_g=150_000))

    async with at.work() as work:
        lines = (await queries.lines_of(work, [event.id]))[event.id]
        made = await queries.batches_in(work, [line.batch_id for line in lines if line.direction == "out"])
    states = {batch.material: batch.status for batch in made.values()}
    assert sum(line.mass_g for line in lines if line.direction == "in") == 17_340_000
    assert sum(batch.mass_g for batch in made.values()) == 17_190_000
    assert (states["steel"], states["black_mass"], states["residue"]) == (
        "processed",
        "downstream",
        "awaiting_processing",
    )
    assert {batch.status for batch in await at.batches()} == {"processed"}


async def test_more_out_than_in_is_refused(at: Plant) -> None:
    batches = await received(at, [MOTORS])

    with pytest.raises(MassDoesNotBalance):
        await record(at, make(batches, [MadeOutput("steel", 11_760_001, "product")]))


async def test_more_than_is_left_is_refused(at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])
    report = Report(
        type="make",
        operation="R4",
        inputs=(Taken(batch.id, 11_760_001),),
        outputs=(MadeOutput("steel", 11_760_001, "product"),),
    )

    with pytest.raises(MassNotAvailable):
        await record(at, report)


async def test_an_operation_outside_the_permit_is_refused(at: Plant) -> None:
    batches = await received(at, [MOTORS])

    with pytest.raises(Blocked) as refused:
        await record(at, make(batches, [MadeOutput("steel", 11_760_000, "product")], operation="R3"))

    assert [reason.code for reason in refused.value.reasons] == ["permit_scope"]


@pytest.mark.parametrize(
    ("away", "code"), [(timedelta(minutes=6), "in_the_future"), (timedelta(days=-1), "before_birth")]
)
async def test_nothing_happens_before_a_batch_is_born_or_after_now(at: Plant, away: timedelta, code: str) -> None:
    batches = await received(at, [MOTORS])
    when = batches[0].created_at + away

    with pytest.raises(Invalid) as refused:
        await record(at, make(batches, [MadeOutput("steel", 11_760_000, "product")], occurred_at=when))

    assert [error.code for error in refused.value.errors] == [code]


async def test_only_its_owner_and_keeper_processes_a_batch(at: Plant, sessions: Sessions) -> None:
    await received(at, [MODULES])
    refused = next(b for b in await all_batches(at) if b.owner_id == at.seller.org.id and b.remaining_g)

    with pytest.raises(NotInYourCustody):
        await record(at, Report(type="modify", inputs=(Taken(refused.id),), activity="opened"))
    at.recycler = await organization(sessions, roles=["recycler"], name="Fremd")
    with pytest.raises(NotFound):
        await record(at, Report(type="modify", inputs=(Taken(refused.id),), activity="opened"))


async def test_the_chain_of_a_site_holds_and_a_change_breaks_it(at: Plant) -> None:
    batches = await received(at)
    await record(at, make(batches, STORY_OUTPUTS, loss_g=150_000))
    events = await events_of(at, at.recycler.site.id)
    async with at.work() as work:
        lines = await queries.lines_of(work, [event.id for event in events])

    assert [event.position for event in events] == [1, 2, 3, 4, 5]
    assert chain.faults(events, lines) == []
    changed = replace_line(lines[events[2].id])
    assert chain.faults(events, {**lines, events[2].id: changed}) == [events[2].id]


def replace_line(lines: Sequence[CustodyLine]) -> list[CustodyLine]:
    first = lines[0]
    other = CustodyLine(**{**first.model_dump(), "mass_g": first.mass_g + 1})
    return [other, *lines[1:]]


async def test_the_database_refuses_a_fork_of_the_chain(at: Plant) -> None:
    await received(at, [MOTORS])
    (event,) = await events_of(at, at.recycler.site.id)
    fork = CustodyEvent(**{**event.model_dump(), "id": CustodyEventId.new(), "source": None, "position": 2})

    with pytest.raises(IntegrityError, match="follow"):
        async with at.work() as work:
            work.add(fork)


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_the_apps_role_may_not_change_what_was_written(at: Plant, table: str) -> None:
    for statement in (f"UPDATE {table} SET livemode = livemode", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with at.work() as work:
                await work.session.execute(text(statement))


@pytest.mark.race
async def test_not_even_the_owner_may_change_the_chain(race: Race, postgres: EmbeddedPostgres) -> None:
    await received(await plant(race.sessions), [MOTORS])
    database = str(make_url(race.url).database)
    as_house = {"server_settings": {"app.house": "on"}}
    owner = create_async_engine(postgres.url(database, role="backhaul_owner"), connect_args=as_house)
    statements = (
        "UPDATE custody_event SET announced_g = 1",
        "DELETE FROM custody_line",
        "TRUNCATE custody_event CASCADE",
        "UPDATE material_batch SET born_in = born_in || 'x'",
    )
    for statement in statements:
        with pytest.raises(DBAPIError, match=r"append-only|born once"):
            async with owner.begin() as connection:
                await connection.execute(text(statement))
    await owner.dispose()


@pytest.mark.race
async def test_many_writers_at_one_site_make_one_chain(race: Race) -> None:
    at = await plant(race.sessions)
    (batch,) = await received(at, [MOTORS])
    part = Report(
        type="make",
        operation="R4",
        inputs=(Taken(batch.id, 1_000_000),),
        outputs=(MadeOutput("steel", 1_000_000, "product"),),
    )

    done = await asyncio.gather(*(record(at, part) for _ in range(15)), return_exceptions=True)

    events = await events_of(at, at.recycler.site.id)
    async with at.work() as work:
        lines = await queries.lines_of(work, [event.id for event in events])
        left = (await queries.batches_in(work, [batch.id]))[batch.id].remaining_g
    assert sum(isinstance(one, CustodyEvent) for one in done) == 11
    assert {type(one) for one in done} == {CustodyEvent, MassNotAvailable}
    assert left == 760_000
    assert [event.position for event in events] == list(range(1, 13))
    assert chain.faults(events, lines) == []


async def test_a_second_receipt_of_another_pickup_is_another_move(at: Plant) -> None:
    await received(at, [MOTORS])
    second = replace(at, pickup_id=PickupId.new(), receipt_id=ReceiptId.new())

    await received(second, [MODULES])

    assert len(await at.batches()) == 2
