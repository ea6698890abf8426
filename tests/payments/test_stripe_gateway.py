"""Our gateway and Stripe's own library against the simulator, every request held against the library's contract."""

from datetime import UTC, datetime

import httpx
import pytest

from services.kernel.money import Money
from services.payments.gateway import Account, Gateway, GatewayRefused, GatewayUnavailable, Payment
from services.payments.simulator import Behaviour, build_simulator
from services.payments.stripe_gateway import StripeGateway, to_stripe
from tests.fakes.stripe_contract import Simulated, committed_surface, simulated_stripe


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


async def an_organization(stripe: Simulated, name: str = "Nordwerk") -> Account:
    return await stripe.gateway.create_account(
        op_key=f"account:{name}:1", name=name, country="DE", email="money@example.test", metadata_op=f"account:{name}"
    )


async def a_payee(stripe: Simulated, name: str = "Fulda") -> Account:
    organization = await an_organization(stripe, name)
    await stripe.do(f"accounts/{organization.id}/complete")
    return await stripe.gateway.account(organization.id)


async def a_confirmed_payment(stripe: Simulated, amount: Money, op: str = "ord_1:collect:1") -> Payment:
    payer = await an_organization(stripe, "Rheinkreis")
    payment = await stripe.gateway.create_payment(
        op_key=f"{op}:1", metadata_op=op, amount=amount, customer_account=payer.id, transfer_group="ord_1"
    )
    return await stripe.gateway.confirm_payment(op_key=f"{op}:1:confirm", intent_id=payment.id)


async def bank_transfer(stripe: Simulated, payment: Payment, amount: Money) -> None:
    assert payment.instructions is not None
    minor, currency = to_stripe(amount)
    reference = payment.instructions.reference
    await stripe.do("bank-transfers", reference=reference, amount=minor, currency=currency)


async def a_paid_payment(stripe: Simulated, amount: Money) -> Payment:
    payment = await a_confirmed_payment(stripe, amount)
    await bank_transfer(stripe, payment, amount)
    return await stripe.gateway.payment(payment.id)


async def transfer(
    stripe: Simulated, op: str, amount: Money, to: Account, source: str | None, generation: int = 1
) -> str:
    made = await stripe.gateway.create_transfer(
        op_key=f"{op}:{generation}",
        metadata_op=op,
        amount=amount,
        destination=to.id,
        source_charge=source,
        transfer_group="ord_1",
    )
    return made.id


async def refund(stripe: Simulated, op: str, amount: Money, payment: Payment) -> str:
    made = await stripe.gateway.create_refund(
        op_key=f"{op}:1", metadata_op=op, intent_id=payment.id, amount=amount, instructions_email="buyer@example.test"
    )
    return made.id


async def test_the_order_of_the_main_job_ends_with_118_81(simulated: Simulated) -> None:
    fulda, nordwerk = await a_payee(simulated, "Fulda"), await a_payee(simulated, "Nordwerk")
    paid = await a_paid_payment(simulated, eur("3101.00"))
    await transfer(simulated, "ord_1:transfer:1", eur("773.50"), fulda, paid.charge_id)
    await transfer(simulated, "ord_1:transfer:2", eur("1956.99"), nordwerk, paid.charge_id)
    await refund(simulated, "ord_1:refund:1", eur("203.50"), paid)
    await refund(simulated, "ord_1:refund:2", eur("43.20"), paid)

    assert paid.balance_transaction is not None
    assert (paid.balance_transaction.net, paid.balance_transaction.fee) == (eur("3096.00"), eur("5.00"))
    assert await simulated.gateway.balance() == {"EUR": eur("118.81").minor}
    movements = await simulated.gateway.balance_transactions()
    assert sum(each.net.minor for each in movements) == eur("118.81").minor
    assert [each.status for each in await simulated.gateway.find_refunds(paid.id)] == ["succeeded", "succeeded"]


async def test_a_new_payment_is_unconfirmed_and_collects_nothing(simulated: Simulated) -> None:
    payer = await an_organization(simulated)
    payment = await simulated.gateway.create_payment(
        op_key="p:1", metadata_op="p", amount=eur("10.00"), customer_account=payer.id, transfer_group="ord_1"
    )
    assert (payment.status, payment.instructions, payment.op) == ("requires_confirmation", None, "p")


async def test_a_confirmed_payment_tells_the_payer_where_to_send_how_much(simulated: Simulated) -> None:
    payment = await a_confirmed_payment(simulated, eur("3101.00"))
    assert payment.status == "requires_action"
    assert payment.instructions is not None
    assert payment.instructions.amount_remaining == eur("3101.00")
    iban = payment.instructions.iban
    assert int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


async def test_a_partial_bank_transfer_leaves_the_rest_to_be_paid(simulated: Simulated) -> None:
    payment = await a_confirmed_payment(simulated, eur("100.00"))
    await bank_transfer(simulated, payment, eur("60.00"))
    open_payment = await simulated.gateway.payment(payment.id)
    assert open_payment.instructions is not None
    assert (open_payment.status, open_payment.instructions.amount_remaining) == ("requires_action", eur("40.00"))
    assert await simulated.gateway.balance() == {}


async def test_what_is_paid_too_much_stays_in_the_cash_balance(simulated: Simulated) -> None:
    payment = await a_confirmed_payment(simulated, eur("100.00"))
    await bank_transfer(simulated, payment, eur("130.00"))
    assert (await simulated.gateway.payment(payment.id)).status == "succeeded"
    assert list((await simulated.state())["cash"].values()) == [eur("30.00").minor]


async def test_a_payment_out_of_the_cash_balance_succeeds_when_confirmed(simulated: Simulated) -> None:
    first = await a_confirmed_payment(simulated, eur("100.00"))
    await bank_transfer(simulated, first, eur("150.00"))
    second = await a_confirmed_payment(simulated, eur("50.00"), op="ord_1:collect:2")
    assert second.status == "succeeded"
    assert second.balance_transaction is not None


async def test_money_for_a_cancelled_payment_goes_back_to_the_cash_balance(simulated: Simulated) -> None:
    payment = await a_confirmed_payment(simulated, eur("100.00"))
    await bank_transfer(simulated, payment, eur("60.00"))
    cancelled = await simulated.gateway.cancel_payment(op_key="c:1", intent_id=payment.id)
    assert cancelled.status == "canceled"
    assert list((await simulated.state())["cash"].values()) == [eur("60.00").minor]


async def test_a_succeeded_payment_cannot_be_cancelled(simulated: Simulated) -> None:
    paid = await a_paid_payment(simulated, eur("100.00"))
    with pytest.raises(GatewayRefused) as refused:
        await simulated.gateway.cancel_payment(op_key="c:1", intent_id=paid.id)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_a_second_confirm_is_refused(simulated: Simulated) -> None:
    payment = await a_confirmed_payment(simulated, eur("100.00"))
    with pytest.raises(GatewayRefused) as refused:
        await simulated.gateway.confirm_payment(op_key="another:confirm", intent_id=payment.id)
    assert (refused.value.code, refused.value.kind) == ("payment_intent_unexpected_state", "permanent")


async def test_payments_are_found_by_account_group_and_time(simulated: Simulated) -> None:
    payment = await a_confirmed_payment(simulated, eur("100.00"))
    found = await simulated.gateway.find_payments(
        customer_account=payment.customer_account,
        transfer_group="ord_1",
        created_after=datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert [(each.id, each.op) for each in found] == [(payment.id, "ord_1:collect:1")]
    assert await simulated.gateway.find_payments(transfer_group="ord_2") == []


async def test_one_key_used_twice_is_one_effect(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    first = await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id) == first
    assert await simulated.effects("t") == {"transfer": 1}


async def test_one_key_with_two_amounts_is_refused(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    with pytest.raises(GatewayRefused) as refused:
        await transfer(simulated, "t", eur("11.00"), fulda, paid.charge_id)
    assert (refused.value.code, refused.value.kind) == ("idempotency_error", "permanent")


async def test_an_effect_whose_answer_was_lost_is_found_by_its_operation(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await simulated.do("faults", operation="POST /v1/transfers", kind="drop", times=1)
    await simulated.do("faults", operation="POST /v1/transfers", kind="rate_limit", times=-1)
    await simulated.do("key-lifetime", seconds=0)
    with pytest.raises(GatewayUnavailable) as unavailable:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert not unavailable.value.is_server_error
    assert [each.op for each in await simulated.gateway.find_transfers("ord_1")] == ["t"]
    assert await simulated.effects("t") == {"transfer": 1}


async def test_a_dropped_answer_is_repeated_to_the_same_key(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await simulated.do("faults", operation="POST /v1/transfers", kind="drop")
    await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert await simulated.effects("t") == {"transfer": 1}


async def test_a_server_error_before_the_effect_sticks_to_its_key_until_the_next_generation(
    simulated: Simulated,
) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await simulated.do("faults", operation="POST /v1/transfers", kind="error_before")
    with pytest.raises(GatewayUnavailable) as first:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    with pytest.raises(GatewayUnavailable) as repeated:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert (first.value.is_server_error, repeated.value.is_server_error) == (True, True)
    assert await simulated.gateway.find_transfers("ord_1") == []
    await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id, generation=2)
    assert await simulated.effects("t") == {"transfer": 1}


async def test_a_server_error_after_the_effect_hides_a_transfer_that_a_read_finds(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await simulated.do("faults", operation="POST /v1/transfers", kind="error_after")
    with pytest.raises(GatewayUnavailable) as unavailable:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert unavailable.value.is_server_error
    assert [each.op for each in await simulated.gateway.find_transfers("ord_1")] == ["t"]


@pytest.mark.parametrize("fault", ["conflict", "rate_limit"])
async def test_a_busy_stripe_leaves_the_outcome_open_and_keeps_no_answer(simulated: Simulated, fault: str) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await simulated.do("faults", operation="POST /v1/transfers", kind=fault, times=2)
    with pytest.raises(GatewayUnavailable) as unavailable:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert not unavailable.value.is_server_error
    await simulated.hand.delete("/_simulator/faults")
    await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)


async def test_a_stripe_that_cannot_be_reached_is_unavailable() -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    gateway = StripeGateway("sk_test_x", http_client=httpx.AsyncClient(transport=httpx.MockTransport(refused)))
    with pytest.raises(GatewayUnavailable):
        await gateway.create_transfer(
            op_key="t:1",
            metadata_op="t",
            amount=eur("1.00"),
            destination="acct_1",
            source_charge="ch_1",
            transfer_group="ord_1",
        )
    await gateway.close()


async def test_an_answer_that_is_no_json_is_unavailable() -> None:
    page = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    gateway = StripeGateway("sk_test_x", http_client=httpx.AsyncClient(transport=page))
    with pytest.raises(GatewayUnavailable):
        await gateway.confirm_payment(op_key="p:1:confirm", intent_id="pi_1")
    await gateway.close()


async def test_a_restricted_payee_is_refused_and_its_key_keeps_the_refusal(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await simulated.do(f"accounts/{fulda.id}/restrict")
    with pytest.raises(GatewayRefused) as refused:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    await simulated.do(f"accounts/{fulda.id}/complete")
    with pytest.raises(GatewayRefused) as repeated:
        await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    assert (refused.value.kind, repeated.value.kind) == ("account_restricted", "account_restricted")
    await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id, generation=2)


async def test_a_transfer_without_a_charge_needs_available_balance(simulated: Simulated) -> None:
    fulda = await a_payee(simulated)
    await a_paid_payment(simulated, eur("100.00"))
    await transfer(simulated, "within", eur("95.00"), fulda, None)
    with pytest.raises(GatewayRefused) as refused:
        await transfer(simulated, "beyond", eur("0.01"), fulda, None)
    assert refused.value.kind == "insufficient_balance"


async def test_transfers_never_exceed_their_charge(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await transfer(simulated, "most", eur("99.00"), fulda, paid.charge_id)
    with pytest.raises(GatewayRefused) as refused:
        await transfer(simulated, "beyond", eur("1.01"), fulda, paid.charge_id)
    assert refused.value.kind == "permanent"


async def test_refunds_never_exceed_what_is_unrefunded(simulated: Simulated) -> None:
    paid = await a_paid_payment(simulated, eur("100.00"))
    await refund(simulated, "r1", eur("60.00"), paid)
    with pytest.raises(GatewayRefused):
        await refund(simulated, "r2", eur("40.01"), paid)


async def test_a_refund_succeeds_when_its_time_has_come() -> None:
    async with simulated_stripe(build_simulator(behaviour=Behaviour(refund_delay=3600))) as stripe:
        paid = await a_paid_payment(stripe, eur("100.00"))
        made = await refund(stripe, "r", eur("60.00"), paid)
        assert (await stripe.gateway.refund(made)).status == "pending"
        await stripe.do("clock", advance_seconds=3600)
        assert (await stripe.gateway.refund(made)).status == "succeeded"


async def test_a_failed_refund_brings_the_money_back(simulated: Simulated) -> None:
    paid = await a_paid_payment(simulated, eur("100.00"))
    made = await refund(simulated, "r", eur("60.00"), paid)
    await simulated.do(f"refunds/{made}/fail")
    failed = await simulated.gateway.refund(made)
    assert failed.status == "failed"
    assert failed.failure_balance_transaction is not None
    returned = await simulated.gateway.balance_transaction(failed.failure_balance_transaction)
    assert (returned.type, returned.net) == ("refund_failure", eur("60.00"))
    assert await simulated.gateway.balance() == {"EUR": eur("95.00").minor}


async def test_a_transfer_is_reversed_as_far_as_the_payee_has_the_money(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    made = await transfer(simulated, "t", eur("90.00"), fulda, paid.charge_id)
    back = await simulated.gateway.reverse_transfer(
        op_key="v:1", metadata_op="v", transfer_id=made, amount=eur("30.00")
    )
    await simulated.do(f"accounts/{fulda.id}/drain")
    with pytest.raises(GatewayRefused) as refused:
        await simulated.gateway.reverse_transfer(op_key="w:1", metadata_op="w", transfer_id=made, amount=eur("0.01"))
    assert refused.value.kind == "insufficient_balance"
    assert [each.id for each in await simulated.gateway.find_reversals(made)] == [back.id]
    assert (await simulated.gateway.find_transfers("ord_1"))[0].amount_reversed == eur("30.00")


async def test_a_charge_is_posted_only_once_stripe_has_booked_it() -> None:
    async with simulated_stripe(build_simulator(behaviour=Behaviour(booking_delay=60))) as stripe:
        fresh = await a_paid_payment(stripe, eur("100.00"))
        assert (fresh.status, fresh.balance_transaction) == ("succeeded", None)
        await stripe.do("clock", advance_seconds=60)
        booked = await stripe.gateway.payment(fresh.id)
        assert booked.balance_transaction is not None


async def test_pending_money_counts_in_the_balance_but_pays_nobody_until_it_is_available() -> None:
    async with simulated_stripe(build_simulator(behaviour=Behaviour(available_delay=60))) as stripe:
        fulda = await a_payee(stripe)
        await a_paid_payment(stripe, eur("100.00"))
        assert await stripe.gateway.balance() == {"EUR": eur("95.00").minor}
        with pytest.raises(GatewayRefused) as refused:
            await transfer(stripe, "t", eur("10.00"), fulda, None)
        assert refused.value.kind == "insufficient_balance"
        await stripe.do("clock", advance_seconds=60)
        await transfer(stripe, "t", eur("10.00"), fulda, None, generation=2)


async def test_a_new_account_waits_for_its_onboarding(simulated: Simulated) -> None:
    created = await an_organization(simulated)
    assert created.transfers_status == "restricted"
    assert created.requirements != []
    link = await simulated.gateway.account_link(created.id, "http://app.test/refresh", "http://app.test/return")
    await simulated.hand.get(link)
    onboarded = await simulated.gateway.account(created.id)
    assert (onboarded.transfers_status, onboarded.requirements) == ("active", [])


async def test_an_onboarding_link_works_once(simulated: Simulated) -> None:
    created = await an_organization(simulated)
    link = await simulated.gateway.account_link(created.id, "http://app.test/refresh", "http://app.test/return")
    assert (await simulated.hand.get(link)).status_code == 200
    assert (await simulated.hand.get(link)).headers["location"] == "http://app.test/refresh"


async def test_more_than_a_page_of_transfers_is_found(simulated: Simulated) -> None:
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("200.00"))
    made = [await transfer(simulated, f"t{n}", eur("1.00"), fulda, paid.charge_id) for n in range(105)]
    found = await simulated.gateway.find_transfers("ord_1")
    assert [each.id for each in found] == made[::-1]


async def test_the_surface_we_ask_of_stripe_is_the_committed_one(simulated: Simulated) -> None:
    """A new call or parameter shows in the diff of stripe_surface.txt: rerun with UPDATE_STRIPE_SURFACE=1."""
    gateway: Gateway = simulated.gateway
    fulda, paid = await a_payee(simulated), await a_paid_payment(simulated, eur("100.00"))
    await gateway.account_link(fulda.id, "http://app.test/refresh", "http://app.test/return")
    made = await transfer(simulated, "t", eur("10.00"), fulda, paid.charge_id)
    await gateway.reverse_transfer(op_key="v:1", metadata_op="v", transfer_id=made, amount=eur("1.00"))
    await gateway.refund(await refund(simulated, "r", eur("1.00"), paid))
    waiting = await a_confirmed_payment(simulated, eur("1.00"), op="ord_1:collect:2")
    await gateway.cancel_payment(op_key="c:1", intent_id=waiting.id)
    since = datetime(2020, 1, 1, tzinfo=UTC)
    await gateway.find_payments(customer_account=paid.customer_account, created_after=since)
    await gateway.find_transfers("ord_1")
    await gateway.find_reversals(made)
    await gateway.find_refunds(paid.id)
    await gateway.balance()
    movements = await gateway.balance_transactions(since)
    await gateway.balance_transaction(movements[0].id)
    seen = simulated.contract.surface()
    assert committed_surface(seen) == seen
