"""The tables of listings, what a seller may put into them, and how a listing may move."""

from services.listings.models.drafts import (
    DISPOSITIONS,
    DraftItem,
    DraftListing,
    ItemChanges,
    ListingChanges,
    ListingTerms,
    Packaging,
    Photo,
    Share,
)
from services.listings.models.goods import Item, Unit
from services.listings.models.imports import IMPORT, IMPORT_STATUSES, IMPORTS_UNDER_WAY, Import, ImportProfile
from services.listings.models.listings import ENDED_WITHOUT_AWARD, SEARCHABLE, STATUSES, Listing
from services.listings.models.moves import LISTING, ListingFacts

__all__ = [
    "DISPOSITIONS",
    "ENDED_WITHOUT_AWARD",
    "IMPORT",
    "IMPORTS_UNDER_WAY",
    "IMPORT_STATUSES",
    "LISTING",
    "SEARCHABLE",
    "STATUSES",
    "DraftItem",
    "DraftListing",
    "Import",
    "ImportProfile",
    "Item",
    "ItemChanges",
    "Listing",
    "ListingChanges",
    "ListingFacts",
    "ListingTerms",
    "Packaging",
    "Photo",
    "Share",
    "Unit",
]
