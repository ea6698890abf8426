"""Who may move a listing from where to where, and what forbids it."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.kernel.errors import Detail, Reason
from services.kernel.states import Machine, Transition
from services.listings.models.listings import AWARDED_WHILE_OPEN, Listing


@dataclass(frozen=True)
class ListingFacts:
    """What a verb has looked up for a decision. `standing` is what stands against the seller's papers, `shortcomings` what the
    content lacks for publishing, by pointer."""

    may_list: bool = True
    shortcomings: tuple[Detail, ...] = ()
    standing: tuple[Reason, ...] = ()


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
    Transition("close", ("open",), "closed", ("time",), endpoint=False),
    Transition(
        "award",
        ("closed", "open"),
        "awarded",
        ("seller", "time"),
        guards=(_is_negotiated_while_open,),
        endpoint=False,
    ),
    Transition("reopen_award", ("awarded",), "closed", ("time",), endpoint=False),
    Transition("expire", ("closed",), "expired", ("time",), endpoint=False),
    Transition("fulfil", ("awarded",), "fulfilled", ("time",), endpoint=False),
    Transition("withdraw", ("draft", "in_review", "scheduled", "open", "closed"), "withdrawn", ("seller",)),
    Transition(
        "cancel", ("draft", "in_review", "scheduled", "open", "closed"), "cancelled", ("operator",), endpoint=False
    ),
)
"""Pausing, amending and awarding by fraction come with their own rows; `award` is called on the bid."""
