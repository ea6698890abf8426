"""Turns: whatever the two sides try, in whatever order, their words alternate and one acceptance ends the talk."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.bidding.models import BID, Bid, BidFacts, Counter
from services.kernel import states
from services.kernel.errors import Blocked, TransitionNotPossible
from tests.bidding.test_ranking import NOON, bid

MOVES = st.lists(
    st.tuples(st.sampled_from(["seller", "buyer"]), st.sampled_from(["counter", "accept_counter", "lapse"])),
    max_size=20,
)


@dataclass
class Talk:
    """A bid of the buyer's, what was said about it, and what was tried in vain."""

    bid: Bid
    said: list[str] = field(default_factory=list)
    accepted_by: list[str] = field(default_factory=list)
    table: Counter | None = None

    def facts(self, part: str) -> BidFacts:
        return BidFacts(NOON, "negotiated", "open", is_over=False, counter=self.table, part=part)

    def tries(self, part: str, move: str) -> None:
        by = "time" if move == "lapse" else part
        try:
            states.move(BID, self.bid, move, by=by, facts=self.facts(part))
        except (Blocked, TransitionNotPossible):
            return
        self._follow(part, move)

    def _follow(self, part: str, move: str) -> None:
        if move == "counter":
            self.said.append(part)
            self.table = counter(self.bid, part)
        elif move == "accept_counter":
            self.accepted_by.append(part)
        else:
            self.said.append("lapsed")
            self.table = None


def counter(on: Bid, side: str) -> Counter:
    return Counter(
        bid_id=on.id,
        number=1,
        side=side,
        made_by="key",
        price_minor=1,
        currency="EUR",
        expires_at=NOON + timedelta(hours=1),
        livemode=False,
        created_at=NOON,
    )


def held(moves: Sequence[tuple[str, str]]) -> Talk:
    talk = Talk(bid(120_00))
    for part, move in moves:
        talk.tries(part, move)
    return talk


@given(MOVES)
def test_words_alternate(moves: Sequence[tuple[str, str]]) -> None:
    said = held(moves).said
    answers = ["buyer" if word == "lapsed" else word for word in ("lapsed", *said)]
    assert all(word == "lapsed" or word != before for before, word in zip(answers, said, strict=False)), said


@given(MOVES)
def test_one_acceptance_by_whoever_did_not_speak_last_ends_the_talk(moves: Sequence[tuple[str, str]]) -> None:
    talk = held(moves)
    assert len(talk.accepted_by) <= 1
    assert all(talk.table is not None and by != talk.table.side for by in talk.accepted_by)
    assert (talk.bid.status == "awarded") == bool(talk.accepted_by)


@given(MOVES)
def test_the_bids_own_figures_never_move(moves: Sequence[tuple[str, str]]) -> None:
    assert held(moves).bid.price_minor == 120_00
