"""Who may do what with a listing: pure functions of an actor and a model."""

from services.kernel.actors import Actor
from services.listings.errors import ListingIsNotADraft, MayNotList, NotTheSeller
from services.listings.models import Listing

SELLERS = frozenset({"manufacturer", "holder"})


def may_list(actor: Actor, *, is_remainder: bool = False) -> bool:
    """Whoever must part with goods properly; a refused remainder is offered by whoever it belongs to."""
    return is_remainder or actor.kind == "system" or not SELLERS.isdisjoint(actor.roles)


def must_be_able_to_list(actor: Actor, *, is_remainder: bool) -> None:
    if not may_list(actor, is_remainder=is_remainder):
        raise MayNotList()


def must_be_the_seller(actor: Actor, listing: Listing) -> None:
    """Backhaul's own rules act for the seller."""
    if actor.kind != "system" and actor.org_id != listing.seller_id:
        raise NotTheSeller()


def must_be_a_draft(listing: Listing) -> None:
    if listing.status != "draft":
        raise ListingIsNotADraft(listing.status)


def parties_of(actor: Actor, listing: Listing) -> list[str]:
    """The actor's parts in the listing's state machine."""
    parties = ["seller"] if actor.org_id is not None and actor.org_id == listing.seller_id else ["processor"]
    return [*parties, "operator"] if actor.is_operator else parties


def must_see_all_of(actor: Actor, listing: Listing) -> None:
    if not sees_all_of(actor, listing):
        raise NotTheSeller()


def sees_all_of(actor: Actor, listing: Listing) -> bool:
    """Whom the seller invited, by name or how, its reserve, and where a remainder came from, is not for every reader."""
    return actor.org_id == listing.seller_id or actor.is_operator
