"""A timed listing while a batch of bids for it is judged, one after the other as each arrived."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from services.bidding import adjudicating, auctions, eligibility, intent_log, placing
from services.bidding.adjudicating import Entry, Lead, State
from services.bidding.errors import BiddingHasClosed
from services.bidding.models import Bid, BidFacts, NewBid
from services.bidding.placing import Happened
from services.kernel.actors import Actor
from services.kernel.audit.recording import Touched
from services.kernel.http.lane import Row
from services.kernel.ids import BidId, OrgId
from services.kernel.money import Money
from services.listings.models import NOT_BEGUN, Listing
from services.parties.dossiers import Dossier
from services.parties.models import PROCESSORS


class ReadLot(Row):
    """A row of `queries.LOTS`."""

    guests = Listing.guests
    price = Listing.price
    reserve_price = Listing.reserve_price
    increment = Listing.increment

    @property
    def materials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self["materials_text"])
        return found

    @property
    def masses(self) -> dict[str, int]:
        """Of what is waste."""
        return {code: grams for code, grams in zip(self["codes"] or (), self["grams"] or (), strict=True) if code}

    @property
    def is_plain(self) -> bool:
        """Whether the batch may judge bids for it: everything else is the route's."""
        has_begun = self["status"] not in NOT_BEGUN and self["mode"] == "timed" and self["closes_at"] is not None
        asks_more = self["stops"] or self["is_recalled"] or self["deposit_minor"] is not None
        return has_begun and not (asks_more or self["has_lost_its_auction"])

    def is_seen_by(self, actor: Actor) -> bool:
        """As `listings.visible_to`, of what is not the actor's own."""
        is_offered = self["visibility"] == "public" or actor.org_id in self.guests
        return self["published_at"] is not None and is_offered and actor.org_id != self["seller_id"]

    @property
    def state(self) -> State:
        if not self["has_auction"]:
            return adjudicating.begin(auctions.rules_of(cast("Listing", self)))
        lead = Lead(
            BidId(self["leader_bid_id"]), OrgId(self["leader_id"]), self["lead_minor"], self["lead_limit_minor"]
        )
        return State(self["ends_at"], lead, self["counted"])


@dataclass
class Counted:
    """A bid that counts, with all that is written and told of it. `facts` are those of the instant at which it did."""

    bid: Bid
    facts: BidFacts
    happened: list[tuple[Bid, Happened]]
    touched: list[Touched]


@dataclass
class Lot:
    """`own` holds the bid that stands of each bidder, `ended` those of them that the batch has superseded."""

    row: ReadLot
    own: dict[OrgId, Bid]
    state: State = field(init=False)
    last_stamp: datetime | None = field(init=False)
    placed: list[Bid] = field(default_factory=list)
    ended: list[Bid] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state, self.last_stamp = self.row.state, self.row["last_stamp"]

    @property
    def listing(self) -> Listing:
        """For functions that read a model."""
        return cast("Listing", self.row)

    def takes(self, new: NewBid, dossier: Dossier, actor: Actor) -> bool:
        """Whether nothing is against the bid but its price and its hour; what is, the route says."""
        site, now = dossier.sites.get(new.site_id), self.row["now"]
        if site is None or not self.row.is_seen_by(actor):
            return False
        if PROCESSORS.isdisjoint(actor.roles) or not dossier.may_begin(PROCESSORS, now.date()):
            return False
        if dossier.is_same_entity(self.row["seller_vat_id"], self.row["seller_iban"]):
            return False
        if any(True for _ in eligibility.against_terms(new, self.listing)):
            return False
        return dossier.covers(self.row.masses, eligibility.question(new, site, now))

    def judge(self, new: NewBid, actor: Actor, waited: timedelta) -> Counted | None:
        """`waited`: for how long, when the lot was asked for. None for what came before bidding began. Raises BiddingHasClosed and
        BidTooLow."""
        received_at = intent_log.stamped(self.row["now"] - waited, self.last_stamp)
        if self.row["status"] != "open" or received_at > self.state.ends_at:
            raise BiddingHasClosed(self.row["id"], received_at=received_at, ended_at=self.state.ends_at)
        rules = auctions.rules_of(self.listing)
        if rules.opens_at is not None and received_at < rules.opens_at:
            return None
        bid = placing.bid_of(new, self.listing, actor.org, received_at)
        entry = Entry(received_at, bid.id, bid.bidder_id, bid.price.minor, bid.limit_minor)
        after, verdict = adjudicating.step(self.state, entry, rules)
        if verdict not in adjudicating.COUNTS:
            raise placing.too_low(self.state, bid, self.listing, rules)
        self.state, self.last_stamp = after, received_at
        bid.sequence = after.count
        return self._count(bid, actor)

    def _count(self, bid: Bid, actor: Actor) -> Counted:
        happened, touched = [], []
        old = self.own.get(bid.bidder_id)
        if old is not None:
            before = {"status": old.status, "version": old.version, "ended_reason": old.ended_reason}
            happened.append((old, placing.superseded(old)))
            touched.append(Touched(old, "changed", before))
            if all(old is not new for new in self.placed):
                self.ended.append(old)
        happened += [(bid, told) for told in placing.admitted(bid)]
        touched.append(Touched(bid, "added"))
        self.own[bid.bidder_id] = bid
        self.placed.append(bid)
        return Counted(bid, self._facts(bid), happened, touched)

    def _facts(self, bid: Bid) -> BidFacts:
        lead = self.state.lead
        assert lead is not None, "a bid has counted"
        price = Money(lead.price_minor, self.row["currency"])
        is_leading = lead.bid_id == bid.id
        return BidFacts(bid.received_at, "timed", "open", False, is_leading=is_leading, leading_price=price)


def lots_of(rows: Iterable[ReadLot], own: Iterable[Any]) -> dict[str, Lot]:
    """By listing, of those that the batch may judge bids for."""
    found = {row["id"]: Lot(row, {}) for row in rows if row.is_plain}
    for one in own:
        if one["listing_id"] in found:
            found[one["listing_id"]].own[one["bidder_id"]] = Bid(**dict(one))
    return found
