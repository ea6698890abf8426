"""The rules of the ascending auction once more, from their text: no state but the bids that have counted."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.bidding.adjudicating import Entry, Rules

STRETCH = timedelta(minutes=5)
TABLE = {1_000: 10, 10_000: 50, 100_000: 100, 1_000_000: 500, 10_000_000: 2_500}


def oracle(log: Iterable[Entry], rules: Rules) -> tuple[str | None, int | None, datetime, list[str]]:
    """The winner, its price, the end, and the bids that counted. Entries and rules are used for their fields alone."""
    counted: list[Entry] = []
    price, end, cap = None, rules.closes_at, rules.hard_cap_at or rules.closes_at
    for bid in sorted(log, key=lambda bid: (bid.received_at, bid.id)):
        if bid.received_at > end or (rules.opens_at and bid.received_at < rules.opens_at):
            continue
        top = max(counted, key=ceiling, default=None)  # of equals the first
        if top is None or price is None:
            price = bid.price_minor
        elif top.bidder_id == bid.bidder_id:
            if bid.price_minor < price or ceiling(bid) <= ceiling(top):
                continue
            price = bid.price_minor
        else:
            if bid.price_minor < price + step(price, rules):
                continue
            low, high = sorted((ceiling(bid), ceiling(top)))
            named = bid.price_minor if ceiling(bid) > ceiling(top) else price
            price = max(price, named, min(high, low + step(low, rules)))
        takes_over = top is None or (top.bidder_id != bid.bidder_id and ceiling(bid) > ceiling(top))
        if takes_over and bid.received_at + STRETCH >= end:
            end = max(end, min(end + STRETCH, cap))
        counted.append(bid)
        if rules.reserve_minor is not None and price < rules.reserve_minor <= max(map(ceiling, counted)):
            price = rules.reserve_minor
    return max(counted, key=ceiling).id if counted else None, price, end, [bid.id for bid in counted]


def ceiling(bid: Entry) -> int:
    return max(bid.price_minor, bid.price_minor if bid.limit_minor is None else bid.limit_minor)


def step(price: int, rules: Rules) -> int:
    return rules.increment_minor or next((by for below, by in TABLE.items() if abs(price) < below), 10_000)
