"""Ids say what they are."""

import pytest

from services.kernel.ids import BidId, Id, ListingId


def test_a_new_id_parses_as_its_kind() -> None:
    drawn = ListingId.new()
    assert ListingId.parse(drawn) == drawn


def test_ids_drawn_later_sort_later() -> None:
    drawn = [BidId.new() for _ in range(100)]
    assert drawn == sorted(drawn)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lst_",
        "lst_short",
        "bid_01kaq4m8q3e8xvw2t5n6r7s8d9",
        "lst_81kaq4m8q3e8xvw2t5n6r7s8d9",
        "lst_01kaq4m8q3e8xvw2t5n6r7s8di",
    ],
)
def test_what_is_not_a_listing_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lst_"):
        ListingId.parse(text)


def test_every_kind_has_a_prefix_of_its_own() -> None:
    prefixes = [kind.prefix for kind in Id.__subclasses__()]
    assert len(prefixes) == len(set(prefixes))
