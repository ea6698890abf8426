"""Who may move a listing from where to where, and what forbids it."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.kernel.errors import Detail, Reason
from services.kernel.states import Machine, Transition
from services.listings.models.listings import AWARDED_WHILE_OPEN, Listing


@dataclass(frozen=True)
class ListingFacts:
    """What a verb has looked up for a decision. `standing` is what stands against the seller's papers, `shortcomings` what the
    content lacks for publishing, by pointer. `has_live_bids`: somebody could still win what is in it."""

    may_list: bool = True
    shortcomings: tuple[Detail, ...] = ()
    standing: tuple[Reason, ...] = ()
    has_live_bids: bool = False


def _seller_may_list(listing: Listing, facts: ListingFacts) -> Iterable[Reason]:
    if not facts.may_list:
        yield Reason("may_not_list", "Only a verified manufacturer or holder lists goods.")


def _seller_is_in_good_standing(listing: Listing, facts: ListingFacts) -> Iterable[Reason]:
    return facts.standing if facts.may_list else ()


def _content_is_complete(listing: Listing, facts: ListingFacts) -> Iterable[Reason]:
    for shortcoming in facts.shortcomings:
        yield Reason(shortcoming.code, f"{shortcoming.pointer}: {shortcoming.detail}")


def _is_negotiated_while_open(listing: Listing, facts: ListingFacts) -> Iterable[Reason]:
    if listing.status == "open" and listing.mode not in AWARDED_WHILE_OPEN:
        yield Reason("still_open", "Bids are awarded after the close; only a negotiated listing is awarded while open.")


def _nobody_has_bid(listing: Listing, facts: ListingFacts) -> Iterable[Reason]:
    if listing.status == "open" and listing.mode == "sealed":
        yield Reason("bids_are_sealed", "Whether there are bids is a secret until the close.")
    elif facts.has_live_bids:
        yield Reason("has_live_bids", "Bidders rely on what they have bid for.")


def _is_no_remainder(listing: Listing, facts: ListingFacts) -> Iterable[Reason]:
    if listing.origin_remainder_id is not None:
        yield Reason("remainder_stays_whole", "What was refused at a receipt has one route, as a whole.")


OPEN = "listing.open"
"""The timer that opens what is scheduled."""

LISTING = Machine(
    "listing",
    Transition(
        "publish",
        ("draft",),
        "in_review",
        ("seller",),
        guards=(_seller_may_list, _seller_is_in_good_standing, _content_is_complete),
    ),
    Transition("approve", ("in_review",), "scheduled", ("operator", "time"), endpoint=False),
    Transition("open", ("scheduled",), "open", ("time",), endpoint=False),
    Transition(
        "split",
        ("draft", "scheduled", "open"),
        None,
        ("seller",),
        (_nobody_has_bid, _is_no_remainder),
        despite_stops=True,
    ),
    Transition("merge", ("draft",), "withdrawn", ("seller",), (_is_no_remainder,), despite_stops=True),
    Transition("close", ("open",), "closed", ("time",), endpoint=False, despite_stops=True),
    Transition(
        "award",
        ("closed", "open", "partially_awarded"),
        "awarded",
        ("seller", "time"),
        guards=(_is_negotiated_while_open,),
        endpoint=False,
    ),
    Transition(
        "award_part",
        ("closed", "open", "partially_awarded"),
        "partially_awarded",
        ("seller", "time"),
        guards=(_is_negotiated_while_open,),
        endpoint=False,
    ),
    Transition("relist_remainder", ("partially_awarded",), "awarded", ("seller", "time"), despite_stops=True),
    Transition(
        "reopen_award", ("awarded", "partially_awarded"), "closed", ("time",), endpoint=False, despite_stops=True
    ),
    Transition(
        "reopen_part",
        ("awarded", "partially_awarded"),
        "partially_awarded",
        ("time",),
        endpoint=False,
        despite_stops=True,
    ),
    Transition("expire", ("closed",), "expired", ("time",), endpoint=False, despite_stops=True),
    Transition("fulfil", ("awarded",), "fulfilled", ("time",), endpoint=False, despite_stops=True),
    Transition(
        "withdraw",
        ("draft", "in_review", "scheduled", "open", "closed"),
        "withdrawn",
        ("seller",),
        despite_stops=True,
    ),
    Transition(
        "cancel",
        ("draft", "in_review", "scheduled", "open", "closed"),
        "cancelled",
        ("operator",),
        endpoint=False,
        despite_stops=True,
    ),
)
"""Pausing and amending come with their own rows; `award` is called on the bid. `…_part` is of a listing sold in parts, of which
something is free, or still awarded."""
