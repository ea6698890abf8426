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
from services.listings.models.imports import IMPORT, IMPORT_STATUSES, Import
from services.listings.models.listings import ENDED_WITHOUT_AWARD, SEARCHABLE, STATUSES, Listing
from services.listings.models.moves import LISTING, ListingFacts
from services.listings.models.offers import Offer
from services.listings.models.searches import Criteria, NewSearch, SavedSearch

__all__ = [
    "DISPOSITIONS",
    "ENDED_WITHOUT_AWARD",
    "IMPORT",
    "IMPORT_STATUSES",
    "LISTING",
    "SEARCHABLE",
    "STATUSES",
    "Criteria",
    "DraftItem",
    "DraftListing",
    "Import",
    "Item",
    "ItemChanges",
    "Listing",
    "ListingChanges",
    "ListingFacts",
    "ListingTerms",
    "NewSearch",
    "Offer",
    "Packaging",
    "Photo",
    "SavedSearch",
    "Share",
    "Unit",
]
