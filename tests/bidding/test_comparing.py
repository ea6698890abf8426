"""Why first is first: dominance, the efficient bids, and what parts neighbours. With properties over any field of bids."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bidding.comparing import compare, criterion, dominates
from services.bidding.models import Bid
from services.bidding.ranking import Ranked, place, rank, reserve_of
from services.kernel.money import Money
from services.listings.models import Listing
from tests.bidding.test_ranking import NOON, STORY, bid, listing


def ranked(*bids: Bid, of: Listing | None = None) -> list[Ranked]:
    return rank(bids, of or listing(), STORY)


def stating(one: Bid, co2e_g: int) -> Bid:
    one.co2e_g = co2e_g
    return one


def test_a_bid_is_dominated_by_those_that_are_better_in_value_and_no_worse_in_rung() -> None:
    rich, poor = bid(120_00), bid(100_00)
    first, second = compare(ranked(poor, rich))
    assert (first.is_efficient, second.dominated_by) == (True, (rich.id,))


def test_a_higher_rung_keeps_a_lower_price_efficient() -> None:
    first, second = compare(ranked(bid(100_00, disposition="repair"), bid(120_00)))
    assert (first.is_efficient, second.is_efficient) == (True, True)


def test_a_lower_co2e_keeps_a_lower_price_efficient() -> None:
    first, second = compare(ranked(stating(bid(120_00), 900), stating(bid(100_00), 100)))
    assert (first.is_efficient, second.is_efficient) == (True, True)


def test_co2e_that_nobody_stated_is_no_merit() -> None:
    silent, stated = bid(100_00), stating(bid(120_00), 900)
    assert compare(ranked(silent, stated))[1].dominated_by == (stated.id,)


def test_stated_co2e_breaks_a_tie_before_silence() -> None:
    silent, stated = bid(100_00), stating(bid(100_00, received_at=NOON + timedelta(hours=1)), 0)
    assert [one.bid for one in ranked(silent, stated)] == [stated, silent]


@pytest.mark.parametrize(
    ("worse", "decided"),
    [
        (bid(100_00), "landed_net_value"),
        (bid(120_00, disposition="recover"), "disposition"),
        (stating(bid(120_00), 51), "co2e"),
        (stating(bid(120_00, received_at=NOON + timedelta(microseconds=1)), 50), "received_at"),
        (stating(bid(120_00, id="bid_z"), 50), "id"),
    ],
)
def test_each_bid_names_what_parts_it_from_the_one_above(worse: Bid, decided: str) -> None:
    better = stating(bid(120_00, id="bid_a"), 50)
    behind = compare(ranked(worse, better))[1].behind
    assert behind is not None
    assert (behind.bid_id, behind.criterion) == (better.id, decided)


def test_the_difference_is_what_the_one_above_leaves_more() -> None:
    behind = compare(ranked(bid(120_00), bid(-35_00)))[1].behind
    assert behind is not None
    assert behind.difference == Money(2_682_00, "EUR")


def test_a_seller_that_recovers_no_vat_bears_it_on_gate_fee_haulage_and_commission() -> None:
    bearing = listing()
    bearing.recovers_vat = False
    paid, paying, delivered = ranked(bid(120_00), bid(0, haulage=910_00), bid(-35_00), of=bearing)
    assert (paid.commission, paid.tax) == (Money(108_00, "EUR"), Money(20_52, "EUR"))
    assert (paying.tax, paying.landed_net_value) == (Money(119_70, "EUR"), Money(-749_70, "EUR"))
    assert (delivered.tax, delivered.landed_net_value) == (Money(172_90, "EUR"), Money(-1_082_90, "EUR"))


def test_the_reserve_is_met_by_landed_net_value() -> None:
    reserved = listing()
    reserved.reserve_price_minor = -40_00
    assert reserve_of(reserved, STORY) == Money(-720_00, "EUR")


BIDS = st.lists(
    st.builds(
        lambda price, haulage, disposition, co2e, second, number: stating_if(
            bid(
                price,
                haulage=haulage,
                disposition=disposition,
                received_at=NOON + timedelta(seconds=second),
                id=f"bid_{number:04}",
            ),
            co2e,
        ),
        st.integers(-3, 3).map(lambda euros: euros * 100),
        st.none() | st.integers(0, 2).map(lambda euros: euros * 1_800),
        st.sampled_from(["repair", "recycle", "recover"]),
        st.none() | st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 9_999),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


def stating_if(one: Bid, co2e_g: int | None) -> Bid:
    one.co2e_g = co2e_g
    return one


@given(BIDS)
def test_dominance_is_a_strict_partial_order(bids: Sequence[Bid]) -> None:
    field = ranked(*bids)
    beats = {(a.bid.id, b.bid.id) for a in field for b in field if dominates(a, b)}
    assert not {(a, b) for a, b in beats if a == b or (b, a) in beats}
    assert {(a, d) for a, b in beats for c, d in beats if b == c} <= beats


@given(BIDS, st.randoms(use_true_random=False))
def test_the_ranking_is_total_and_the_same_in_whatever_order_bids_come(bids: list[Bid], dice: object) -> None:
    before = [one.bid.id for one in ranked(*bids)]
    dice.shuffle(bids)  # type: ignore[attr-defined]
    after = ranked(*bids)
    assert [one.bid.id for one in after] == before
    assert len({place(one) for one in after}) == len(bids)


@given(BIDS)
def test_the_first_is_efficient_and_nobody_is_dominated_from_below(bids: Sequence[Bid]) -> None:
    compared = compare(ranked(*bids))
    assert all(one.is_efficient for one in compared[:1])
    places = {one.ranked.bid.id: one.ranked.rank for one in compared}
    assert all(places[better] < one.ranked.rank for one in compared for better in one.dominated_by)


@given(BIDS)
def test_who_is_dominated_is_dominated_by_somebody_efficient(bids: Sequence[Bid]) -> None:
    compared = compare(ranked(*bids))
    efficient = {one.ranked.bid.id for one in compared if one.is_efficient}
    assert all(efficient & set(one.dominated_by) for one in compared if not one.is_efficient)


@given(BIDS)
def test_neighbours_are_parted_by_the_first_criterion_in_which_they_differ(bids: Sequence[Bid]) -> None:
    field = ranked(*bids)
    order = {"landed_net_value": 0, "disposition": 1, "co2e": 2, "received_at": 4, "id": 5}
    for better, worse in pairwise(field):
        decided = order[criterion(better, worse)]
        assert place(better)[:decided] == place(worse)[:decided]


@given(BIDS)
def test_whoever_nobody_dominates_is_efficient_and_nobody_else(bids: Sequence[Bid]) -> None:
    field = ranked(*bids)
    undominated = {one.bid.id for one in field if not any(dominates(other, one) for other in field)}
    assert {one.ranked.bid.id for one in compare(field) if one.is_efficient} == undominated
