"""The places of an organization."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field as Limits
from pydantic import StringConstraints, model_validator
from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from services.kernel.ids import OrgId, SiteId
from services.kernel.tables import Versioned, json_field
from services.parties.models.fields import ClockTime, CountryCode, Latitude, Longitude, Name

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PostalCode = Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
Docks = Annotated[int, Limits(ge=1, le=500)]


class SiteDetails(SQLModel):
    """`opens` and `closes` are local times of `timezone`, an IANA zone; `docks` says how many lorries stand at once."""

    name: Name
    street: Name
    postal_code: PostalCode
    city: Name
    country: CountryCode = Field(description="ISO 3166-1 alpha-2")
    latitude: Latitude
    longitude: Longitude
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    docks: int = Field(default=1, ge=1, le=500)
    opens: ClockTime = "06:00"
    closes: ClockTime = "18:00"


class OpeningHours(SQLModel):
    """One stretch of one weekday, by the clock on the site's wall."""

    day: Weekday
    opens: ClockTime
    closes: ClockTime


class Blackout(SQLModel):
    """Days on which nobody is at the dock, both inclusive, by the site's calendar."""

    starts_on: date
    ends_on: date
    reason: Name

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError("a blackout ends no earlier than it starts")
        return self


Hours = Annotated[list[OpeningHours], Limits(max_length=28)]
Blackouts = Annotated[list[Blackout], Limits(max_length=400)]


class SiteCalendar(SQLModel):
    """Without `hours` a site is open from `opens` to `closes` every day; with them only when they say so."""

    hours: Hours = []
    blackouts: Blackouts = []


class SiteChanges(SQLModel):
    """What is set changes. Country and time zone stay: goods, permits and slots already lean on them."""

    name: Name | None = None
    street: Name | None = None
    postal_code: PostalCode | None = None
    city: Name | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    docks: Docks | None = None
    opens: ClockTime | None = None
    closes: ClockTime | None = None
    hours: Hours | None = None
    blackouts: Blackouts | None = None

    @model_validator(mode="after")
    def _nothing_is_emptied(self) -> Self:
        for name in self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class Site(SiteDetails, Versioned, table=True):
    """A place of an organization. `hours` and `blackouts` are those of `SiteCalendar` as JSON."""

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint("docks BETWEEN 1 AND 500", name="docks"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="place"),
        CheckConstraint("opens < closes", name="hours"),
    )

    id: SiteId = Field(default_factory=SiteId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    hours: list[dict[str, Any]] = json_field(default_factory=list)
    blackouts: list[dict[str, Any]] = json_field(default_factory=list)
