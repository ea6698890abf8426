"""The tables of listings, what a seller may put into them, and how a listing may move."""

from services.listings.models.capabilities import MOST_ADMITTED, InvitedCapability
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
from services.listings.models.imports import IMPORT, IMPORT_STATUSES, IMPORTS_UNDER_WAY, Import, ImportProfile
from services.listings.models.listings import (
    AWARDED_WHILE_OPEN,
    BEFORE_THE_CLOSE,
    ENDED_WITHOUT_AWARD,
    NOT_BEGUN,
    SEARCHABLE,
    STATUSES,
    Listing,
)
from services.listings.models.moves import LISTING, OPEN, ListingFacts
from services.listings.models.offers import Offer
from services.listings.models.recalls import RECALL, RECALL_QUARANTINE, RecallCampaign, Stop
from services.listings.models.searches import Criteria, NewSearch, SavedSearch

__all__ = [
    "AWARDED_WHILE_OPEN",
    "BEFORE_THE_CLOSE",
    "DISPOSITIONS",
    "ENDED_WITHOUT_AWARD",
    "IMPORT",
    "IMPORTS_UNDER_WAY",
    "IMPORT_STATUSES",
    "LISTING",
    "MOST_ADMITTED",
    "NOT_BEGUN",
    "OPEN",
    "RECALL",
    "RECALL_QUARANTINE",
    "SEARCHABLE",
    "STATUSES",
    "Criteria",
    "DraftItem",
    "DraftListing",
    "Import",
    "ImportProfile",
    "InvitedCapability",
    "Item",
    "ItemChanges",
    "Lineage",
    "Listing",
    "ListingChanges",
    "ListingFacts",
    "ListingTerms",
    "NewSearch",
    "Offer",
    "Packaging",
    "Photo",
    "RecallCampaign",
    "SavedSearch",
    "Share",
    "Stop",
    "Unit",
]
