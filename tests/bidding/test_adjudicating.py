"""The ascending auction, replayed."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.bidding.adjudicating import (
    INCREMENTS,
    SOFT_CLOSE,
    Entry,
    Rules,
    State,
    fold,
    increment,
    least,
    replay,
    step,
)
from tests.bidding.auction_logs import CAP, CLOSES, OPENS, SECOND, entry, logs, rules
from tests.bidding.oracle import oracle

RULES = Rules(closes_at=CLOSES, opens_at=OPENS, hard_cap_at=CAP)


def state_of(*log: Entry, **changed: object) -> State:
    return fold(log, Rules(**{**vars(RULES), **changed}))


def verdicts_of(*log: Entry) -> list[str]:
    return [verdict for _, verdict, _ in replay(log, RULES)]


def leader_of(state: State) -> tuple[str, int]:
    assert state.lead is not None
    return state.lead.bid_id, state.lead.price_minor


def a(price: int, second: int, limit: int | None = None) -> Entry:
    return entry(price, at=OPENS + second * SECOND, bidder="org_a", id=f"bid_a{second}", limit=limit)


def b(price: int, second: int, limit: int | None = None) -> Entry:
    return entry(price, at=OPENS + second * SECOND, bidder="org_b", id=f"bid_b{second}", limit=limit)


def test_nobody_leads_an_empty_log() -> None:
    assert state_of() == State(CLOSES)


def test_the_first_bid_leads_whatever_its_price() -> None:
    assert leader_of(state_of(entry(-35_00, at=OPENS))) == ("bid_1", -35_00)


def test_the_earliest_wins_a_tie() -> None:
    assert verdicts_of(b(100, 1), a(100, 0)) == ["leads", "too_low"]


def test_two_bids_of_one_instant_are_ordered_by_their_ids() -> None:
    one, two = entry(100, at=OPENS, id="bid_1"), entry(100, at=OPENS, bidder="org_b", id="bid_2")
    assert leader_of(state_of(two, one))[0] == "bid_1"


def test_a_bid_at_the_very_end_counts_and_one_after_it_does_not() -> None:
    in_time, late = entry(1, at=CLOSES), entry(99, at=CAP + timedelta(microseconds=1), bidder="org_b", id="bid_2")
    assert verdicts_of(in_time, late) == ["leads", "too_late"]


def test_a_bid_before_the_opening_does_not_count() -> None:
    assert verdicts_of(entry(1, at=OPENS - SECOND)) == ["too_early"]


@pytest.mark.parametrize(
    ("price", "by"), [(0, 10), (-999, 10), (1_000, 50), (-10_000, 100), (99_999, 100), (10**9, 10_000)]
)
def test_the_increment_follows_from_the_table(price: int, by: int) -> None:
    assert increment(price, RULES) == by
    assert increment(price, Rules(CLOSES, increment_minor=7)) == 7


def test_the_table_rises() -> None:
    assert list(INCREMENTS) == sorted(INCREMENTS)


def test_a_better_bid_is_better_by_the_increment() -> None:
    assert verdicts_of(a(10_000, 0), b(10_099, 1), b(10_100, 2)) == ["leads", "too_low", "leads"]


def test_a_limit_is_used_no_further_than_needed() -> None:
    assert leader_of(state_of(a(10_000, 0, limit=20_000))) == ("bid_a0", 10_000)
    assert leader_of(state_of(a(10_000, 0, limit=20_000), b(12_000, 1))) == ("bid_a0", 12_100)


def test_a_limit_is_never_passed() -> None:
    assert leader_of(state_of(a(10_000, 0, limit=12_050), b(12_000, 1))) == ("bid_a0", 12_050)
    assert leader_of(state_of(a(10_000, 0, limit=12_050), b(12_051, 1))) == ("bid_b1", 12_051)


def test_of_two_limits_the_higher_leads_one_increment_above_the_lower() -> None:
    assert leader_of(state_of(a(10_000, 0, limit=15_000), b(10_100, 1, limit=30_000))) == ("bid_b1", 15_100)


def test_of_equal_limits_the_earlier_leads_at_the_limit() -> None:
    assert leader_of(state_of(a(10_000, 0, limit=15_000), b(10_100, 1, limit=15_000))) == ("bid_a0", 15_000)


def test_limits_below_zero_work_alike() -> None:
    assert leader_of(state_of(a(-10_000, 0, limit=-2_000), b(-8_000, 1))) == ("bid_a0", -7_950)


def test_whoever_leads_may_raise_its_limit_without_raising_its_price() -> None:
    raised = state_of(a(10_000, 0, limit=12_000), a(10_000, 1, limit=15_000))
    assert leader_of(raised) == ("bid_a1", 10_000)
    assert leader_of(state_of(a(10_000, 0, limit=12_000), a(10_000, 1, limit=15_000), b(14_000, 2))) == (
        "bid_a1",
        14_100,
    )


def test_whoever_leads_may_not_lower_its_limit() -> None:
    assert verdicts_of(a(10_000, 0, limit=15_000), a(11_000, 1)) == ["leads", "too_low"]


def test_a_limit_that_reaches_the_reserve_stands_at_the_reserve() -> None:
    assert leader_of(state_of(a(100, 0, limit=900), reserve_minor=500)) == ("bid_a0", 500)
    assert leader_of(state_of(a(100, 0, limit=499), reserve_minor=500)) == ("bid_a0", 100)


def test_a_new_leader_in_the_last_minutes_moves_the_end() -> None:
    assert state_of(entry(1, at=CLOSES - SECOND)).ends_at == CLOSES + SOFT_CLOSE


def test_a_new_leader_before_the_last_minutes_leaves_the_end() -> None:
    assert state_of(entry(1, at=CLOSES - SOFT_CLOSE - SECOND)).ends_at == CLOSES


def test_a_leader_who_raises_himself_leaves_the_end() -> None:
    raised = state_of(entry(1, at=OPENS), entry(20, at=CLOSES - SECOND, id="bid_2"))
    assert (leader_of(raised), raised.ends_at) == (("bid_2", 20), CLOSES)


def test_a_bid_that_is_outbid_at_once_leaves_the_end() -> None:
    outbid = entry(50, at=CLOSES - SECOND, bidder="org_b", id="bid_2")
    assert state_of(entry(1, at=OPENS, limit=900), outbid).ends_at == CLOSES


def test_the_end_never_passes_the_hard_cap() -> None:
    duel = [entry(n * 10, at=CLOSES + n * SOFT_CLOSE, bidder=f"org_{n % 2}", id=f"bid_{n:02}") for n in range(20)]
    assert state_of(*duel).ends_at == CAP


def test_without_a_hard_cap_the_end_stays() -> None:
    assert state_of(entry(1, at=CLOSES - SECOND), hard_cap_at=None).ends_at == CLOSES


@settings(max_examples=300, deadline=None)
@given(log=logs, rules=rules)
def test_an_oracle_that_was_written_from_the_rules_agrees(log: list[Entry], rules: Rules) -> None:
    agrees_with_the_oracle(log, rules)


@settings(max_examples=200, deadline=None)
@given(log=logs, rules=rules, random=st.randoms(use_true_random=False))
def test_the_order_in_which_messages_arrive_is_irrelevant(log: list[Entry], rules: Rules, random: Random) -> None:
    is_indifferent_to_arrival(log, rules, random)


@settings(max_examples=200, deadline=None)
@given(log=logs, rules=rules)
def test_the_price_only_rises_and_only_who_takes_the_lead_moves_the_end(log: list[Entry], rules: Rules) -> None:
    is_monotone(log, rules)


@settings(max_examples=300, deadline=None)
@given(log=logs, rules=rules, more=st.integers(1, 10_000))
def test_a_limit_that_was_not_needed_is_not_seen(log: list[Entry], rules: Rules, more: int) -> None:
    keeps_limits_secret(log, rules, more)


def agrees_with_the_oracle(log: list[Entry], rules: Rules) -> None:
    state = fold(log, rules)
    counted = [entry.id for entry, verdict, _ in replay(log, rules) if verdict in ("leads", "raised", "outbid")]
    lead = (None, None) if state.lead is None else (state.lead.bid_id, state.lead.price_minor)
    assert (*lead, state.ends_at, counted) == oracle(log, rules)
    assert state.count == len(counted)


def is_indifferent_to_arrival(log: list[Entry], rules: Rules, random: Random) -> None:
    other = list(log)
    random.shuffle(other)
    assert fold(log, rules) == fold(other, rules)


def is_monotone(log: list[Entry], rules: Rules) -> None:
    """Also: a limit is kept, and what counted is enough to know how it ended."""
    steps = list(replay(log, rules))
    states = [State(rules.closes_at), *(state for _, _, state in steps)]
    prices = [state.lead.price_minor for state in states if state.lead is not None]
    cap = max(rules.hard_cap_at or rules.closes_at, rules.closes_at)
    assert all(one <= two for one, two in pairwise(prices))
    assert all(state.lead is None or state.lead.price_minor <= state.lead.limit_minor for state in states)
    assert all(rules.closes_at <= one.ends_at <= two.ends_at <= cap for one, two in pairwise(states))
    moved = [
        verdict
        for (one, two), (_, verdict, _) in zip(pairwise(states), steps, strict=True)
        if one.ends_at != two.ends_at
    ]
    assert set(moved) <= {"leads"}
    counted = [entry for entry, verdict, _ in steps if verdict in ("leads", "raised", "outbid")]
    assert fold(counted, rules) == states[-1]
    assert all(entry.received_at <= states[-1].ends_at for entry in counted)


def keeps_limits_secret(log: list[Entry], rules: Rules, more: int) -> None:
    """Whoever leads below its limit might as well have had a higher one: nobody would have seen another price."""
    open_rules = Rules(**{**vars(rules), "reserve_minor": None})
    lead = fold(log, open_rules).lead
    secret = lead is not None and lead.price_minor < lead.limit_minor
    higher = [
        Entry(one.received_at, one.id, one.bidder_id, one.price_minor, one.most + more)
        if secret and lead is not None and one.id == lead.bid_id
        else one
        for one in log
    ]
    assert public_path(log, open_rules) == public_path(higher, open_rules)


def public_path(log: list[Entry], rules: Rules) -> list[object]:
    """All that watchers see."""
    return [
        (verdict, state.ends_at, state.lead and (state.lead.bid_id, state.lead.price_minor))
        for _, verdict, state in replay(log, rules)
    ]


def test_a_bid_that_names_the_least_price_counts() -> None:
    state = state_of(a(10_000, 0))
    needed = least(state.lead, RULES)
    assert needed == 10_100
    assert step(state, b(needed - 1, 1), RULES)[1] == "too_low"
    assert step(state, b(needed, 1), RULES)[1] == "leads"
