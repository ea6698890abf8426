"""What saved searches tell, to their organization alone."""

from services.kernel.events import Event
from services.kernel.ids import ListingId, OrgId, SavedSearchId


class SavedSearchMatched(Event, type="saved_search.matched"):
    """A listing was published that the search finds. Told once for each search and listing."""

    saved_search_id: SavedSearchId
    org_id: OrgId
    name: str
    listing_id: ListingId
    title: str
