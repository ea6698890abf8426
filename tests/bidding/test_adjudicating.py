"""The ascending auction, replayed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.bidding.adjudicating import SOFT_CLOSE, Entry, Outcome, fold
from services.kernel.ids import BidId, OrgId

OPENS = datetime(2027, 1, 12, 8, tzinfo=UTC)
CLOSES = datetime(2027, 1, 15, 14, tzinfo=UTC)
CAP = CLOSES + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def entry(price: int, *, at: datetime, bidder: str = "org_a", id: str = "bid_1") -> Entry:
    return Entry(at, BidId(id), OrgId(bidder), price)


def outcome_of(*log: Entry) -> Outcome:
    return fold(log, opens_at=OPENS, closes_at=CLOSES, hard_cap_at=CAP)


def test_nobody_leads_an_empty_log() -> None:
    assert outcome_of() == Outcome(CLOSES)


def test_the_first_bid_leads_whatever_its_price() -> None:
    first = entry(-35_00, at=OPENS)
    assert outcome_of(first).leader == first


def test_the_earliest_wins_a_tie() -> None:
    early, late = entry(100, at=OPENS, bidder="org_a"), entry(100, at=OPENS + SECOND, bidder="org_b", id="bid_2")
    assert outcome_of(late, early).led == (early,)


def test_two_bids_of_one_instant_are_ordered_by_their_ids() -> None:
    one, two = entry(100, at=OPENS, id="bid_1"), entry(100, at=OPENS, bidder="org_b", id="bid_2")
    assert outcome_of(two, one).leader == one


def test_a_bid_at_the_very_end_counts_and_one_after_it_does_not() -> None:
    in_time, late = entry(1, at=CLOSES), entry(2, at=CAP + timedelta(microseconds=1), bidder="org_b", id="bid_2")
    assert outcome_of(in_time, late).led == (in_time,)


def test_a_bid_before_the_opening_does_not_count() -> None:
    assert outcome_of(entry(1, at=OPENS - SECOND)).leader is None


def test_a_new_leader_in_the_last_minutes_moves_the_end() -> None:
    assert outcome_of(entry(1, at=CLOSES - SECOND)).ends_at == CLOSES + SOFT_CLOSE


def test_a_new_leader_before_the_last_minutes_leaves_the_end() -> None:
    assert outcome_of(entry(1, at=CLOSES - SOFT_CLOSE - SECOND)).ends_at == CLOSES


def test_a_leader_who_raises_himself_leaves_the_end() -> None:
    first, raised = entry(1, at=OPENS), entry(2, at=CLOSES - SECOND, id="bid_2")
    assert outcome_of(first, raised) == Outcome(CLOSES, (first, raised))


def test_a_bid_that_does_not_lead_leaves_the_end() -> None:
    leading, lower = entry(2, at=OPENS), entry(1, at=CLOSES - SECOND, bidder="org_b", id="bid_2")
    assert outcome_of(leading, lower) == Outcome(CLOSES, (leading,))


def test_the_end_never_passes_the_hard_cap() -> None:
    duel = [entry(n, at=CLOSES + n * SOFT_CLOSE, bidder=f"org_{n % 2}", id=f"bid_{n:02}") for n in range(20)]
    assert outcome_of(*duel).ends_at == CAP


def test_without_a_hard_cap_the_end_stays() -> None:
    late = [entry(1, at=CLOSES - SECOND)]
    assert fold(late, opens_at=None, closes_at=CLOSES, hard_cap_at=None).ends_at == CLOSES


logs = st.lists(
    st.builds(
        lambda seconds, price, bidder, number: entry(
            price, at=CLOSES + seconds * SECOND, bidder=f"org_{bidder}", id=f"bid_{number:04}"
        ),
        st.integers(-700, 4_500),
        st.integers(-20, 40),
        st.integers(0, 3),
        st.integers(0, 9_999),
    ),
    max_size=40,
    unique_by=lambda made: made.id,
)


@settings(max_examples=200, deadline=None)
@given(log=logs, shuffled=st.randoms(use_true_random=False))
def test_the_order_in_which_messages_arrive_is_irrelevant(log: list[Entry], shuffled: object) -> None:
    other = list(log)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert outcome_of(*log) == outcome_of(*other)


@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_the_leading_price_only_rises_and_time_only_runs_forward(log: list[Entry]) -> None:
    led = outcome_of(*log).led
    assert all(one.price_minor < two.price_minor for one, two in pairwise(led))
    assert all((one.received_at, one.id) < (two.received_at, two.id) for one, two in pairwise(led))


@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_the_end_lies_between_the_close_and_the_cap_and_no_leader_is_later(log: list[Entry]) -> None:
    outcome = outcome_of(*log)
    assert CLOSES <= outcome.ends_at <= CAP
    assert all(leader.received_at <= outcome.ends_at for leader in outcome.led)


@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_bids_that_never_led_change_nothing(log: list[Entry]) -> None:
    outcome = outcome_of(*log)
    assert outcome_of(*outcome.led) == outcome


@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_an_oracle_that_scans_bid_by_bid_agrees(log: list[Entry]) -> None:
    outcome = outcome_of(*log)
    assert (outcome.leader, outcome.ends_at) == scan(log)


def scan(log: list[Entry]) -> tuple[Entry | None, datetime]:
    """The rules once more, written by repeatedly looking for the next bid that takes the lead."""
    leader: Entry | None = None
    end = CLOSES
    waiting = sorted(log, key=lambda made: made.id)
    while waiting:
        best = min(waiting, key=lambda made: made.received_at)
        waiting.remove(best)
        if best.received_at < OPENS or best.received_at > end:
            continue
        if leader is not None and best.price_minor <= leader.price_minor:
            continue
        is_last_stretch = best.received_at + SOFT_CLOSE >= end
        if is_last_stretch and (leader is None or leader.bidder_id != best.bidder_id):
            end = max(end, min(CAP, end + SOFT_CLOSE))
        leader = best
    return leader, end
