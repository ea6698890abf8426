"""From a processed batch to a signed certificate, with the figures of the story."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.certification import issuing, queries
from services.certification.custody import MadeOutput
from services.certification.errors import DocumentIsNotValid
from services.certification.issuing import Wanted
from services.certification.keys import signer
from services.certification.models import BatchClaim, ClaimAllocation
from services.kernel.database import Sessions
from services.kernel.errors import Blocked, Conflict, Forbidden, NotFound
from services.kernel.events import EventRow
from services.kernel.settings import Settings
from tests.factories.certification import (
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
from tests.factories.parties import organization


@pytest.fixture
async def at(sessions: Sessions) -> Plant:
    return await plant(sessions)


async def claims(at: Plant) -> tuple[int, int]:
    """Grams reserved and certified in all."""
    async with at.work() as work:
        rows = (await work.session.execute(select(BatchClaim))).scalars().all()
    return sum(row.reserved_g for row in rows), sum(row.certified_g for row in rows)


def codes(refused: pytest.ExceptionInfo[Blocked]) -> set[str]:
    return {reason.code for reason in refused.value.reasons}


async def test_a_final_operation_drafts_a_certificate_of_what_became_products(at: Plant) -> None:
    draft = await processed(at)

    assert (draft.type, draft.status, draft.holder_id) == ("recycling", "draft", at.recycler.org.id)
    assert (draft.input_g, draft.certified_g, draft.operation) == (17_340_000, 14_910_000, "R4")


async def test_submitting_reserves_the_products_and_issuing_certifies_them(at: Plant, settings: Settings) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    assert await claims(at) == (14_910_000, 0)

    await verified(at, draft.id, settings)
    assert await claims(at) == (0, 14_910_000)


async def test_the_statement_has_the_figures_of_the_story(at: Plant, settings: Settings) -> None:
    certificate = await issued(at, settings)

    async with at.work() as work:
        version = await queries.version(work, certificate.id, 1)
        document = (await queries.statement(work, version.statement_id)).document
    lines = {line["what"]: (line["kind"], Decimal(line["amount"])) for line in document["lines"]}
    assert lines == {
        "231 km by articulated lorry, goods and packaging": ("incurred", Decimal("398.1661068")),
        "steel": ("avoided", Decimal("10004.8")),
        "aluminium": ("avoided", Decimal("15023.5233085")),
    }
    assert document["lines"][0]["distance_kind"] == "declared"
    assert {entry["what"]: entry["quantity"] for entry in document["missing"]} == {
        "copper": "2.31",
        "plastics": "1.13",
        "downstream outputs": "0.93",
        "residue": "1.35",
        "plant energy": None,
        "energy": None,
        "water": None,
    }


async def test_a_distance_nobody_declared_is_estimated_and_says_so(at: Plant, settings: Settings) -> None:
    draft = await processed(at)
    await submitted(at, draft.id, distance_m=None)
    await verified(at, draft.id, settings)

    async with at.work() as work:
        version = await queries.version(work, draft.id, 1)
        line = (await queries.statement(work, version.statement_id)).document["lines"][0]
    assert (line["what"].split(" ")[0], line["distance_kind"]) == ("0", "estimated")


async def test_the_document_says_what_was_weighed_and_names_nobody_upstream(at: Plant, settings: Settings) -> None:
    certificate = await issued(at, settings)

    async with at.work() as work:
        version = await queries.version(work, certificate.id, 1)
        batches = await queries.batches_of(work, certificate.id)
    told = version.document.decode()
    recovery = json.loads(told)["credentialSubject"]["conformityAssessment"][0]["bh:recovery"]
    assert recovery["bh:input"] == {"bh:mass_g": 17_340_000, "bh:massMethod": "weighbridge"}
    assert (recovery["bh:operation"], recovery["bh:loss_g"]) == ("R4", 150_000)
    foreign = [
        at.seller.org.id,
        at.carrier.org.id,
        "Nordwerk",
        "Fulda",
        at.order_id,
        *(row.batch_id for row in batches),
    ]
    assert [name for name in foreign if name in told] == []


async def test_issuing_tells_which_orders_are_proven_and_what_the_impact_was(at: Plant, settings: Settings) -> None:
    certificate = await issued(at, settings)

    async with at.work() as work:
        query = select(EventRow).where(col(EventRow.subject_id) == certificate.id).order_by(col(EventRow.ordinal))
        told = {row.type: row for row in (await work.session.execute(query)).scalars()}
    assert list(told) == [
        "certificate.drafted",
        "certificate.submitted",
        "certificate.verification_started",
        "certificate.issued",
        "impact.stated",
    ]
    assert told["certificate.issued"].data["order_ids"] == [at.order_id]
    assert told["certificate.issued"].audience[at.seller.org.id] == "upstream"
    assert at.seller.org.id not in told["certificate.submitted"].audience
    assert told["impact.stated"].data["incurred"] == "398.1661068"


async def test_an_order_processed_in_parts_is_proven_by_the_last_part(at: Plant, settings: Settings) -> None:
    first, *others = await received(at)
    await record(at, make([first], [MadeOutput("steel", first.mass_g, "product")]))
    one = await draft_of(at)
    await submitted(at, one.id)
    await verified(at, one.id, settings)
    rest_g = sum(batch.mass_g for batch in others)
    await record(at, make(others, [MadeOutput("copper", rest_g, "product")]))
    two = await draft_of(at)
    await submitted(at, two.id)
    await verified(at, two.id, settings)

    async with at.work() as work:
        query = select(EventRow).where(col(EventRow.type) == "certificate.issued").order_by(col(EventRow.ordinal))
        proven = [row.data["order_ids"] for row in (await work.session.execute(query)).scalars()]
    assert proven == [[], [at.order_id]]


async def test_a_draft_without_evidence_or_verifier_is_told_both(at: Plant) -> None:
    draft = await processed(at)

    with pytest.raises(Blocked) as refused:
        await submitted(at, draft.id, evidence=(), verifier_id=None)

    assert codes(refused) == {"evidence_missing", "verifier_missing"}


async def test_a_mass_that_was_only_declared_supports_no_certificate(at: Plant) -> None:
    batches = await received(at, mass_method="declared")
    await record(at, make(batches, STORY_OUTPUTS, loss_g=150_000))

    with pytest.raises(Blocked) as refused:
        await submitted(at, (await draft_of(at)).id)

    assert codes(refused) == {"mass_not_weighed"}


async def test_an_interim_operation_certifies_nothing(at: Plant) -> None:
    batches = await received(at)
    await record(at, make(batches, [MadeOutput("mixed", 17_340_000, "residue")], operation="R12"))

    async with at.work(at.recycler) as work:
        wanted = Wanted(type="recycling", order_id=at.order_id)
        with pytest.raises(Conflict) as refused:
            await issuing.draft(work, wanted, by=at.recycler.actor)

    assert refused.value.code == "nothing_to_certify"


async def test_a_verifier_that_carried_the_goods_is_not_independent(at: Plant, sessions: Sessions) -> None:
    at.carrier = at.verifier = await organization(sessions, roles=["carrier", "verifier"], name="Beides")
    draft = await processed(at)

    with pytest.raises(Blocked) as refused:
        await submitted(at, draft.id)

    assert codes(refused) == {"verifier_not_independent"}


async def test_an_organization_that_is_no_verifier_is_refused(at: Plant, sessions: Sessions) -> None:
    at.verifier = await organization(sessions, roles=["broker"], name="Makler")
    draft = await processed(at)

    with pytest.raises(Blocked) as refused:
        await submitted(at, draft.id)

    assert codes(refused) == {"verifier_not_eligible"}


async def test_an_operation_supports_one_certificate_at_a_time(at: Plant) -> None:
    first = await processed(at)
    await submitted(at, first.id)
    async with at.work(at.recycler) as work:
        second = await issuing.draft(work, Wanted(type="recycling", order_id=at.order_id), by=at.recycler.actor)

    with pytest.raises(Blocked) as refused:
        await submitted(at, second.id)

    assert codes(refused) == {"mass_not_available"}


async def test_goods_certified_as_reused_are_not_certified_as_recycled_afterwards(
    at: Plant, settings: Settings
) -> None:
    batches = await received(at)
    async with at.work(at.recycler) as work:
        wanted = Wanted(type="reuse", batch_ids=(batches[0].id,))
        reuse = await issuing.draft(work, wanted, by=at.recycler.actor)
    await submitted(at, reuse.id)
    await verified(at, reuse.id, settings)
    event = await record(at, make(batches, STORY_OUTPUTS, loss_g=150_000))
    async with at.work(at.recycler) as work:
        wanted = Wanted(type="recycling", custody_event_ids=(event.id,))
        await issuing.draft(work, wanted, by=at.recycler.actor)

    with pytest.raises(Blocked) as refused:
        await submitted(at, (await draft_of(at)).id)

    assert codes(refused) == {"mass_not_available"}


async def test_a_reuse_certificate_returns_everything_to_service(at: Plant, settings: Settings) -> None:
    batches = await received(at)
    async with at.work(at.recycler) as work:
        draft = await issuing.draft(work, Wanted(type="reuse", order_id=at.order_id), by=at.recycler.actor)
    await submitted(at, draft.id)
    certificate = await verified(at, draft.id, settings)

    async with at.work() as work:
        told = json.loads((await queries.version(work, certificate.id, 1)).document)
        query = select(EventRow).where(col(EventRow.type) == "certificate.issued")
        event = (await work.session.execute(query)).scalar_one()
    assessment = told["credentialSubject"]["conformityAssessment"][0]
    assert {output["bh:outcome"] for output in assessment["bh:recovery"]["bh:outputs"]} == {"returned_to_service"}
    assert certificate.certified_g == sum(batch.mass_g for batch in batches) == 17_340_000
    assert event.data["order_ids"] == [at.order_id]


async def test_a_destruction_certificate_claims_what_went_in_and_was_not_given_on(
    at: Plant, settings: Settings
) -> None:
    batches = await received(at)
    outputs = [MadeOutput("residue", 2_000_000, "residue"), MadeOutput("steel", 340_000, "downstream")]
    await record(at, make(batches, outputs, loss_g=15_000_000, operation="D10", loss_reason="process"))
    draft = await draft_of(at)
    await submitted(at, draft.id)
    certificate = await verified(at, draft.id, settings)

    assert (certificate.type, certificate.input_g, certificate.certified_g) == ("destruction", 17_340_000, 17_000_000)
    assert await claims(at) == (0, 17_000_000)


async def test_asking_back_frees_the_mass_and_the_holder_may_submit_again(at: Plant, settings: Settings) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    async with at.work(at.verifier) as work:
        await issuing.take_up(work, draft.id, by=at.verifier.actor)
    async with at.work(at.verifier) as work:
        await issuing.query(work, draft.id, reason="Which scale?", by=at.verifier.actor)
    assert await claims(at) == (0, 0)

    await submitted(at, draft.id, evidence=())
    assert (await verified(at, draft.id, settings)).status == "issued"


async def test_a_refused_certificate_leaves_its_mass_to_another(at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    async with at.work(at.verifier) as work:
        await issuing.take_up(work, draft.id, by=at.verifier.actor)
    async with at.work(at.verifier) as work:
        await issuing.refuse(work, draft.id, reason="The ticket is another load's.", by=at.verifier.actor)
    async with at.work(at.recycler) as work:
        again = await issuing.draft(work, Wanted(type="recycling", order_id=at.order_id), by=at.recycler.actor)

    assert (await submitted(at, again.id)).status == "submitted"
    assert await claims(at) == (14_910_000, 0)


async def test_only_the_verifier_it_names_may_issue(at: Plant, settings: Settings) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)

    with pytest.raises(Forbidden):
        async with at.work(at.recycler) as work:
            await issuing.take_up(work, draft.id, by=at.recycler.actor)
    with pytest.raises(NotFound):
        async with at.work(at.carrier) as work:
            await issuing.take_up(work, draft.id, by=at.carrier.actor)


async def test_whoever_suspended_does_not_reinstate_and_another_person_makes_a_new_version(
    at: Plant, settings: Settings, sessions: Sessions
) -> None:
    certificate = await issued(at, settings)
    operator = await organization(sessions, roles=["operator"], name="Backhaul")
    async with at.work(at.verifier) as work:
        await issuing.suspend(work, certificate.id, reason="A doubt.", by=at.verifier.actor)
    signing = signer(settings, livemode=False)

    with pytest.raises(Blocked) as refused:
        async with at.work(at.verifier) as work:
            await issuing.reinstate(work, certificate.id, signing, by=at.verifier.actor)
    async with at.work(operator) as work:
        again = await issuing.reinstate(work, certificate.id, signing, by=operator.actor)

    assert codes(refused) == {"another_person_needed"}
    assert (again.status, again.number) == ("issued", 2)
    assert await claims(at) == (0, 14_910_000)


async def test_a_failed_issue_leaves_no_debit_behind(at: Plant, settings: Settings) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)
    async with at.work(at.verifier) as work:
        await issuing.take_up(work, draft.id, by=at.verifier.actor)
    unfit = replace(signer(settings, livemode=False), host="no host")

    with pytest.raises(DocumentIsNotValid):
        async with at.work(at.verifier) as work:
            await issuing.issue(work, draft.id, unfit, by=at.verifier.actor, check_version=lambda _: None)

    assert await claims(at) == (14_910_000, 0)
    assert (await at.certificate(draft.id)).status == "verifying"


async def test_claims_follow_the_products_and_never_the_residue(at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)

    async with at.work() as work:
        query = select(ClaimAllocation).where(col(ClaimAllocation.certificate_id) == draft.id)
        rows = (await work.session.execute(query)).scalars().all()
        batches = await queries.batches_in(work, [row.batch_id for row in rows])
    claimed = {batches[row.batch_id].material: row.mass_g for row in rows}
    assert claimed == {"steel": 9_620_000, "aluminium": 1_850_000, "copper": 2_310_000, "plastics": 1_130_000}


async def test_withdrawing_frees_the_mass(at: Plant) -> None:
    draft = await processed(at)
    await submitted(at, draft.id)

    async with at.work(at.recycler) as work:
        gone = await issuing.withdraw(work, draft.id, by=at.recycler.actor)

    assert gone.status == "withdrawn"
    assert await claims(at) == (0, 0)
