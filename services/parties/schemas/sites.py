"""Requests and answers about sites."""

from typing import Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import OrgId, SiteId
from services.kernel.pagination import Page
from services.parties.models import (
    Site,
    SiteDetails,
)


class NewSite(Request, SiteDetails):
    """A place; `opens` and `closes` are its local times."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Werk Kassel",
                    "street": "Werkstraße 1",
                    "postal_code": "34117",
                    "city": "Kassel",
                    "country": "DE",
                    "latitude": 51.3127,
                    "longitude": 9.4797,
                    "timezone": "Europe/Berlin",
                    "docks": 2,
                    "opens": "06:00",
                    "closes": "18:00",
                }
            ]
        },
    )


class SiteAnswer(Response):
    """A place of the organization."""

    id: SiteId
    org_id: OrgId
    livemode: bool
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    latitude: float
    longitude: float
    timezone: str = Field(description="IANA")
    docks: int
    opens: str
    closes: str
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: Site) -> Self:
        return cls.model_validate(row)


class SitePage(Page[SiteAnswer]):
    """Sites, newest first."""
