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
from services.listings.models.goods import Item, Lineage, Unit
from services.listings.models.imports import IMPORT, IMPORT_STATUSES, Import
from services.listings.models.listings import AWARDED_WHILE_OPEN, ENDED_WITHOUT_AWARD, SEARCHABLE, STATUSES, Listing
from services.listings.models.moves import LISTING, ListingFacts
from services.listings.models.offers import Offer
from services.listings.models.recalls import RECALL, RECALL_QUARANTINE, RecallCampaign, Stop

__all__ = [
    "AWARDED_WHILE_OPEN",
    "DISPOSITIONS",
    "ENDED_WITHOUT_AWARD",
    "IMPORT",
    "IMPORT_STATUSES",
    "LISTING",
    "RECALL",
    "RECALL_QUARANTINE",
    "SEARCHABLE",
    "STATUSES",
    "DraftItem",
    "DraftListing",
    "Import",
    "Item",
    "ItemChanges",
    "Lineage",
    "Listing",
    "ListingChanges",
    "ListingFacts",
    "ListingTerms",
    "Offer",
    "Packaging",
    "Photo",
    "RecallCampaign",
    "Share",
    "Stop",
    "Unit",
]
