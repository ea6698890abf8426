"""What is looked for, and by whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.kernel.actors import Actor
from services.listings.searching.places import USUAL_KM, Place

Sort = Literal["newest", "closing", "distance"]


@dataclass(frozen=True)
class Wanted:
    """None asks nothing. Material, waste code, reason and condition must meet in one item; `condition_floor` is this grade or a
    better one, `disposition_floor` what the holder accepts at the lowest. Masses are those of the whole listing in grams;
    `text` is words of titles and descriptions, all of which must be there."""

    status: str = "open"
    material: str | None = None
    return_reason: str | None = None
    condition: str | None = None
    country: str | None = None
    near: Place | None = None
    radius_km: float = USUAL_KM
    condition_floor: str | None = None
    disposition_floor: str | None = None
    mode: str | None = None
    price_direction: str | None = None
    waste_code: str | None = None
    least_g: int | None = None
    most_g: int | None = None
    closes_from: datetime | None = None
    closes_until: datetime | None = None
    text: str | None = None
    sort: Sort = "newest"


@dataclass(frozen=True)
class Seeker:
    """Whose search it is, as far as what is found depends on it."""

    org_id: str | None
    livemode: bool
    is_operator: bool = False
    site_ids: frozenset[str] | None = None

    @classmethod
    def of(cls, actor: Actor) -> "Seeker":
        sites = None if actor.site_ids is None else frozenset(str(site) for site in actor.site_ids)
        return cls(actor.org_id, actor.livemode, actor.is_operator, sites)
