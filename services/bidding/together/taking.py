"""A batch of bids in one transaction: who asks is looked at first, then the lots are locked, judged and written, and only after the
commit is anybody answered. Whatever goes wrong before it leaves nothing, and leaves every bid to its route."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from pydantic_core import to_json

from services.bidding import policy
from services.bidding.errors import BiddingHasClosed, BidTooLow
from services.bidding.models import Bid
from services.bidding.schemas import BidAnswer, NewBidRequest
from services.bidding.together import queries
from services.bidding.together.lots import Counted, Lot, ReadLot, lots_of
from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.audit.recording import entry_of
from services.kernel.errors import Problem
from services.kernel.events import recorded
from services.kernel.http.handing import Handed, Told
from services.kernel.idempotency import KEPT, Kept
from services.kernel.ids import OrgId
from services.listings import facts
from services.listings.events import ListingExtended
from services.parties.dossiers import Dossier

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Promise:
    """A bid that was handed in."""

    handed: Handed
    new: NewBidRequest
    dossier: Dossier

    @property
    def actor(self) -> Actor:
        return self.handed.actor


class _Twin(Exception):
    """An Idempotency-Key of the batch was used meanwhile."""


@dataclass
class _Written:
    """Rows for `queries.WRITE`. `moved_by`: whose bid has moved the end of which listing."""

    records: list[dict[str, Any]] = field(default_factory=list)
    moved_by: dict[str, Promise] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)


async def take(
    connection: Any, batch: Sequence[Promise], *, livemode: bool, forget: Callable[[OrgId], None]
) -> list[Told | Problem | None]:
    """All of one environment. `forget` is told whose dossier no longer stands."""
    try:
        async with connection.transaction():
            await connection.execute(queries.AS_HOUSE, str(livemode).lower())
            stands = await _still_stand(connection, batch, livemode=livemode, forget=forget)
            return await _judge(connection, batch, stands, livemode=livemode)
    except Exception as error:
        log.warning("a batch of bids is left to the route", bids=len(batch), why=repr(error))
        return [None] * len(batch)


async def _still_stand(
    connection: Any, batch: Sequence[Promise], *, livemode: bool, forget: Callable[[OrgId], None]
) -> list[bool]:
    """Whose credential and dossier are as they were known, and whose Idempotency-Key nobody has used."""
    asked = list(dict.fromkeys(_asker(promise) for promise in batch))
    keys = [promise.handed.claim.key_hash for promise in batch if promise.handed.claim is not None]
    rows = await connection.fetch(queries.DOORS, *map(list, zip(*asked, strict=True)), livemode, keys)
    doors, used = dict(zip(asked, rows, strict=True)), frozenset(rows[0]["used"] or ())
    found = []
    for promise in batch:
        door, claim = doors[_asker(promise)], promise.handed.claim
        is_known, is_read = door["is_known"], door["stamps"] == promise.dossier.stamps
        if not is_known:
            promise.handed.unknown()
        if not is_read:
            forget(promise.actor.org)
        found.append(is_known and is_read and (claim is None or claim.key_hash not in used))
    return found


def _asker(promise: Promise) -> tuple[Any, ...]:
    org_id, _, _, *key = promise.handed.known.parameters
    return (org_id, *key)


async def _judge(
    connection: Any, batch: Sequence[Promise], stands: Sequence[bool], *, livemode: bool
) -> list[Told | Problem | None]:
    wanted = sorted({promise.new.listing_id for promise, does in zip(batch, stands, strict=True) if does})
    if not wanted:
        return [None] * len(batch)
    await connection.execute(queries.LOCK, wanted)
    pairs = {(promise.new.listing_id, promise.actor.org) for promise in batch}
    own = await connection.fetch(queries.OWN, *map(list, zip(*pairs, strict=True)))
    asked_at = clock.ticks()
    rows = await connection.fetch(queries.LOTS, wanted, livemode, record_class=ReadLot)
    lots, written = lots_of(rows, own), _Written()
    answers = [
        _answer(promise, lots.get(promise.new.listing_id), written, asked_at) if does else None
        for promise, does in zip(batch, stands, strict=True)
    ]
    if written.events:
        await _write(connection, list(lots.values()), written)
    return answers


def _answer(promise: Promise, lot: Lot | None, written: _Written, asked_at: float) -> Told | Problem | None:
    if lot is None or not lot.takes(promise.new, promise.dossier, promise.actor):
        return None
    waited, before = timedelta(seconds=asked_at - promise.handed.arrived), lot.state.ends_at
    try:
        counted = lot.judge(promise.new, promise.actor, waited)
    except (BiddingHasClosed, BidTooLow) as problem:
        return problem
    if lot.state.ends_at != before:
        written.moved_by[lot.row["id"]] = promise
    return None if counted is None else _keep(promise, lot, counted, written)


def _keep(promise: Promise, lot: Lot, counted: Counted, written: _Written) -> Told:
    """Notes what is written of it, as it stands now: a later bid of the batch may supersede it."""
    handed, actor, bid, now = promise.handed, promise.actor, counted.bid, lot.row["now"]
    for subject, (event, moved) in counted.happened:
        row = recorded(
            event,
            subject=subject.id,
            audience=policy.audience(subject, lot.listing),
            actor=actor,
            cause=handed.cause,
            at=now,
            moved=moved,
        )
        written.events.append(row)
    entry = entry_of(actor, counted.touched, operation=handed.operation, request_id=handed.cause, at=now)
    written.entries.append(entry)
    answer = BidAnswer.of(bid, lot.listing, counted.facts, actor, promise.new.amounts)
    told = Told(answer.model_dump_json().encode(), bid.version, 201)
    if handed.claim is not None:
        record = {"key_hash": handed.claim.key_hash, "request_hash": handed.claim.request_hash}
        record["sealed"] = handed.claim.seal(Kept(told.status, told.headers, told.body))
        hexed = {name: f"\\x{content.hex()}" for name, content in record.items()}
        written.records.append(hexed | {"status_code": told.status})
    return told


async def _write(connection: Any, lots: Sequence[Lot], written: _Written) -> None:
    """Raises _Twin."""
    ended = [one for lot in lots for one in lot.ended]
    if ended:
        told = [{"id": one.id} | {name: getattr(one, name) for name in _ENDING} for one in ended]
        await connection.execute(queries.SUPERSEDE, _json(told))
    changed = [lot for lot in lots if lot.placed]
    bids = [_values(bid) for lot in changed for bid in lot.placed]
    later = [lot for lot in changed if lot.row["id"] in written.moved_by]
    for lot in later:
        written.events.append(await _extended(connection, lot, written.moved_by[lot.row["id"]]))
    kept = await connection.fetchval(
        queries.WRITE,
        _json(written.records),
        _json(bids),
        _json(written.events),
        _json(written.entries),
        _json([_auction(lot) for lot in changed]),
        _json([{"id": lot.row["id"], "ends_at": lot.state.ends_at} for lot in later]),
        [lot.row["id"] for lot in changed],
        KEPT,
    )
    if kept != len(written.records):
        raise _Twin


async def _extended(connection: Any, lot: Lot, by: Promise) -> dict[str, Any]:
    bidders = {row["bidder_id"] for row in await connection.fetch(queries.BIDDERS, lot.row["id"])} | lot.own.keys()
    told = facts.of(ListingExtended, lot.listing, ended_at=lot.row["effective_end_at"])
    return recorded(
        told.model_copy(update={"closes_at": lot.state.ends_at}),
        subject=lot.row["id"],
        audience=facts.audience(lot.listing, sorted(bidders)),
        actor=by.actor,
        cause=by.handed.cause,
        at=lot.row["now"],
    )


_ENDING = ("status", "ended_reason", "version")


def _values(bid: Bid) -> dict[str, Any]:
    return {name: value for name, value in vars(bid).items() if not name.startswith("_")}


def _auction(lot: Lot) -> dict[str, Any]:
    lead = lot.state.lead
    assert lead is not None, "a bid has counted"
    return {
        "listing_id": lot.row["id"],
        "leader_bid_id": lead.bid_id,
        "leader_id": lead.bidder_id,
        "price_minor": lead.price_minor,
        "limit_minor": lead.limit_minor,
        "ends_at": lot.state.ends_at,
        "count": lot.state.count,
        "received_at": lot.last_stamp,
        "livemode": lot.row["livemode"],
        "created_at": lot.row["now"],
    }


def _json(rows: Sequence[dict[str, Any]]) -> str:
    return to_json(rows).decode()
