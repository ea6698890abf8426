"""What counts as affiliated, as a leader who steps back, as a pair that takes turns."""

from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bidding.integrity.kinship import affiliates, masked, vat_root
from services.bidding.integrity.patterns import Part, rings, withdrawn_leaders
from services.kernel.ids import ListingId, OrgId
from services.parties.queries.kinship import Identity

SELLER, ONE, OTHER, THIRD = (OrgId(f"org_{number}") for number in range(4))


def lot(number: int) -> ListingId:
    return ListingId(f"lst_{number}")


def known(
    org_id: OrgId, *, vat_id: str | None = None, account: str | None = None, people: Iterable[str] = ()
) -> Identity:
    return Identity(org_id, vat_id, account, frozenset(people))


def part(number: int, bidder: OrgId, price: int | None = 100, *, gone: bool = False, won: bool = False) -> Part:
    return Part(lot(number), bidder, price, gone, won)


def test_strangers_are_not_affiliated() -> None:
    assert affiliates([known(SELLER, vat_id="DE1"), known(ONE, vat_id="DE2", people=["a@b.example"])], SELLER) == []


def test_what_nobody_said_is_not_shared() -> None:
    assert affiliates([known(SELLER), known(ONE)], SELLER) == []


def test_each_thing_that_is_shared_is_a_finding_of_its_own() -> None:
    mine = known(SELLER, vat_id="NL123456789B01", account="f", people=["erika@nordwerk.example"])
    theirs = known(ONE, vat_id="NL123456789B02", account="f", people=["erika@nordwerk.example", "max@x.example"])
    found = affiliates([mine, theirs], SELLER)
    assert [(one.kind, one.org_ids) for one in found] == [
        ("same_vat_root", (SELLER, ONE)),
        ("same_bank_account", (SELLER, ONE)),
        ("same_people", (SELLER, ONE)),
    ]
    assert found[2].evidence == {"addresses": ["e…@nordwerk.example"], "with_seller": True}


def test_affiliated_bidders_are_told_from_an_affiliated_seller() -> None:
    found = affiliates([known(SELLER), known(ONE, account="f"), known(OTHER, account="f")], SELLER)
    assert [(one.org_ids, one.evidence) for one in found] == [((ONE, OTHER), {"with_seller": False})]


@pytest.mark.parametrize(
    ("written", "root"),
    [
        ("DE136695976", "DE136695976"),
        ("NL123456789B02", "NL123456789"),
        ("SE556012579001", "SE5560125790"),
        ("FR40303265045", "FR303265045"),
        ("GB980780684001", "GB980780684"),
        ("GB980780684", "GB980780684"),
    ],
)
def test_the_root_of_a_vat_id_is_the_firm_behind_it(written: str, root: str) -> None:
    assert vat_root(written) == root


def test_an_address_is_masked() -> None:
    assert masked("erika@example.com") == "e…@example.com"


def stepping_back(times: int) -> list[Part]:
    """ONE leads and steps back every time, OTHER stays behind it."""
    return [one for n in range(times) for one in (part(n, ONE, 120, gone=True), part(n, OTHER, 90, won=True))]


def test_a_leader_that_steps_back_for_the_third_time_is_worth_a_look() -> None:
    found = withdrawn_leaders(stepping_back(3), lot(2))
    assert [(one.org_ids, one.evidence) for one in found] == [
        ((ONE,), {"listing_ids": [lot(0), lot(1), lot(2)], "next_bidder_id": OTHER})
    ]


def test_twice_is_no_habit() -> None:
    assert withdrawn_leaders(stepping_back(2), lot(1)) == []


def test_whoever_did_not_lead_may_go() -> None:
    behind = [*stepping_back(2), part(2, ONE, 80, gone=True), part(2, OTHER, 90, won=True)]
    assert withdrawn_leaders(behind, lot(2)) == []


def test_whoever_stayed_here_is_not_found_here() -> None:
    assert withdrawn_leaders([*stepping_back(3), part(3, ONE, 120, won=True)], lot(3)) == []


def test_a_price_nobody_may_read_leads_nothing() -> None:
    assert withdrawn_leaders([*stepping_back(2), part(2, ONE, None, gone=True), part(2, OTHER, 90)], lot(2)) == []


def taking_turns(times: int, winners: tuple[OrgId, ...] = (ONE, OTHER)) -> list[Part]:
    """ONE and OTHER meet so often; the winners follow each other."""
    return [part(n, org, won=winners[n % len(winners)] == org) for n in range(times) for org in (ONE, OTHER, THIRD)]


def test_two_that_share_all_wins_are_worth_a_look() -> None:
    found = rings(taking_turns(5), lot(4))
    assert [(one.org_ids, one.evidence["wins"]) for one in found] == [((ONE, OTHER), {ONE: 3, OTHER: 2})]


def test_four_meetings_are_chance() -> None:
    assert rings(taking_turns(4), lot(3)) == []


def test_one_that_always_wins_shares_with_nobody() -> None:
    assert rings(taking_turns(6, (ONE,)), lot(5)) == []


def test_a_third_that_wins_breaks_the_ring() -> None:
    assert rings(taking_turns(6, (ONE, OTHER, THIRD)), lot(5)) == []


def test_what_a_stranger_wins_where_two_meet_breaks_the_ring() -> None:
    won_by_another = [part(9, org) for org in (ONE, OTHER)] + [part(9, SELLER, won=True)]
    assert rings([*taking_turns(5), *won_by_another], lot(4)) == []


@given(
    lots=st.lists(st.tuples(st.sets(st.integers(0, 3), min_size=1), st.integers(0, 3)), min_size=5, max_size=14),
)
def test_rings_are_pairs_of_whom_one_always_wins_and_each_repeatedly(lots: list[tuple[set[int], int]]) -> None:
    names = (SELLER, ONE, OTHER, THIRD)
    there = {number: bidders | {winner} for number, (bidders, winner) in enumerate(lots)}
    won = {number: winner for number, (_, winner) in enumerate(lots)}
    parts = [part(number, names[one], won=won[number] == one) for number, bidders in there.items() for one in bidders]
    expected = set()
    for one, other in combinations(sorted(there[0]), 2):
        met = [number for number, bidders in there.items() if {one, other} <= bidders]
        wins = [sum(won[number] == party for number in met) for party in (one, other)]
        if len(met) >= 5 and sum(wins) == len(met) and min(wins) >= 2:
            expected.add((names[one], names[other]))
    assert {found.org_ids for found in rings(parts, lot(0))} == expected
