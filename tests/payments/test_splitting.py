"""Who gets what, to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.ids import OrgId
from services.kernel.money import CURRENCIES, Money
from services.payments import splitting
from services.payments.errors import HoldIsShort
from services.payments.splitting import Rates
from services.payments.terms import DealTerms

SELLER, BUYER = OrgId.new(), OrgId.new()
SCRAP = Rates(0, 500, 1900)
GATE_FEE = Rates(1900, 500, 1900)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def terms(goods: str, ceiling: str | None, haulage_payer: OrgId | None, goods_vat_bps: int = 0) -> DealTerms:
    return DealTerms(
        order_id="ord_1",
        seller_id=SELLER,
        buyer_id=BUYER,
        currency="EUR",
        goods=eur(goods),
        goods_vat_bps=goods_vat_bps,
        haulage_ceiling=eur(ceiling) if ceiling else None,
        haulage_payer_id=haulage_payer,
        haulage_vat_bps=1900,
        commission_bps=500,
        commission_vat_bps=1900,
        vat_country="DE",
    )


def test_the_exposure_of_the_main_job_is_3101_00() -> None:
    assert splitting.exposure(terms("2268.00", "700.00", BUYER)).total == eur("3101.00")


def test_a_gate_fee_exposes_the_seller_with_vat() -> None:
    assert splitting.exposure(terms("-522.00", None, None, goods_vat_bps=1900)).total == eur("621.18")


def test_haulage_of_a_payee_is_withheld_where_the_goods_cover_it() -> None:
    exposure = splitting.exposure(terms("10000.00", "800.00", SELLER))
    assert (exposure.goods, exposure.haulage) == (eur("10000.00"), eur("0.00"))


def test_haulage_of_a_payee_is_collected_where_the_goods_do_not_cover_it() -> None:
    exposure = splitting.exposure(terms("900.00", "800.00", SELLER))
    assert (exposure.goods, exposure.haulage) == (eur("900.00"), eur("952.00"))


def test_the_main_job_settles_to_the_cent() -> None:
    figures = splitting.settle(SCRAP, hold=eur("2327.50"), accepted=eur("2080.80"), contested=eur("43.20"))
    assert (figures.payout, figures.commission, figures.commission_vat) == (
        eur("1956.99"),
        eur("104.04"),
        eur("19.77"),
    )
    assert (figures.refund, figures.contested, figures.released) == (eur("203.50"), eur("43.20"), eur("2284.30"))


def test_the_gate_fee_of_the_main_job_settles_to_the_cent() -> None:
    figures = splitting.settle(GATE_FEE, hold=eur("621.18"), accepted=eur("522.00"), contested=eur("0.00"))
    assert (figures.payout, figures.commission, figures.commission_vat) == (eur("590.12"), eur("26.10"), eur("4.96"))
    assert not figures.refund


def test_rejected_goods_whose_haulage_was_withheld_leave_the_payee_owing_it() -> None:
    figures = splitting.settle(
        SCRAP, hold=eur("9048.00"), accepted=eur("0.00"), contested=eur("0.00"), withheld=eur("952.00")
    )
    assert (figures.goods_refund, figures.receivable, figures.payout) == (eur("10000.00"), eur("952.00"), eur("0.00"))


def test_more_than_is_held_cannot_be_accepted() -> None:
    with pytest.raises(HoldIsShort):
        splitting.settle(SCRAP, hold=eur("100.00"), accepted=eur("100.01"), contested=eur("0.00"))


@pytest.mark.parametrize(
    ("currency", "commission", "vat"), [("EUR", "41.11", "7.81"), ("JPY", "41", "8"), ("KWD", "41.110", "7.810")]
)
def test_percentages_round_half_up_to_the_currencys_step(currency: str, commission: str, vat: str) -> None:
    net = Money(0, currency).of(rounded("1234.56", currency), currency)
    figures = splitting.settle(Rates(0, 333, 1900), hold=net, accepted=net, contested=Money.zero(currency))
    assert (figures.commission.amount, figures.commission_vat.amount) == (commission, vat)


def rounded(amount: str, currency: str) -> str:
    return str(Money(1, currency).times(Decimal(amount) * 10 ** CURRENCIES[currency].digits).decimal)


def test_an_amount_above_the_providers_limit_takes_several_payments() -> None:
    parts = splitting.parts(eur("2500000.01"))
    assert sum(part.minor for part in parts) == 250_000_001
    assert len(parts) == 3
    assert max(part.minor for part in parts) <= splitting.LARGEST_PAYMENT


steps = st.integers(min_value=0, max_value=10**9)
rates = st.builds(Rates, *(st.integers(min_value=0, max_value=3000) for _ in range(3)))
currencies = st.sampled_from(["EUR", "JPY", "KWD"])


@given(rates, currencies, steps, steps, steps, st.integers(0, 10**6))
def test_every_split_is_exact(
    rates: Rates, currency: str, accepted: int, contested: int, spare: int, withheld: int
) -> None:
    """Both sides of the posting are equal, no figure is negative, and every figure lies on the currency's step."""
    step = CURRENCIES[currency].step
    owed, disputed, rest, taken = (Money(n * step, currency) for n in (accepted, contested, spare, withheld))
    hold = splitting.with_vat(owed + disputed, rates.goods_vat_bps) + rest
    figures = splitting.settle(rates, hold=hold, accepted=owed, contested=disputed, withheld=taken)

    debits = figures.released + figures.receivable
    credits = figures.payout + figures.commission + figures.commission_vat + figures.refund
    assert debits == credits
    assert figures.released + figures.contested == hold
    assert all(m.minor >= 0 and m.minor % step == 0 for m in vars(figures).values())


@given(rates, steps, steps)
def test_the_commission_never_falls_when_more_is_accepted(rates: Rates, less: int, more: int) -> None:
    low, high = sorted((less, more))
    hold = Money(4 * 10**9, "EUR")
    figures = [
        splitting.settle(rates, hold=hold, accepted=Money(net, "EUR"), contested=eur("0.00")) for net in (low, high)
    ]
    assert figures[0].commission <= figures[1].commission


@given(steps, st.lists(st.integers(0, 10**8), min_size=1, max_size=6))
def test_what_is_allotted_over_charges_is_the_whole_and_within_each(amount: int, capacities: list[int]) -> None:
    wanted = Money(min(amount, sum(capacities)), "EUR")
    shares = splitting.allot(wanted, [Money(capacity, "EUR") for capacity in capacities])
    assert sum(share.minor for share in shares) == wanted.minor
    assert all(0 <= share.minor <= capacity for share, capacity in zip(shares, capacities, strict=True))
