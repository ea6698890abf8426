"""A search that is kept: what is looked for, under a name."""

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic import Field as Described
from sqlalchemy import Index
from sqlmodel import Field

from services.kernel.ids import OrgId, SavedSearchId
from services.kernel.quantities import MOST_GRAMS
from services.kernel.tables import Versioned, json_field
from services.listings.models.drafts import (
    ConditionGrade,
    Disposition,
    Material,
    Mode,
    PriceDirection,
    ReturnReason,
    Title,
    WasteCode,
)

MOST_KG = MOST_GRAMS // 1_000
Near = Annotated[str, StringConstraints(max_length=60)]
CountryCode = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class Criteria(BaseModel):
    """What a search asks, under the names of its parameters; what is left out asks nothing."""

    model_config = ConfigDict(extra="forbid")

    material: Material | None = None
    return_reason: ReturnReason | None = None
    condition: ConditionGrade | None = None
    condition_floor: ConditionGrade | None = None
    disposition_floor: Disposition | None = None
    mode: Mode | None = None
    price_direction: PriceDirection | None = None
    country: CountryCode | None = Described(default=None, description="ISO 3166-1 alpha-2")
    waste_code: WasteCode | None = None
    mass_min_kg: Annotated[int, Described(ge=0, le=MOST_KG)] | None = None
    mass_max_kg: Annotated[int, Described(ge=0, le=MOST_KG)] | None = None
    closes_from: AwareDatetime | None = None
    closes_until: AwareDatetime | None = None
    text: Annotated[str, StringConstraints(min_length=2, max_length=200)] | None = None
    near: Near | None = Described(
        default=None, description="latitude,longitude in degrees", examples=["51.3127,9.4797"]
    )
    radius_km: Annotated[float, Described(gt=0, le=500)] = 100

    @model_validator(mode="after")
    def _ask_something(self) -> Self:
        if not any(getattr(self, name) is not None for name in type(self).model_fields if name != "radius_km"):
            raise ValueError("a search that is kept asks for something")
        return self


class SavedSearch(Versioned, table=True):
    """`criteria` are those of `Criteria` as JSON; `material` and `country` stand beside them for the index."""

    __tablename__ = "saved_search"
    __table_args__ = (
        Index("ix_saved_search_material", "livemode", "material", "country"),
        Index("ix_saved_search_org_id", "org_id", "id"),
    )

    id: SavedSearchId = Field(default_factory=SavedSearchId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    name: str
    criteria: dict[str, Any] = json_field()
    material: str | None = None
    country: str | None = None


class NewSearch(BaseModel):
    """A name, and what is looked for."""

    model_config = ConfigDict(extra="forbid")

    name: Title
    criteria: Criteria
