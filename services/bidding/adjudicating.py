"""The ascending auction as a pure fold over its log: who leads at what price, and when it ends.

The log is taken in the order of (received_at, id), in whatever order it is given. A bid names a price and may name a limit that
nobody else is told: the house raises it for the bidder, no further than needed and never beyond the limit.

1. A bid counts if it was received while bidding was on. The first one leads at its price.
2. Another bidder's must name at least the price that stands plus the increment. Whoever has the higher limit then leads; of equal
   limits the earlier one. The price becomes the lower limit plus the increment there, or the higher limit if that is less;
   never less than what the new leader named, and it never falls.
3. The leader may raise its own limit, and its price with it; a bid that does not raise the limit is refused.
4. A leader whose limit reaches the reserve stands at the reserve at least.
5. Only a bid that takes the lead from another bidder moves the end: in the last minutes, and never beyond the hard cap.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.kernel.ids import BidId, OrgId

SOFT_CLOSE = timedelta(minutes=5)
"""A new leader in this last stretch moves the end by as much."""
INCREMENTS = ((1_000, 10), (10_000, 50), (100_000, 100), (1_000_000, 500), (10_000_000, 2_500))
"""Below this price, in minor units without its sign, a better bid is better by this much."""
LARGEST_INCREMENT = 10_000

Verdict = Literal["leads", "raised", "outbid", "too_low", "too_late", "too_early"]
COUNTS: tuple[Verdict, ...] = ("leads", "raised", "outbid")


@dataclass(frozen=True)
class Rules:
    """What does not change while bidding is on. `opens_at` None: open from the first bid; `hard_cap_at` None: the end does not
    move; `increment_minor` None: by the table."""

    closes_at: datetime
    opens_at: datetime | None = None
    hard_cap_at: datetime | None = None
    increment_minor: int | None = None
    reserve_minor: int | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the log; amounts are signed, higher is better for the seller."""

    received_at: datetime
    id: BidId
    bidder_id: OrgId
    price_minor: int
    limit_minor: int | None = None

    @property
    def most(self) -> int:
        return self.price_minor if self.limit_minor is None else max(self.price_minor, self.limit_minor)


@dataclass(frozen=True)
class Lead:
    """Who leads at what price; `limit_minor` is its secret."""

    bid_id: BidId
    bidder_id: OrgId
    price_minor: int
    limit_minor: int


@dataclass(frozen=True)
class State:
    """Everything the next bid is judged by. `count` is how many bids have counted."""

    ends_at: datetime
    lead: Lead | None = None
    count: int = 0


def begin(rules: Rules) -> State:
    return State(rules.closes_at)


def fold(log: Iterable[Entry], rules: Rules) -> State:
    states = [state for _, _, state in replay(log, rules)]
    return states[-1] if states else begin(rules)


def replay(log: Iterable[Entry], rules: Rules) -> Iterator[tuple[Entry, Verdict, State]]:
    """Each bid with what was made of it and how things stood after it."""
    state = begin(rules)
    for entry in sorted(log, key=lambda entry: (entry.received_at, entry.id)):
        state, verdict = step(state, entry, rules)
        yield entry, verdict, state


def step(state: State, entry: Entry, rules: Rules) -> tuple[State, Verdict]:
    """One bid, received after all that made the state. What does not count leaves the state as it is."""
    if entry.received_at > state.ends_at:
        return state, "too_late"
    if rules.opens_at is not None and entry.received_at < rules.opens_at:
        return state, "too_early"
    lead, verdict = _contest(state.lead, entry, rules)
    if lead is None or verdict == "too_low":
        return state, "too_low"
    ends_at = _moved(state.ends_at, entry.received_at, rules) if verdict == "leads" else state.ends_at
    return State(ends_at, _reserved(lead, rules), state.count + 1), verdict


def least(lead: Lead | None, rules: Rules, *, bidder_id: OrgId | None = None) -> int | None:
    """The least price that counts now, for this bidder; None while nobody leads."""
    if lead is None or lead.bidder_id == bidder_id:
        return None if lead is None else lead.price_minor
    return lead.price_minor + increment(lead.price_minor, rules)


def increment(price_minor: int, rules: Rules) -> int:
    """What a better price is better by."""
    if rules.increment_minor is not None:
        return rules.increment_minor
    return next((by for below, by in INCREMENTS if abs(price_minor) < below), LARGEST_INCREMENT)


def _contest(lead: Lead | None, entry: Entry, rules: Rules) -> tuple[Lead | None, Verdict]:
    if lead is None:
        return _led_by(entry, entry.price_minor), "leads"
    if entry.price_minor < (least(lead, rules, bidder_id=entry.bidder_id) or 0) or _lowers(lead, entry):
        return lead, "too_low"
    if lead.bidder_id == entry.bidder_id:
        return _led_by(entry, entry.price_minor), "raised"
    if entry.most > lead.limit_minor:
        needed = min(entry.most, lead.limit_minor + increment(lead.limit_minor, rules))
        return _led_by(entry, max(entry.price_minor, needed)), "leads"
    needed = min(lead.limit_minor, entry.most + increment(entry.most, rules))
    return replace(lead, price_minor=max(lead.price_minor, needed)), "outbid"


def _lowers(lead: Lead, entry: Entry) -> bool:
    return lead.bidder_id == entry.bidder_id and entry.most <= lead.limit_minor


def _led_by(entry: Entry, price_minor: int) -> Lead:
    return Lead(entry.id, entry.bidder_id, price_minor, entry.most)


def _reserved(lead: Lead, rules: Rules) -> Lead:
    if rules.reserve_minor is None or not lead.price_minor < rules.reserve_minor <= lead.limit_minor:
        return lead
    return replace(lead, price_minor=rules.reserve_minor)


def _moved(ends_at: datetime, received_at: datetime, rules: Rules) -> datetime:
    if received_at < ends_at - SOFT_CLOSE:
        return ends_at
    return max(ends_at, min(ends_at + SOFT_CLOSE, rules.hard_cap_at or rules.closes_at))
