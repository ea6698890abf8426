"""A listing's bids as a file: every promise, every counter-offer and every move, in the order in which they happened.

For the seller, of the bids it may read: what was withdrawn from a sealed listing was never opened.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from services.bidding import queries
from services.bidding.models import Bid, Counter
from services.kernel.actors import Actor
from services.kernel.events import EventRow
from services.kernel.ids import BidId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing

MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
COLUMNS = (
    "at",
    "kind",
    "bid_id",
    "bidder_id",
    "sequence",
    "side",
    "price",
    "currency",
    "price_unit",
    "haulage_basis",
    "haulage",
    "disposition",
    "operation",
    "co2e_g",
    "until",
    "note",
    "move",
    "from",
    "to",
)
"""`kind` is bid, counter or move; a line leaves empty what is not of its kind. `price` is signed, `haulage` the ceiling of a bid
FCA or the quote of one DAP."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ORDER = {"bid": 0, "counter": 1, "move": 2}

Line = dict[str, str | int | None]


async def of(work: UnitOfWork, listing: Listing, actor: Actor) -> list[Line]:
    """Oldest first; at one instant a bid before what became of it."""
    query = queries.bids(actor, listing_id=listing.id)
    known = {bid.id: bid for bid in (await work.session.execute(query)).scalars()}
    said = await queries.counters_said(work, list(known))
    async with work.as_house():
        moves = await queries.moves(work, list(known))
    lines = [*map(_bid, known.values()), *(_counter(one, known[one.bid_id]) for one in said)]
    said_at: dict[str, datetime] = {one.id: one.created_at for one in said}
    lines += [_move(one, known[BidId(one.subject_id)], said_at) for one in moves]
    return sorted(lines, key=lambda line: (str(line["at"]), _ORDER[str(line["kind"])]))


def _bid(bid: Bid) -> Line:
    return _line(
        bid,
        "bid",
        bid.received_at,
        side="buyer",
        price=bid.price.amount,
        haulage=_amount(bid.haulage_ceiling if bid.haulage_basis == "FCA" else bid.haulage_quote),
        co2e_g=bid.co2e_g,
        until=_told(bid.valid_until),
    )


def _counter(counter: Counter, bid: Bid) -> Line:
    return _line(
        bid,
        "counter",
        counter.created_at,
        side=counter.side,
        price=counter.price.amount,
        haulage=_amount(counter.haulage),
        until=_told(counter.expires_at),
        note=counter.note,
    )


def _move(event: EventRow, bid: Bid, said_at: Mapping[str, datetime]) -> Line:
    """An event bears the instant at which its request began; the word that moved the bid was stamped after that."""
    word_at = said_at[event.data["counter_id"]] if event.transition == "counter" else bid.received_at
    moved = {"move": event.transition, "from": event.old_status, "to": event.new_status}
    return _line(bid, "move", max(event.occurred_at, word_at), **moved)


def _line(bid: Bid, kind: str, at: datetime, **more: str | int | None) -> Line:
    line: Line = dict.fromkeys(COLUMNS)
    line |= {"at": _told(at), "kind": kind, "bid_id": bid.id, "bidder_id": bid.bidder_id, "sequence": bid.sequence}
    if kind != "move":
        line |= {name: getattr(bid, name) for name in ("currency", "price_unit", "haulage_basis")}
        line |= {"disposition": bid.disposition, "operation": bid.operation}
    return line | more


def _amount(money: Money | None) -> str | None:
    return None if money is None else money.amount


def _told(at: datetime | None) -> str | None:
    """Of one width, so that text sorts as time does."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def written(lines: Iterable[Line], *, as_: str) -> bytes:
    """As NDJSON or CSV. A text that a spreadsheet would run is written behind an apostrophe."""
    if as_ == "ndjson":
        return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, COLUMNS)
    table.writeheader()
    table.writerows(line | {"note": _tamed(line["note"])} for line in lines)
    return file.getvalue().encode()


def _tamed(note: str | int | None) -> str | None:
    text = None if note is None else str(note)
    return f"'{text}" if text is not None and text.startswith(FORMULA) else text
