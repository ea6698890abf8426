"""Logs of auctions and rules for them, as Hypothesis draws them: few prices and instants, so that ties and edges are common."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from services.bidding.adjudicating import Entry, Rules
from services.kernel.ids import BidId, OrgId

OPENS = datetime(2027, 1, 12, 8, tzinfo=UTC)
CLOSES = datetime(2027, 1, 15, 14, tzinfo=UTC)
CAP = CLOSES + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def entry(price: int, *, at: datetime, bidder: str = "org_a", id: str = "bid_1", limit: int | None = None) -> Entry:
    return Entry(at, BidId(id), OrgId(bidder), price, limit)


entries = st.builds(
    lambda seconds, price, above, bidder, number: entry(
        price,
        at=CLOSES + seconds * SECOND,
        bidder=f"org_{bidder}",
        id=f"bid_{number:04}",
        limit=None if above is None else price + above,
    ),
    st.integers(-700, 4_500) | st.sampled_from([-300, -299, 0, 1, 300, 3_600, 3_601]),
    st.integers(-1_200, 1_200) | st.integers(-30, 30),
    st.none() | st.integers(0, 600) | st.sampled_from([0, 10, 50, 100]),
    st.integers(0, 3),
    st.integers(0, 9_999),
)
logs = st.lists(entries, max_size=40, unique_by=lambda made: made.id)
rules = st.builds(
    Rules,
    closes_at=st.just(CLOSES),
    opens_at=st.sampled_from([None, OPENS, CLOSES - 300 * SECOND]),
    hard_cap_at=st.sampled_from([None, CAP, CLOSES]),
    increment_minor=st.none() | st.integers(1, 120),
    reserve_minor=st.none() | st.integers(-200, 900),
)
