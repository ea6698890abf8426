"""The outbox: whatever happens to a worker or to an answer, each effect happens once and is recorded once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.jobs import TryAgain
from services.kernel.money import Money
from services.payments import collecting, queries, settling
from services.payments.gateway import GatewayRefused, GatewayUnavailable
from services.payments.models import Deal, StripeOperation
from services.payments.operations import running
from services.payments.operations.locks import alone
from tests.conftest import Race
from tests.factories.parties import organization
from tests.factories.payments import Till, open_till, provider, run_next_job, terms
from tests.fakes.gateway import FaultyGateway, Killed

LOST = GatewayUnavailable("no answer")
ERROR_500 = GatewayUnavailable("500", is_server_error=True)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest_asyncio.fixture
async def till(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Till]:
    async with provider(runtime, client) as stripe:
        yield await open_till(runtime, stripe)


@pytest.fixture
def faulty(till: Till) -> FaultyGateway:
    gateway = FaultyGateway(till.stripe.gateway)
    till.runtime.resources["gateway"] = gateway
    return gateway


async def operation(till: Till, name: str) -> StripeOperation:
    async with till.work() as work:
        return await queries.operation(work, name)


async def operate(till: Till, name: str) -> None:
    """What the job does, whether it is due or not."""
    async with till.work() as work:
        await work.session.execute(
            text("UPDATE stripe_operation SET not_before = NULL WHERE name = :name"), {"name": name}
        )
    await running.operate(till.tools, {"operation_id": name, "livemode": False})


async def settled(till: Till) -> Deal:
    """Held, then settled for less than agreed: one transfer and one refund are intended, none is made yet."""
    deal = await till.hold(terms(till, goods=eur("1000.00")))
    async with till.work() as work:
        await settling.settle(work, order_id=deal.order_id, accepted=eur("900.00"), contested=eur("0.00"))
    return deal


EFFECT = {"transfer": "create_transfer", "refund": "create_refund"}


@pytest.mark.parametrize("kind", ["transfer", "refund"])
async def test_killed_between_effect_and_record_nothing_doubles(till: Till, faulty: FaultyGateway, kind: str) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:{kind}:1"
    faulty.after[EFFECT[kind]] = Killed()
    with pytest.raises(Killed):
        await operate(till, name)
    assert (await operation(till, name)).status == "sending"

    await operate(till, name)
    assert (await operation(till, name)).status == "done"
    assert faulty.calls.count(EFFECT[kind]) == 1
    assert await till.stripe.effects(name) == {kind: 1}


@pytest.mark.parametrize("kind", ["transfer", "refund"])
async def test_killed_between_claim_and_effect_it_happens_on_the_second_run(
    till: Till, faulty: FaultyGateway, kind: str
) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:{kind}:1"
    faulty.before[EFFECT[kind]] = Killed()
    with pytest.raises(Killed):
        await operate(till, name)
    await operate(till, name)
    assert await till.stripe.effects(name) == {kind: 1}
    assert set(faulty.keys_of(name)) == {f"{name}:1"}


async def agreed(till: Till) -> str:
    """The name of an operation that is to collect and has not been tried."""
    async with till.work() as work:
        deal = await collecting.agree(work, terms(till, goods=eur("1000.00")))
    return f"{deal.order_id}:collect:1"


@pytest.mark.parametrize("method", ["create_payment", "confirm_payment"])
async def test_killed_in_either_phase_of_collecting_the_payer_is_asked_once(
    till: Till, faulty: FaultyGateway, method: str
) -> None:
    name = await agreed(till)
    faulty.after[method] = Killed()
    with pytest.raises(Killed):
        await operate(till, name)
    await operate(till, name)
    assert (await operation(till, name)).status == "done"
    assert await till.stripe.effects(name) == {"payment_intent": 1}
    assert faulty.calls.count("confirm_payment") == 1


async def test_an_expired_key_is_no_danger_because_the_second_attempt_reads_first(
    till: Till, faulty: FaultyGateway
) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:transfer:1"
    faulty.after["create_transfer"] = LOST
    await operate(till, name)
    await till.stripe.do("clock", advance_seconds=3 * 24 * 3600)
    await operate(till, name)
    assert await till.stripe.effects(name) == {"transfer": 1}


async def test_after_a_500_without_effect_the_generation_rises(till: Till, faulty: FaultyGateway) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:transfer:1"
    faulty.before["create_transfer"] = ERROR_500
    await operate(till, name)
    waiting = await operation(till, name)
    assert (waiting.status, waiting.generation, waiting.is_key_spent) == ("pending", 1, True)
    await operate(till, name)
    assert faulty.keys_of(name) == [f"{name}:1", f"{name}:2"]
    assert (await operation(till, name)).status == "done"


async def test_after_a_500_with_effect_the_effect_is_found(till: Till, faulty: FaultyGateway) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:transfer:1"
    faulty.after["create_transfer"] = ERROR_500
    await operate(till, name)
    await operate(till, name)
    assert faulty.keys_of(name) == [f"{name}:1"]
    assert await till.stripe.effects(name) == {"transfer": 1}


async def test_an_operation_unresolved_for_a_day_goes_on_under_a_new_key(till: Till, faulty: FaultyGateway) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:transfer:1"
    faulty.before["create_transfer"] = LOST
    await operate(till, name)
    async with till.work() as work:
        (await queries.operation_for_update(work, name)).first_attempt_at = work.now - timedelta(hours=24)
    await operate(till, name)
    assert faulty.keys_of(name) == [f"{name}:1", f"{name}:2"]


async def test_a_lost_answer_puts_the_operation_off(till: Till, faulty: FaultyGateway) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:transfer:1"
    faulty.before["create_transfer"] = LOST
    await operate(till, name)
    waiting = await operation(till, name)
    assert (waiting.status, waiting.attempts, waiting.last_error) == ("pending", 1, "no answer")
    assert waiting.not_before is not None
    await running.operate(till.tools, {"operation_id": name, "livemode": False})
    assert faulty.calls.count("create_transfer") == 1


async def test_a_refusal_for_good_is_left_to_a_person_and_told_to_the_payee(till: Till, faulty: FaultyGateway) -> None:
    deal = await settled(till)
    name = f"{deal.order_id}:transfer:1"
    faulty.before["create_transfer"] = GatewayRefused("idempotency_error", "another body")
    await operate(till, name)
    assert (await operation(till, name)).status == "failed_permanent"
    assert await reasons_of_blocked_transfers(till) == ["idempotency_error"]


async def test_a_payer_the_provider_refuses_fails_the_collection(till: Till, faulty: FaultyGateway) -> None:
    name = await agreed(till)
    faulty.before["create_payment"] = GatewayRefused("customer_blocked", "no")
    await operate(till, name)
    assert (await till.deal(name.partition(":")[0])).status == "collect_failed"


async def reasons_of_blocked_transfers(till: Till) -> list[str]:
    async with till.work() as work:
        rows = await work.session.execute(
            text("SELECT data FROM event WHERE type = 'transfer.blocked' ORDER BY ordinal")
        )
        return [row.data["reason"] for row in rows]


async def test_a_transfer_to_a_restricted_payee_waits_and_is_woken_by_payouts_enabled(till: Till) -> None:
    deal = await till.hold(terms(till, goods=eur("1000.00")))
    account = await till.account_id(till.seller)
    await till.stripe.do(f"accounts/{account}/restrict")
    await till.come_to_rest()
    async with till.work() as work:
        await settling.settle(work, order_id=deal.order_id, accepted=eur("1000.00"), contested=eur("0.00"))
    await till.come_to_rest()
    blocked = await operation(till, f"{deal.order_id}:transfer:1")
    assert (blocked.status, blocked.blocked_reason) == ("blocked", "account_restricted")
    assert await reasons_of_blocked_transfers(till) == ["account_restricted"]
    assert (await till.deal(deal.order_id)).status == "settling"

    await till.stripe.do(f"accounts/{account}/complete")
    await till.come_to_rest()
    assert (await till.deal(deal.order_id)).status == "closed"


async def test_a_payee_without_any_account_blocks_its_transfer_until_it_has_one(runtime: Runtime, till: Till) -> None:
    till.seller = await organization(runtime.sessions, name="Ohnekonto GmbH")
    deal = await till.hold(terms(till, goods=eur("1000.00")))
    async with till.work() as work:
        await settling.settle(work, order_id=deal.order_id, accepted=eur("1000.00"), contested=eur("0.00"))
    await till.come_to_rest()
    assert (await operation(till, f"{deal.order_id}:transfer:1")).status == "blocked"
    await till.activate(till.seller)
    assert (await till.deal(deal.order_id)).status == "closed"


async def test_what_the_provider_refuses_for_lack_of_funds_is_tried_again_after_a_day(
    till: Till, faulty: FaultyGateway
) -> None:
    deal = await settled(till)
    faulty.before["create_transfer"] = GatewayRefused("balance_insufficient", "later", kind="insufficient_balance")
    await till.come_to_rest()
    name = f"{deal.order_id}:transfer:1"
    assert (await operation(till, name)).blocked_reason == "insufficient_balance"
    async with till.work() as work:
        await work.session.execute(text("UPDATE test_clock SET offset_seconds = offset_seconds + 90000"))
    await till.come_to_rest()
    assert (await till.deal(deal.order_id)).status == "closed"
    assert faulty.keys_of(name)[-1] == f"{name}:2"


async def test_a_cancelled_collection_that_was_in_flight_is_found_and_called_off(
    till: Till, faulty: FaultyGateway
) -> None:
    name = await agreed(till)
    faulty.after["create_payment"] = Killed()
    with pytest.raises(Killed):
        await operate(till, name)
    order_id = name.partition(":")[0]
    async with till.work() as work:
        await collecting.cancel(work, order_id=order_id)
    await till.come_to_rest()
    assert (await till.deal(order_id)).status == "cancelled"
    assert await till.balances() == {}


async def test_money_that_arrives_during_the_cancellation_goes_back_in_full(till: Till) -> None:
    deal = await till.agree(terms(till, goods=eur("1000.00")))
    async with till.work() as work:
        payment = (await queries.payments_of(work, deal.id))[0]
    assert payment.instructions is not None
    await till.stripe.do("bank-transfers", reference=payment.instructions["reference"], amount=100_000, currency="eur")
    async with till.work() as work:
        await collecting.cancel(work, order_id=deal.order_id)
    await till.come_to_rest()
    assert (await till.deal(deal.order_id)).status == "cancelled"
    assert await till.balances() == {"stripe_balance": eur("-5.00"), "stripe_fee": eur("5.00")}


async def test_a_refund_that_fails_is_due_again_and_keeps_the_deal_open(till: Till) -> None:
    deal = await settled(till)
    await till.come_to_rest()
    async with till.work() as work:
        refund = (await queries.refunds_of(work, deal.id))[0]
    await till.stripe.do(f"refunds/{refund.stripe_id}/fail")
    await till.come_to_rest()
    assert (await till.balances())["refund_due:buyer"] == eur("-100.00")


async def test_one_attempt_is_in_flight_per_subject(race: Race) -> None:
    async with alone(race.sessions, "trf_1"):
        with pytest.raises(TryAgain):
            await take(race.sessions, "trf_1")
        await take(race.sessions, "trf_2")
    await take(race.sessions, "trf_1")


async def take(sessions: Sessions, subject_id: str) -> None:
    async with alone(sessions, subject_id):
        pass


async def test_a_worker_that_dies_frees_its_subject(race: Race) -> None:
    with pytest.raises(Killed):
        async with alone(race.sessions, "trf_1"):
            raise Killed
    await take(race.sessions, "trf_1")


@pytest.mark.race
async def test_three_workers_at_once_pay_once(race: Race) -> None:
    async with provider(race.runtime, race.client) as stripe:
        till = await open_till(race.runtime, stripe)
        deal = await settled(till)
        names = [f"{deal.order_id}:transfer:1", f"{deal.order_id}:refund:1"]
        await asyncio.gather(*(work_off(till, name) for name in names for _ in range(3)))
        while await run_next_job(till.tools, is_impatient=True):
            pass
        await till.come_to_rest()
        assert [await stripe.effects(name) for name in names] == [{"transfer": 1}, {"refund": 1}]
        assert (await till.deal(deal.order_id)).status == "closed"


async def work_off(till: Till, name: str) -> None:
    try:
        await running.operate(till.tools, {"operation_id": name, "livemode": False})
    except TryAgain:
        await asyncio.sleep(0.05)
        await work_off(till, name)
