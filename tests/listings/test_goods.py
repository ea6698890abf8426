"""Divided goods, as pure arithmetic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.listings.dividing.goods import CannotDivide, Goods, Stock, total
from tests.listings.dividing_model import STEPS, Model, random_sequence, violations

SOME = st.builds(Goods, st.integers(1, 10_000), st.integers(1, 10**9) | st.none())


def test_a_third_of_ten_grams_leaves_the_rest() -> None:
    assert Goods(3, 10).part(1) == Goods(1, 3)
    assert Goods(3, 10) - Goods(3, 10).part(1) == Goods(2, 7)


def test_the_gram_that_is_left_goes_to_the_larger_remainder() -> None:
    assert Goods(3, 11).part(1) == Goods(1, 4)


def test_no_piece_weighs_nothing() -> None:
    assert Goods(1_000, 2).part(1) == Goods(1, 1)
    with pytest.raises(CannotDivide):
        Goods(2, 1).part(1)


def test_more_than_is_free_cannot_be_awarded() -> None:
    stock, _ = Stock.of(Goods(10, 1_000)).award(7)
    with pytest.raises(CannotDivide):
        stock.award(4)


def test_what_is_given_back_can_be_awarded_again() -> None:
    whole = Stock.of(Goods(10, 1_001))
    stock, won = whole.award(3)
    assert stock.give_back(won) == whole


def test_an_awarded_item_is_not_split() -> None:
    stock, _ = Stock.of(Goods(10, 1_000)).award(1)
    with pytest.raises(CannotDivide):
        stock.split(2)


@given(goods=SOME, quantity=st.integers(-1, 10_001))
def test_a_part_and_the_rest_are_the_whole(goods: Goods, quantity: int) -> None:
    try:
        part = goods.part(quantity)
    except CannotDivide:
        return
    rest = goods - part
    assert part + rest == goods
    assert part.quantity == quantity


@settings(max_examples=300, deadline=None)
@given(
    goods=st.lists(st.builds(Goods, st.integers(1, 500), st.integers(1, 10**7)), min_size=1, max_size=4),
    steps=st.lists(st.sampled_from(STEPS), max_size=30),
    data=st.data(),
)
def test_whatever_is_done_to_listings_pieces_and_grams_are_kept(
    goods: list[Goods], steps: list[str], data: st.DataObject
) -> None:
    model = Model.starting_with(goods, lambda below: data.draw(st.integers(0, below - 1)))
    for step in steps:
        model.step(step)
        assert violations(model, total(goods)) == []


def test_random_sequences_do_everything_there_is_to_do() -> None:
    ends = {lot.status for seed in range(200) for lot in random_sequence(seed)[0].lots}
    assert ends == {"draft", "merged", "withdrawn", "partially_awarded", "awarded"}
