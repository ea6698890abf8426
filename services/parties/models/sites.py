"""The places of an organization."""

from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from services.kernel.ids import OrgId, SiteId
from services.kernel.tables import Versioned
from services.parties.models.fields import ClockTime, CountryCode, Latitude, Longitude, Name


class SiteDetails(SQLModel):
    """`opens` and `closes` are local times of `timezone`, an IANA zone; `docks` says how many lorries stand at once."""

    name: Name
    street: Name
    postal_code: Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
    city: Name
    country: CountryCode = Field(description="ISO 3166-1 alpha-2")
    latitude: Latitude
    longitude: Longitude
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    docks: int = Field(default=1, ge=1, le=500)
    opens: ClockTime = "06:00"
    closes: ClockTime = "18:00"


class Site(SiteDetails, Versioned, table=True):
    """A place of an organization."""

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint("docks BETWEEN 1 AND 500", name="docks"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="place"),
        CheckConstraint("opens < closes", name="hours"),
    )

    id: SiteId = Field(default_factory=SiteId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
