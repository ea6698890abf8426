"""Deals from the terms to the last cent, against the simulated provider."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.kernel.errors import TransitionNotPossible
from services.kernel.http.routing import Runtime
from services.kernel.money import CURRENCIES, Money
from services.payments import collecting, paying_out, queries, reconciliation, settling
from services.payments.errors import HaulageAboveCeiling, HoldIsShort, NothingContested, WrongDirection
from services.payments.terms import DealTerms
from tests.factories.parties import organization
from tests.factories.payments import Till, open_till, provider, terms

ZERO = Money.zero("EUR")


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest_asyncio.fixture
async def till(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Till]:
    async with provider(runtime, client) as stripe:
        yield await open_till(runtime, stripe)


async def release(till: Till, order_id: str, price: Money) -> None:
    async with till.work() as work:
        await paying_out.release_haulage(work, order_id=order_id, carrier_id=till.carrier.org.id, price=price)
    await till.come_to_rest()


async def split(till: Till, order_id: str, accepted: Money, contested: Money | None = None) -> None:
    async with till.work() as work:
        nothing = Money.zero(accepted.currency)
        await settling.settle(work, order_id=order_id, accepted=accepted, contested=contested or nothing)
    await till.come_to_rest()


async def give_back(till: Till, order_id: str, refused: Money) -> None:
    async with till.work() as work:
        await settling.return_refused(work, order_id=order_id, refused=refused)
    await till.come_to_rest()


async def cancel(till: Till, order_id: str, fee: Money | None = None) -> None:
    async with till.work() as work:
        await collecting.cancel(work, order_id=order_id, fee=fee)
    await till.come_to_rest()


async def events_of(till: Till, order_id: str) -> list[tuple[str, dict[str, str]]]:
    """(type, audience by the parts of this market) in the order told."""
    names = {till.seller.org.id: "seller", till.buyer.org.id: "buyer", till.carrier.org.id: "carrier"}
    async with till.work() as work:
        rows = await work.session.execute(
            text("SELECT type, audience FROM event WHERE data ->> 'order_id' = :order ORDER BY ordinal"),
            {"order": order_id},
        )
        return [(row.type, {names[org]: role for org, role in row.audience.items()}) for row in rows]


async def told(till: Till, order_id: str) -> list[str]:
    return [type for type, _ in await events_of(till, order_id)]


async def test_the_main_job_ends_at_144_87(till: Till) -> None:
    """Section 5 of the domain, both orders: every figure to the cent."""
    first = terms(till, goods=eur("2268.00"), ceiling=eur("700.00"))
    deal = await till.agree(first)
    assert deal.exposure == eur("3101.00")
    await till.transfer_all(first.order_id)
    assert (await till.deal(first.order_id)).status == "held"
    assert await till.balances() == {
        "stripe_balance": eur("3096.00"),
        "stripe_fee": eur("5.00"),
        "deal_hold": eur("-3101.00"),
    }

    # Monday: delivered
    await release(till, first.order_id, eur("650.00"))
    # Wednesday: inspected, twelve modules refused, and the refusal acknowledged
    await split(till, first.order_id, eur("2080.80"), eur("43.20"))
    assert (await till.balances())["deal_hold"] == eur("-43.20")
    assert (await till.deal(first.order_id)).status == "settling"
    await give_back(till, first.order_id, eur("43.20"))
    assert (await till.deal(first.order_id)).status == "closed"

    # The refused modules go on to the battery recycler, and the seller pays for it.
    second = terms(till, goods=eur("-522.00"), goods_vat_bps=1900)
    assert (await till.hold(second)).exposure == eur("621.18")
    await split(till, second.order_id, eur("-522.00"))
    assert (await till.deal(second.order_id)).status == "closed"

    assert await till.balances() == {
        "stripe_balance": eur("144.87"),
        "stripe_fee": eur("10.00"),
        "commission": eur("-130.14"),
        "vat_output": eur("-24.73"),
    }
    assert await till.stripe.gateway.balance() == {"EUR": eur("144.87").minor}
    async with till.work() as work:
        report = await reconciliation.compare(work, till.stripe.gateway)
    assert report.agrees


async def test_the_postings_of_the_main_job_are_those_of_the_page(till: Till) -> None:
    first = terms(till, goods=eur("2268.00"), ceiling=eur("700.00"))
    await till.hold(first)
    await release(till, first.order_id, eur("650.00"))
    await split(till, first.order_id, eur("2080.80"), eur("43.20"))
    async with till.work() as work:
        rows = await work.session.execute(
            text(
                "SELECT a.code, e.amount FROM ledger_posting p JOIN ledger_entry e ON e.posting_id = p.id"
                " JOIN ledger_account a ON a.id = e.account_id WHERE p.kind = 'settled' ORDER BY p.id, e.line"
            )
        )
        posted = [(row.code, row.amount) for row in rows]
    assert posted == [
        ("deal_hold", 77_350),
        ("payable", -77_350),
        ("deal_hold", 228_430),
        ("payable", -195_699),
        ("commission", -10_404),
        ("vat_output", -1_977),
        ("refund_due", -20_350),
    ]


async def test_the_parties_hear_in_order_and_the_carrier_only_of_its_own(till: Till) -> None:
    first = terms(till, goods=eur("2268.00"), ceiling=eur("700.00"))
    await till.hold(first)
    await release(till, first.order_id, eur("650.00"))
    await split(till, first.order_id, eur("2080.80"), eur("43.20"))
    await give_back(till, first.order_id, eur("43.20"))
    sides = {"seller": "payee", "buyer": "payer"}
    assert await events_of(till, first.order_id) == [
        ("deal.agreed", sides),
        ("deal.collecting", sides),
        ("payment.collected", sides),
        ("deal.held", sides),
        ("deal.leg_released", {"seller": "observer", "buyer": "bearer", "carrier": "carrier"}),
        ("transfer.paid", {"carrier": "carrier"}),
        ("deal.settling", sides),
        ("transfer.paid", {"seller": "payee"}),
        ("refund.paid", {"buyer": "payer"}),
        ("deal.adjusted", sides),
        ("refund.paid", {"buyer": "payer"}),
        ("deal.settled", sides),
        ("deal.closed", sides),
    ]


def at(amount: str, currency: str) -> Money:
    """The same decimal in any currency, rounded half up to its step first."""
    digits = CURRENCIES[currency].digits
    return Money(10**digits, currency).times(eur(amount).decimal)


def figures(currency: str, **amounts: str) -> dict[str, Money]:
    return {name: at(amount, currency) for name, amount in amounts.items()}


CURRENCY = pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])


def sold(till: Till, currency: str) -> DealTerms:
    return terms(till, goods=at("10000.00", currency), ceiling=at("800.00", currency))


@CURRENCY
async def test_golden_a_sold(till: Till, currency: str) -> None:
    deal = sold(till, currency)
    await till.hold(deal)
    assert await till.balances() == figures(
        currency, stripe_balance="10947.00", stripe_fee="5.00", deal_hold="-10952.00"
    )
    await release(till, deal.order_id, at("800.00", currency))
    await split(till, deal.order_id, at("10000.00", currency))
    assert await till.balances() == figures(
        currency, stripe_balance="590.00", stripe_fee="5.00", commission="-500.00", vat_output="-95.00"
    )


@CURRENCY
async def test_golden_b_gate_fee(till: Till, currency: str) -> None:
    """The seller pays for disposal and bears the haulage."""
    deal = terms(
        till,
        goods=at("-2000.00", currency),
        goods_vat_bps=1900,
        ceiling=at("800.00", currency),
        haulage_payer_id=till.seller.org.id,
    )
    assert (await till.hold(deal)).exposure == at("3332.00", currency)
    await release(till, deal.order_id, at("800.00", currency))
    await split(till, deal.order_id, at("-2000.00", currency))
    assert await till.balances() == figures(
        currency, stripe_balance="114.00", stripe_fee="5.00", commission="-100.00", vat_output="-19.00"
    )


FINAL_C = {
    "EUR": {"stripe_balance": "515.03", "vat_output": "-83.03", "payable": "8219.97"},
    "JPY": {"stripe_balance": "515", "vat_output": "-83", "payable": "8220"},
    "KWD": {"stripe_balance": "515.030", "vat_output": "-83.030", "payable": "8219.970"},
}


@CURRENCY
async def test_golden_c_less_and_worse_than_agreed(till: Till, currency: str) -> None:
    deal = sold(till, currency)
    await till.hold(deal)
    await release(till, deal.order_id, at("800.00", currency))
    await split(till, deal.order_id, at("8740.00", currency))
    expected = FINAL_C[currency]
    assert await till.balances() == {
        **figures(currency, stripe_fee="5.00", commission="-437.00"),
        "stripe_balance": Money.of(expected["stripe_balance"], currency),
        "vat_output": Money.of(expected["vat_output"], currency),
    }
    assert await paid_to(till, deal.order_id, "goods") == Money.of(expected["payable"], currency)


async def paid_to(till: Till, order_id: str, leg: str) -> Money:
    async with till.work() as work:
        found = await queries.deal_of(work, order_id)
        transfers = [t for t in await queries.transfers_of(work, found.id) if t.leg == leg]
    assert [t.status for t in transfers] == ["paid"]
    return transfers[0].amount


@CURRENCY
async def test_golden_d_cancelled_late_for_a_fee(till: Till, currency: str) -> None:
    deal = sold(till, currency)
    await till.hold(deal)
    await cancel(till, deal.order_id, at("200.00", currency))
    assert await till.balances() == figures(currency, stripe_balance="-5.00", stripe_fee="5.00")
    assert (await till.deal(deal.order_id)).status == "cancelled"
    assert await paid_to(till, deal.order_id, "fee") == at("200.00", currency)


async def test_a_price_of_nothing_without_haulage_is_held_at_once_and_closes_by_itself(till: Till) -> None:
    deal = terms(till, goods=ZERO)
    await till.agree(deal)
    assert (await till.deal(deal.order_id)).status == "held"
    await split(till, deal.order_id, ZERO)
    assert await told(till, deal.order_id) == [
        "deal.agreed",
        "deal.held",
        "deal.settling",
        "deal.settled",
        "deal.closed",
    ]


async def test_a_payer_without_an_account_gets_one_before_it_is_asked_to_pay(runtime: Runtime, till: Till) -> None:
    till.buyer = await organization(runtime.sessions, ["recycler"], name="Batteriehof GmbH")
    deal = await till.hold(terms(till, goods=eur("100.00")))
    assert deal.status == "held"


async def test_a_deal_above_the_providers_limit_is_collected_in_parts_and_paid_out_of_them(till: Till) -> None:
    deal = terms(till, goods=eur("1200000.00"), ceiling=eur("800.00"))
    await till.hold(deal)
    await release(till, deal.order_id, eur("800.00"))
    await split(till, deal.order_id, eur("1100000.00"))
    assert (await till.deal(deal.order_id)).status == "closed"
    assert await till.balances() == {
        "stripe_balance": eur("65440.00"),
        "stripe_fee": eur("10.00"),
        "commission": eur("-55000.00"),
        "vat_output": eur("-10450.00"),
    }


async def test_the_sellers_haulage_is_withheld_from_its_payout(till: Till) -> None:
    deal = terms(till, goods=eur("10000.00"), ceiling=eur("800.00"), haulage_payer_id=till.seller.org.id)
    assert (await till.hold(deal)).exposure == eur("10000.00")
    await release(till, deal.order_id, eur("700.00"))
    await split(till, deal.order_id, eur("10000.00"))
    assert await paid_to(till, deal.order_id, "goods") == eur("8572.00")
    assert (await till.deal(deal.order_id)).status == "closed"


async def test_a_seller_whose_rejected_goods_were_hauled_owes_it_and_pays_from_its_next_sale(till: Till) -> None:
    rejected = terms(till, goods=eur("10000.00"), ceiling=eur("800.00"), haulage_payer_id=till.seller.org.id)
    await till.hold(rejected)
    await release(till, rejected.order_id, eur("800.00"))
    await split(till, rejected.order_id, ZERO)
    assert (await till.balances())["receivable:seller"] == eur("952.00")
    assert (await till.deal(rejected.order_id)).status == "settled"

    next_sale = terms(till, goods=eur("10000.00"))
    await till.hold(next_sale)
    await split(till, next_sale.order_id, eur("10000.00"))
    assert await paid_to(till, next_sale.order_id, "goods") == eur("8453.00")
    assert "receivable:seller" not in await till.balances()


async def test_two_payers_each_get_their_own_rest_back(till: Till) -> None:
    """The haulage costs the seller more than the goods bring."""
    deal = terms(till, goods=eur("500.00"), ceiling=eur("800.00"), haulage_payer_id=till.seller.org.id)
    assert (await till.hold(deal)).exposure == eur("1452.00")
    await release(till, deal.order_id, eur("700.00"))
    await split(till, deal.order_id, eur("400.00"))
    async with till.work() as work:
        found = await queries.deal_of(work, deal.order_id)
        refunds = {r.payer_id: r.amount for r in await queries.refunds_of(work, found.id)}
    assert refunds == {till.buyer.org.id: eur("100.00"), till.seller.org.id: eur("119.00")}
    assert (await till.deal(deal.order_id)).status == "closed"


async def test_a_contested_part_can_be_decided_for_the_payee(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"))
    await till.hold(deal)
    await split(till, deal.order_id, eur("900.00"), eur("100.00"))
    await split(till, deal.order_id, eur("60.00"), ZERO)
    assert (await till.deal(deal.order_id)).status == "closed"
    assert (await till.balances())["commission"] == eur("-48.00")


async def test_haulage_above_the_ceiling_is_refused(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"), ceiling=eur("700.00"))
    await till.hold(deal)
    with pytest.raises(HaulageAboveCeiling):
        await release(till, deal.order_id, eur("700.01"))


async def test_haulage_is_released_once_per_carrier(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"), ceiling=eur("700.00"))
    await till.hold(deal)
    await release(till, deal.order_id, eur("300.00"))
    await release(till, deal.order_id, eur("300.00"))
    assert (await told(till, deal.order_id)).count("deal.leg_released") == 1


async def test_nothing_is_released_before_it_is_held(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"), ceiling=eur("700.00"))
    await till.agree(deal)
    with pytest.raises(TransitionNotPossible):
        await release(till, deal.order_id, eur("300.00"))


async def test_more_than_was_held_cannot_be_accepted(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"))
    await till.hold(deal)
    with pytest.raises(HoldIsShort):
        await split(till, deal.order_id, eur("1000.01"))


async def test_an_amount_against_the_price_is_refused(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"))
    await till.hold(deal)
    with pytest.raises(WrongDirection):
        await split(till, deal.order_id, eur("-1.00"))


async def test_more_than_is_contested_cannot_be_returned(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"))
    await till.hold(deal)
    await split(till, deal.order_id, eur("900.00"), eur("100.00"))
    with pytest.raises(NothingContested):
        await give_back(till, deal.order_id, eur("100.01"))


async def test_a_deal_cancelled_before_the_money_comes_owes_nobody_anything(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"))
    await till.agree(deal)
    await cancel(till, deal.order_id)
    assert (await till.deal(deal.order_id)).status == "cancelled"
    assert await till.balances() == {}


async def test_there_is_one_deal_per_order(till: Till) -> None:
    deal = terms(till, goods=eur("1000.00"))
    await till.agree(deal)
    with pytest.raises(Exception, match="uq_deal_order_id_currency"):
        await till.agree(deal)
