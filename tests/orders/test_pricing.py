"""What quantities are worth: to the cent, and never more than was agreed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.ids import BidId, ItemId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.orders import pricing
from services.orders.pricing import Measured
from services.orders.terms import Terms, TermsLine

STORY = [(40, 12_000_000), (120, 3_000_000), (60, 1_800_000), (9, 1_200_000)]


def agreed(price: str, unit: str = "tonne", lines: Any = STORY, tolerance_bps: int = 500) -> Terms:
    return Terms(
        listing_id=ListingId.new(),
        bid_id=BidId.new(),
        seller_id=OrgId.new(),
        buyer_id=OrgId.new(),
        from_site_id=SiteId.new(),
        to_site_id=SiteId.new(),
        lines=[_line(quantity, mass_g) for quantity, mass_g in lines],
        price=Money.of(price, "EUR"),
        price_unit=unit,
        tolerance_bps=tolerance_bps,
        goods_vat_bps=0,
        haulage_basis="FCA",
        haulage_ceiling=None,
        haulage_vat_bps=1900,
        commission_bps=500,
        commission_vat_bps=1900,
        vat_country="DE",
        disposition="recycle",
        operation="R4",
        inspection_days=3,
        dispute_days=5,
        certificate="recycling",
    )


def _line(quantity: int, mass_g: int | None) -> TermsLine:
    return TermsLine(item_id=ItemId.new(), title="Goods", quantity=quantity, mass_g=mass_g, waste_code=None)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def test_the_goods_are_exposed_at_the_upper_tolerance() -> None:
    assert pricing.goods(agreed("120.00")) == eur("2268.00")


def test_a_gate_fee_on_a_weighed_remainder_has_no_tolerance() -> None:
    terms = agreed("-1450.00", lines=[(12, 360_000)], tolerance_bps=0)
    assert pricing.goods(terms) == eur("-522.00")


def test_the_price_follows_the_accepted_mass() -> None:
    accepted = [Measured(40, 11_760_000), Measured(120, 2_980_000), Measured(48, 1_440_000), Measured(9, 1_160_000)]
    assert pricing.worth(agreed("120.00"), accepted) == eur("2080.80")


def test_mass_above_a_lines_tolerance_is_not_paid() -> None:
    terms = agreed("120.00", lines=[(40, 12_000_000)])
    assert pricing.worth(terms, [Measured(40, 13_000_000)]) == eur("1512.00")


def test_pieces_beyond_those_agreed_are_not_paid() -> None:
    terms = agreed("7.50", "piece", [(100, None)])
    assert pricing.worth(terms, [Measured(101)]) == eur("750.00")


def test_a_lots_price_is_shared_by_mass_and_within_a_line_by_pieces() -> None:
    terms = agreed("1000.00", "lot", [(10, 3_000_000), (4, 1_000_000)])
    assert pricing.worth(terms, [Measured(5, 1_500_000), Measured(4, 1_000_000)]) == eur("625.00")


def test_a_lot_that_was_not_weighed_is_shared_by_pieces() -> None:
    terms = agreed("100.00", "lot", [(6, None), (4, 1_000_000)])
    assert pricing.worth(terms, [Measured(6), Measured()]) == eur("60.00")


def test_shares_of_a_contest_sum_to_it() -> None:
    weights = [eur("10.00"), eur("10.00"), eur("10.00")]
    assert sum((share.minor for share in pricing.shares(eur("100.00"), weights)), 0) == 10_000


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["tonne", "piece", "lot"]),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 20_000_000)), min_size=4, max_size=4),
)
def test_nothing_is_ever_worth_more_than_was_agreed(unit: str, found: list[tuple[int, int]]) -> None:
    terms = agreed("120.00", unit)
    assert pricing.worth(terms, [Measured(*one) for one in found]) <= pricing.goods(terms)
