"""Requests and answers about sites."""

from typing import Self

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import OrgId, SiteId
from services.kernel.pagination import Page
from services.parties.models import (
    Blackout,
    OpeningHours,
    Site,
    SiteCalendar,
    SiteChanges,
    SiteDetails,
)

_WEEK: list[JsonDict] = [
    {"day": "monday", "opens": "06:00", "closes": "18:00"},
    {"day": "friday", "opens": "06:00", "closes": "13:00"},
]
_HOLIDAYS: list[JsonDict] = [{"starts_on": "2027-12-24", "ends_on": "2028-01-02", "reason": "Works holidays"}]


class NewSite(Request, SiteDetails, SiteCalendar):
    """A place; its hours are local times. Without `hours` it is open from `opens` to `closes` every day, with them only when
    they say so."""

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
                    "blackouts": [*_HOLIDAYS],
                }
            ]
        },
    )

    @property
    def calendar(self) -> SiteCalendar:
        return SiteCalendar(hours=self.hours, blackouts=self.blackouts)


class ChangedSite(Request, SiteChanges):
    """What is sent changes, what is not stays; `hours` and `blackouts` are sent whole."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid",
        json_schema_extra={"examples": [{"docks": 3, "hours": [*_WEEK], "blackouts": [*_HOLIDAYS]}]},
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
    hours: list[OpeningHours] = Field(description="Empty: from `opens` to `closes` every day")
    blackouts: list[Blackout]
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, row: Site) -> Self:
        return cls.model_validate(row)


class SitePage(Page[SiteAnswer]):
    """Sites, newest first."""
