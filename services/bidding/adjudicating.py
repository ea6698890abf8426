"""The ascending auction as a pure fold over its log: who led when, and when it ended.

The log is taken in the order of (received_at, id), in whatever order it is given. A bid counts if it was received while bidding
was on; it leads if it is strictly better for the seller than the leading one, so the earliest wins a tie. A bid that takes the
lead from somebody else in the last minutes moves the end, never beyond the hard cap; nothing else does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.ids import BidId, OrgId

SOFT_CLOSE = timedelta(minutes=5)
"""A new leader in this last stretch moves the end by as much."""


@dataclass(frozen=True)
class Entry:
    """One line of the log; `price_minor` is signed, higher is better for the seller."""

    received_at: datetime
    id: BidId
    bidder_id: OrgId
    price_minor: int


@dataclass(frozen=True)
class Outcome:
    """`led` are the bids that took the lead, in that order; the last of them is the leader."""

    ends_at: datetime
    led: tuple[Entry, ...] = ()

    @property
    def leader(self) -> Entry | None:
        return self.led[-1] if self.led else None


def fold(
    log: Iterable[Entry], *, opens_at: datetime | None, closes_at: datetime, hard_cap_at: datetime | None
) -> Outcome:
    """`opens_at` None: open from the first bid; `hard_cap_at` None: the end does not move."""
    ends_at = closes_at
    led: list[Entry] = []
    for entry in sorted(log, key=lambda entry: (entry.received_at, entry.id)):
        is_received = (opens_at is None or opens_at <= entry.received_at) and entry.received_at <= ends_at
        if not is_received or (led and entry.price_minor <= led[-1].price_minor):
            continue
        if not led or led[-1].bidder_id != entry.bidder_id:
            ends_at = _moved(ends_at, entry.received_at, hard_cap_at or closes_at)
        led.append(entry)
    return Outcome(ends_at, tuple(led))


def _moved(ends_at: datetime, received_at: datetime, hard_cap_at: datetime) -> datetime:
    if received_at < ends_at - SOFT_CLOSE:
        return ends_at
    return max(ends_at, min(ends_at + SOFT_CLOSE, hard_cap_at))
