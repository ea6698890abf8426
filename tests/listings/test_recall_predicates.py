"""Which goods a recall means, as pure judgement."""

import pytest
from pydantic import ValidationError

from services.listings.recalling.predicates import Predicate, SerialRange, Thing, matched_on


def thing(**given: object) -> Thing:
    usual: dict[str, object] = {"title": "Cell pack NW 480", "is_own": False}
    return Thing(**(usual | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("serial", "is_held"),
    [
        ("SN-00100", True),
        ("sn-00250", True),
        ("SN-00175", True),
        ("SN-00251", False),
        ("SN-099", False),
        ("XX-00175", False),
        ("SN-", False),
        ("SN-000175", False),
    ],
)
def test_a_range_counts_behind_its_prefix(serial: str, is_held: bool) -> None:
    assert SerialRange(first="SN-00100", last="SN-00250").holds(serial) is is_held


@pytest.mark.parametrize(("first", "last"), [("A1", "B2"), ("A2", "A1"), ("A", "B"), ("1", "A2")])
def test_a_range_counts_up(first: str, last: str) -> None:
    with pytest.raises(ValidationError):
        SerialRange(first=first, last=last)


def test_a_recall_says_something() -> None:
    with pytest.raises(ValidationError):
        Predicate()


def test_a_serial_is_met_whatever_its_case() -> None:
    assert matched_on(Predicate(serials=["sn-7"]), thing(serial=" SN-7 ")) == ["serials"]


def test_product_and_piece_must_both_be_met_where_both_are_named() -> None:
    predicate = Predicate(mpns=["NW-480"], serials=["7"])
    assert matched_on(predicate, thing(serial="7", mpns=("nw-480",))) == ["mpns", "serials"]
    assert matched_on(predicate, thing(serial="7", mpns=("NW-500",))) == []
    assert matched_on(predicate, thing(serial="8", mpns=("NW-480",))) == []


def test_a_gtin_is_met_without_its_leading_zeros() -> None:
    assert matched_on(Predicate(gtins=["04012345678901"]), thing(gtin="4012345678901")) == ["gtins"]


def test_a_batch_is_met() -> None:
    assert matched_on(Predicate(batches=["L-7"]), thing(batches=("l-7",))) == ["batches"]


def test_words_alone_do_not_stop_what_others_offer() -> None:
    predicate = Predicate(title_words=["cell pack"])
    assert matched_on(predicate, thing()) == []
    assert matched_on(predicate, thing(is_own=True)) == ["title_words"]


def test_words_are_whole_words() -> None:
    assert matched_on(Predicate(title_words=["pack"]), thing(title="Backpacks", is_own=True)) == []
