"""What a capability may ask, and how it is kept. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.kernel.errors import Detail, Invalid
from services.kernel.reference import operations
from services.listings.models import InvitedCapability, Item, Listing


def stored(asked: InvitedCapability | None) -> dict[str, Any] | None:
    """As its column. Raises Invalid: `capability_empty`, `operation_unknown`, `operation_needs_permit`."""
    if asked is None:
        return None
    wrong = list(_against(asked))
    if wrong:
        raise Invalid(*wrong)
    found = asked.model_dump(mode="json")
    return found | {"operation": operations.find(asked.operation).code if asked.operation else None}


def _against(asked: InvitedCapability) -> Iterator[Detail]:
    at = "/invited_capability"
    if asked.is_empty:
        yield Detail(at, "capability_empty", "Every processor has it; name a role, a country or a permit.")
    if asked.operation is not None and not operations.is_known(asked.operation):
        yield Detail(f"{at}/operation", "operation_unknown", "An operation is R1 to R13 or D1 to D15.")
    if asked.operation is not None and not asked.has_permit:
        yield Detail(f"{at}/operation", "operation_needs_permit", "An operation is asked of permits; ask for one.")


def shortcomings(listing: Listing, items: Sequence[Item]) -> Iterator[Detail]:
    """What stands against publishing it to those it names."""
    asked = listing.invited_capability
    if listing.visibility == "invited" and not listing.invited and asked is None:
        yield Detail(
            "/invited", "nobody_invited", "An invited listing names the processors it is for, or what they can do."
        )
    if asked is None:
        return
    if listing.visibility == "public":
        yield Detail(
            "/invited_capability", "capability_needs_invited", "A public listing is open to everybody already."
        )
    if asked["has_permit"] and not any(item.waste_code for item in items):
        sentence = "No item has a waste code, so nobody needs a permit."
        yield Detail("/invited_capability/has_permit", "permit_needs_waste_code", sentence)
