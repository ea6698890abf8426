"""Requests and answers of saved searches."""

from typing import Self

from pydantic import ConfigDict

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import OrgId, SavedSearchId
from services.kernel.pagination import Page
from services.listings.models import Criteria, NewSearch, SavedSearch


class NewSavedSearch(NewSearch, Request):
    """A name, and what is looked for, under the names of the search's parameters."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Copper around Kassel",
                    "criteria": {"material": "copper", "near": "51.3127,9.4797", "radius_km": 150, "mass_min_kg": 5000},
                }
            ]
        },
    )


class SavedSearchAnswer(Response):
    """A search that is kept."""

    id: SavedSearchId
    livemode: bool
    created_at: UtcDatetime
    version: int
    org_id: OrgId
    name: str
    criteria: Criteria

    @classmethod
    def of(cls, search: SavedSearch) -> Self:
        plain = {name: getattr(search, name) for name in cls.model_fields if name != "criteria"}
        return cls(**plain, criteria=Criteria.model_validate(search.criteria))


class SavedSearchPage(Page[SavedSearchAnswer]):
    """Searches that are kept, newest first."""
