"""The seller's own prices: how they are stored, and that they are in the listing's currency. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.kernel.errors import Detail, Invalid
from services.kernel.money import Money
from services.listings.models import Listing, ListingChanges, ListingTerms

PRICES = ("price", "reserve_price", "increment")


def stored(said: ListingTerms | ListingChanges | Listing, names: Iterable[str]) -> dict[str, Any]:
    """These fields as columns: money as its minor units, in the currency of the listing."""
    values = {name: getattr(said, name) for name in names}
    return {(f"{name}_minor" if name in PRICES else name): _minor(value) for name, value in values.items()}


def _minor(value: Any) -> Any:
    return value.minor if isinstance(value, Money) else value


def after(listing: Listing, changes: ListingChanges) -> dict[str, Money | None]:
    """The prices as they would be: those that were not sent stay as they are, in the currency they were said in."""
    return {name: getattr(changes if name in changes.model_fields_set else listing, name) for name in PRICES}


def must_be_in(currency: str, prices: Mapping[str, Money | None]) -> None:
    """Raises Invalid (`currency_differs`) with a pointer per price that is not."""
    wrong = [
        Detail(f"/{name}/currency", "currency_differs", f"The listing is priced in {currency}.")
        for name, price in prices.items()
        if price is not None and price.currency != currency
    ]
    if wrong:
        raise Invalid(*wrong)
