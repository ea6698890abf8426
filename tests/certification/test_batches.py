"""Grams: none appears, none vanishes, none is claimed twice, whatever is made of whatever."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col

from services.certification import issuing, queries
from services.certification.custody import MadeOutput, Report, Taken
from services.certification.issuing import Wanted
from services.certification.issuing.measuring import apportion, ppm
from services.certification.keys import signer
from services.certification.models import BatchClaim, Certificate, ClaimAllocation, MaterialBatch
from services.certification.trace import legs
from services.kernel.database import Sessions
from services.kernel.errors import Blocked
from services.kernel.ids import PickupId, ReceiptId
from services.kernel.settings import Settings
from tests.conftest import Race
from tests.factories.certification import (
    MODULES,
    MOTORS,
    STORY,
    STORY_OUTPUTS,
    Plant,
    draft_of,
    issued,
    make,
    plant,
    processed,
    received,
    record,
    submitted,
    verified,
)

MATERIALS = ("steel", "aluminium", "copper", "pp", "glass")


@pytest.fixture
async def at(sessions: Sessions) -> Plant:
    return await plant(sessions)


async def value(at: Plant, sql: str, **values: Any) -> Any:
    async with at.work() as work:
        return (await work.session.execute(text(sql), values)).scalar_one()


async def standing(at: Plant) -> list[MaterialBatch]:
    """What the recycler has at its site."""
    async with at.work() as work:
        query = select(MaterialBatch).where(
            col(MaterialBatch.owner_id) == at.recycler.org.id, col(MaterialBatch.remaining_g) > 0
        )
        return list((await work.session.execute(query.order_by(col(MaterialBatch.id)))).scalars())


def any_make(batches: Sequence[MaterialBatch], dice: random.Random) -> Report:
    """Some of some batches, into some outputs and a loss."""
    chosen = dice.sample(list(batches), dice.randint(1, min(3, len(batches))))
    taken = [Taken(batch.id, dice.randint(1, batch.remaining_g)) for batch in chosen]
    whole = sum(part.mass_g or 0 for part in taken)
    cuts = sorted({dice.randint(0, whole) for _ in range(dice.randint(1, 4))} | {0})
    parts = [after - before for before, after in zip(cuts, [*cuts[1:], whole], strict=True)]
    outputs = [
        MadeOutput(dice.choice(MATERIALS), part, dice.choice(("product", "downstream", "residue")))
        for part in parts[1:]
    ]
    return Report(
        type="make",
        operation=dice.choice(("R4", "R12")),
        inputs=tuple(taken),
        outputs=tuple(output for output in outputs if output.mass_g),
        loss_g=parts[0] + sum(output.mass_g for output in outputs if not output.mass_g),
        loss_reason="process" if parts[0] else None,
    )


@pytest.mark.parametrize("seed", range(6))
async def test_mass_is_conserved_in_any_graph_of_makes(at: Plant, seed: int) -> None:
    dice = random.Random(seed)
    await received(at)
    for _ in range(8):
        await record(at, any_make(await standing(at), dice))

    accepted = await value(at, "SELECT sum(accepted_g) FROM custody_event")
    lost = await value(at, "SELECT sum(loss_g) FROM custody_event")
    left = sum(batch.remaining_g for batch in await standing(at))
    astray = """
        SELECT count(*) FROM material_batch batch WHERE remaining_g <> mass_g - COALESCE((
            SELECT sum(line.mass_g) FROM custody_line line WHERE line.batch_id = batch.id AND line.direction = 'in'), 0)
    """
    assert accepted == left + lost
    assert await value(at, astray) == 0


@pytest.mark.parametrize("seed", range(4))
async def test_no_gram_is_certified_twice_in_any_graph_of_makes(at: Plant, settings: Settings, seed: int) -> None:
    dice = random.Random(100 + seed)
    await received(at)
    for _ in range(6):
        await record(at, any_make(await standing(at), dice))
    async with at.work() as work:
        drafts = (await work.session.execute(select(Certificate).order_by(col(Certificate.id)))).scalars().all()
    against = [await _issued_or_refused(at, draft, settings) for draft in drafts]

    certified = await value(at, "SELECT COALESCE(sum(certified_g), 0) FROM batch_claim")
    accepted = await value(at, "SELECT sum(accepted_g) FROM custody_event")
    assert set().union(*against) <= {"mass_not_available"}
    assert certified <= accepted


async def _issued_or_refused(at: Plant, draft: Certificate, settings: Settings) -> set[str]:
    """The reasons against it; empty where it was issued."""
    try:
        await submitted(at, draft.id, distance_m=None)
    except Blocked as refused:
        return {reason.code for reason in refused.reasons}
    await verified(at, draft.id, settings)
    return set()


async def _now(at: Plant, sql: str, **values: Any) -> None:
    """With the deferred constraints asked at once."""
    async with at.work() as work:
        await work.session.execute(text(sql), values)
        await work.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


async def test_the_database_refuses_a_make_whose_grams_do_not_add_up(at: Plant) -> None:
    batches = await received(at, [MOTORS, MODULES])
    motors, other = sorted(batches, key=lambda batch: -batch.mass_g)
    event = await record(at, make([motors], [MadeOutput("steel", 11_760_000, "product")]))
    statement = """
        INSERT INTO custody_line (event_id, batch_id, direction, mass_g, livemode, created_at)
        SELECT :event, id, 'in', 1, livemode, created_at FROM material_batch WHERE id = :batch
    """

    with pytest.raises(DBAPIError, match="g in, "):
        await _now(at, statement, event=event.id, batch=other.id)


async def test_the_database_refuses_grams_from_nowhere(at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])

    grown = "UPDATE material_batch SET mass_g = mass_g + 1, remaining_g = remaining_g + 1 WHERE id = :id"
    with pytest.raises(DBAPIError, match="on the books"):
        await _now(at, grown, id=batch.id)


async def test_the_database_refuses_a_gram_claimed_twice(at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)

    with pytest.raises(IntegrityError, match="no_gram_twice"):
        async with at.work() as work:
            await work.session.execute(text("UPDATE batch_claim SET certified_g = certified_g + 1"))


async def test_the_database_refuses_live_grams_in_the_sandbox(at: Plant) -> None:
    (batch,) = await received(at, [MOTORS])
    claim = BatchClaim(batch_id=batch.id, pool="fate", mass_g=batch.mass_g, livemode=True, created_at=batch.created_at)

    with pytest.raises(IntegrityError, match="fk_batch_claim_batch_id_livemode"):
        async with at.work() as work, work.as_house(of_both=True):
            work.add(claim)


@pytest.mark.race
async def test_of_many_submits_of_the_same_grams_one_wins(race: Race) -> None:
    at = await plant(race.sessions)
    drafts = [await processed(at)]
    for _ in range(7):
        async with at.work(at.recycler) as work:
            wanted = Wanted(type="recycling", order_id=at.order_id)
            drafts.append(await issuing.draft(work, wanted, by=at.recycler.actor))

    done = await asyncio.gather(*(submitted(at, draft.id) for draft in drafts), return_exceptions=True)

    won = [one for one in done if isinstance(one, Certificate)]
    lost = [one for one in done if isinstance(one, Blocked)]
    assert (len(won), len(lost)) == (1, 7)
    assert {one.code for one in lost} == {"mass_not_available"}
    assert await race.value("SELECT sum(reserved_g) FROM batch_claim") == 14_910_000


async def test_a_batch_found_lighter_suspends_what_was_certified_on_it(at: Plant, settings: Settings) -> None:
    certificate = await issued(at, settings)
    steel = next(batch for batch in await standing(at) if batch.material == "steel")

    event = await record(
        at, Report(type="adjust", inputs=(Taken(steel.id, 9_000_000),), reason="The scale was recalibrated.")
    )

    async with at.work() as work:
        row = await work.session.get_one(MaterialBatch, steel.id)
        states = set((await work.session.execute(select(col(ClaimAllocation.state)))).scalars())
    assert (event.adjusted_g, row.mass_g, row.remaining_g) == (-620_000, 9_000_000, 9_000_000)
    assert (await at.certificate(certificate.id)).status == "suspended"
    assert states == {"parked"}


async def test_a_lighter_batch_sends_back_what_was_only_submitted(at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    steel = next(batch for batch in await standing(at) if batch.material == "steel")

    await record(at, Report(type="adjust", inputs=(Taken(steel.id, 9_000_000),), reason="Weighed again."))
    again = await submitted(at, draft.id)

    assert (again.input_g, again.certified_g) == (17_340_000, 14_290_000)


async def test_a_suspended_correction_is_reinstated_with_the_masses_as_they_are(at: Plant, settings: Settings) -> None:
    certificate = await issued(at, settings)
    steel = next(batch for batch in await standing(at) if batch.material == "steel")
    await record(at, Report(type="adjust", inputs=(Taken(steel.id, 9_000_000),), reason="Weighed again."))

    async with at.work(at.verifier) as work:
        signing = signer(settings, livemode=False)
        again = await issuing.reinstate(work, certificate.id, signing, by=at.verifier.actor)

    assert (again.number, again.certified_g) == (2, 14_290_000)
    assert await value(at, "SELECT sum(certified_g) FROM batch_claim") == 14_290_000


async def test_a_lorry_shared_by_two_certificates_is_counted_once(at: Plant) -> None:
    first, *others = await received(at)
    one = await record(at, make([first], [MadeOutput("steel", first.mass_g, "product")]))
    rest_g = sum(batch.mass_g for batch in others)
    two = await record(at, make(others, [MadeOutput("copper", rest_g, "product")]))

    async with at.work() as work:
        traces = [(event, await queries.trace_back(work, [event.id])) for event in (one, two)]
    runs = [legs(trace, {line.batch_id: line.mass_g for line in trace.taken(event.id)}) for event, trace in traces]
    assert [len(found) for found in runs] == [1, 1]
    assert sum(leg.mass_g for found in runs for leg in found) == 17_720_000 + 420_000


async def test_two_lorries_are_two_legs(at: Plant) -> None:
    await received(at, STORY[:2])
    await received(replace(at, pickup_id=PickupId.new(), receipt_id=ReceiptId.new()), [MODULES])
    batches = await at.batches()
    event = await record(at, make(batches, [MadeOutput("steel", 16_180_000, "product")]))

    async with at.work() as work:
        trace = await queries.trace_back(work, [event.id])
    found = legs(trace, {line.batch_id: line.mass_g for line in trace.taken(event.id)})
    assert sorted(leg.mass_g for leg in found) == [1_800_000 + 420_000, 14_760_000 + 420_000]


async def test_what_a_final_operation_made_is_not_certified_as_recycled_again(at: Plant) -> None:
    await processed(at)
    steel = next(batch for batch in await standing(at) if batch.material == "steel")
    await record(at, make([steel], [MadeOutput("steel", 9_620_000, "product")]))

    with pytest.raises(Blocked) as refused:
        await submitted(at, (await draft_of(at)).id, distance_m=None)

    assert {reason.code for reason in refused.value.reasons} == {"mass_not_available"}


def test_parts_sum_to_the_whole_and_rates_round_half_up() -> None:
    assert apportion(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert ppm(14_910_000, 17_340_000) == 859_862
    assert STORY_OUTPUTS[0].mass_g == 9_620_000
