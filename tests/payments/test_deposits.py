"""A deposit's money: whatever happens to a worker, an answer or a message, it is collected once and leaves once."""

import random
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.kernel.http.routing import Runtime
from services.kernel.ids import BidId, DepositId, ListingId
from services.kernel.money import Money
from services.payments import queries, reconciliation
from services.payments.deposits import asking, ending
from services.payments.gateway import GatewayRefused, GatewayUnavailable
from services.payments.models import Deposit
from services.payments.operations import running
from tests.factories.parties import Party, organization
from tests.factories.payments import Till, open_till, provider
from tests.fakes.gateway import FaultyGateway, Killed

AMOUNT = Money.of("500.00", "EUR")
BROKEN = BidId.new()


@pytest_asyncio.fixture
async def till(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Till]:
    async with provider(runtime, client) as stripe:
        yield await open_till(runtime, stripe)


@pytest.fixture
def faulty(till: Till) -> FaultyGateway:
    gateway = FaultyGateway(till.stripe.gateway)
    till.runtime.resources["gateway"] = gateway
    return gateway


async def asked(till: Till, bidder: Party | None = None) -> DepositId:
    bidder = bidder or till.buyer
    async with till.work() as work:
        deposit = await asking.ask(
            work, listing_id=ListingId.new(), seller_id=till.seller.org.id, bidder_id=bidder.org.id, amount=AMOUNT
        )
    return deposit.id


async def read(till: Till, deposit_id: DepositId) -> Deposit:
    async with till.work() as work:
        return await queries.deposit_for_update(work, deposit_id)


async def paid(till: Till, deposit_id: DepositId) -> None:
    instructions = (await read(till, deposit_id)).instructions
    assert instructions is not None
    await till.stripe.do("bank-transfers", reference=instructions["reference"], amount=AMOUNT.minor, currency="eur")


async def secured(till: Till) -> DepositId:
    deposit_id = await asked(till)
    await till.come_to_rest()
    await paid(till, deposit_id)
    await till.come_to_rest()
    assert (await read(till, deposit_id)).status == "secured"
    return deposit_id


async def end(till: Till, deposit_id: DepositId, how: str) -> None:
    async with till.work() as work:
        deposit = await queries.deposit_for_update(work, deposit_id)
        if how == "release":
            await ending.release(work, deposit)
        elif how == "forfeit":
            await ending.forfeit(work, deposit, BROKEN)
        else:
            await asking.call_off(work, deposit)


async def operate(till: Till, name: str) -> None:
    """What the job does, whether it is due or not."""
    async with till.work() as work:
        await work.session.execute(
            text("UPDATE stripe_operation SET not_before = NULL WHERE name = :name"), {"name": name}
        )
    await running.operate(till.tools, {"operation_id": name, "livemode": False})


async def status_of(till: Till, name: str) -> str:
    async with till.work() as work:
        return (await queries.operation(work, name)).status


async def agrees(till: Till) -> bool:
    """Our books with the provider's, to the cent."""
    async with till.work() as work:
        return (await reconciliation.compare(work, till.stripe.gateway)).agrees


LEAVES = {"release": ("refund", "create_refund"), "forfeit": ("transfer", "create_transfer")}


@pytest.mark.parametrize("how", ["release", "forfeit"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_around_the_effect_the_money_leaves_once(
    till: Till, faulty: FaultyGateway, how: str, moment: str
) -> None:
    deposit_id = await secured(till)
    await end(till, deposit_id, how)
    kind, method = LEAVES[how]
    name = f"{deposit_id}:{kind}:1"
    getattr(faulty, moment)[method] = Killed()
    with pytest.raises(Killed):
        await operate(till, name)
    assert await status_of(till, name) == "sending"
    await operate(till, name)
    assert await status_of(till, name) == "done"
    assert await till.stripe.effects(name) == {kind: 1}
    assert (await read(till, deposit_id)).paid_at is not None
    assert await agrees(till)


@pytest.mark.parametrize("method", ["create_payment", "confirm_payment"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_in_either_phase_the_bidder_is_asked_once(
    till: Till, faulty: FaultyGateway, method: str, moment: str
) -> None:
    deposit_id = await asked(till)
    name = f"{deposit_id}:collect:1"
    getattr(faulty, moment)[method] = Killed()
    with pytest.raises(Killed):
        await operate(till, name)
    await operate(till, name)
    assert await till.stripe.effects(name) == {"payment_intent": 1}
    assert (await read(till, deposit_id)).instructions is not None


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_while_it_is_called_off_it_ends_unpaid(till: Till, faulty: FaultyGateway, moment: str) -> None:
    deposit_id = await asked(till)
    await till.come_to_rest()
    await end(till, deposit_id, "call_off")
    getattr(faulty, moment)["cancel_payment"] = Killed()
    with pytest.raises(Killed):
        await operate(till, f"{deposit_id}:call_off:1")
    await operate(till, f"{deposit_id}:call_off:1")
    await till.come_to_rest()
    assert (await read(till, deposit_id)).status == "called_off"
    assert await till.balances() == {}


async def test_what_the_provider_was_never_asked_for_is_called_off_at_once(till: Till) -> None:
    deposit_id = await asked(till)
    await end(till, deposit_id, "call_off")
    await till.come_to_rest()
    assert (await read(till, deposit_id)).status == "called_off"
    assert await till.stripe.effects(f"{deposit_id}:collect:1") == {}


async def test_a_collection_the_provider_has_created_but_nobody_knows_is_found_and_called_off(
    till: Till, faulty: FaultyGateway
) -> None:
    deposit_id = await asked(till)
    faulty.after["create_payment"] = GatewayUnavailable("no answer")
    await operate(till, f"{deposit_id}:collect:1")
    assert (await read(till, deposit_id)).intent_id is None
    await end(till, deposit_id, "call_off")
    await till.come_to_rest()
    assert (await read(till, deposit_id)).status == "called_off"
    assert await status_of(till, f"{deposit_id}:collect:1") == "withdrawn"


async def test_a_bidder_the_provider_refuses_is_told_and_may_ask_again(till: Till, faulty: FaultyGateway) -> None:
    deposit_id = await asked(till)
    faulty.before["create_payment"] = GatewayRefused("customer_blocked", "no")
    await operate(till, f"{deposit_id}:collect:1")
    failed = await read(till, deposit_id)
    assert (failed.status, failed.problem) == ("failed", "customer_blocked")


async def test_a_seller_that_cannot_be_paid_yet_is_paid_when_it_can(till: Till, runtime: Runtime) -> None:
    till.seller = await organization(runtime.sessions, name="Ohnekonto GmbH")
    deposit_id = await secured(till)
    await end(till, deposit_id, "forfeit")
    await till.come_to_rest()
    waiting = await read(till, deposit_id)
    assert (waiting.status, waiting.problem, waiting.paid_at) == ("forfeited", "account_restricted", None)
    await till.activate(till.seller)
    arrived = await read(till, deposit_id)
    assert (arrived.problem, arrived.paid_at is None) == (None, False)
    assert await agrees(till)


async def test_a_refund_that_comes_back_is_due_again_and_says_why(till: Till) -> None:
    deposit_id = await secured(till)
    await end(till, deposit_id, "release")
    await till.come_to_rest()
    refund_id = (await read(till, deposit_id)).paid_id
    await till.stripe.do(f"refunds/{refund_id}/fail")
    await till.come_to_rest()
    failed = await read(till, deposit_id)
    assert (failed.status, failed.paid_at, failed.problem is None) == ("released", None, False)
    assert (await till.balances())["refund_due:buyer"] == -AMOUNT
    assert await agrees(till)


@pytest.mark.parametrize("seed", range(6))
async def test_in_any_order_each_deposit_ends_once_and_no_money_is_lost(till: Till, seed: int) -> None:
    """Messages twice and shuffled, workers early and late, decisions at any moment."""
    chance = random.Random(seed)
    await till.stripe.do("events", duplicated=0.6, shuffled=True)
    deposits = [await asked(till) for _ in range(5)]
    for _ in range(40):
        await _something(till, chance, chance.choice(deposits))
    for deposit_id in deposits:
        status = (await read(till, deposit_id)).status
        if status == "pending":
            await end(till, deposit_id, "call_off")
    await till.come_to_rest()
    for deposit_id in deposits:
        if (await read(till, deposit_id)).status == "secured":
            await end(till, deposit_id, chance.choice(["release", "forfeit"]))
    for _ in range(3):
        await till.come_to_rest()
    await _must_have_ended(till, deposits)


async def _something(till: Till, chance: random.Random, deposit_id: DepositId) -> None:
    known = await read(till, deposit_id)
    what = chance.choice(["pay", "work", "deliver", "decide", "decide"])
    if what == "pay" and known.instructions is not None and known.status in ("pending", "calling_off"):
        await paid(till, deposit_id)
    elif what == "work":
        await till.settle()
    elif what == "deliver":
        await till.stripe.do("deliver")
    elif what == "decide" and known.status == "secured":
        await end(till, deposit_id, chance.choice(["release", "forfeit"]))
    elif what == "decide" and known.status == "pending" and chance.random() < 0.2:
        await end(till, deposit_id, "call_off")


_ENDS = text(
    "SELECT count(*) FROM event WHERE subject_id = :id AND type IN ('deposit.released', 'deposit.forfeited',"
    " 'deposit.called_off', 'deposit.failed')"
)
_EFFECT_OF = {"released": "refund", "forfeited": "transfer"}


async def _must_have_ended(till: Till, deposits: list[DepositId]) -> None:
    for deposit_id in deposits:
        deposit = await read(till, deposit_id)
        assert deposit.status in ("released", "forfeited", "called_off")
        effects = {kind: await till.stripe.effects(f"{deposit_id}:{kind}:1") for kind in ("refund", "transfer")}
        done = _EFFECT_OF.get(deposit.status)
        assert {kind for kind, found in effects.items() if found} == ({done} if done else set())
        assert all(set(found.values()) <= {1} for found in effects.values())
        async with till.work() as work:
            assert (await work.session.execute(_ENDS, {"id": deposit_id})).scalar_one() == 1
    left = await till.balances()
    assert set(left) <= {"stripe_balance", "stripe_fee"}
    assert sum(money.minor for money in left.values()) == 0
    assert await agrees(till)
