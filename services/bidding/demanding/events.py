"""What demand orders tell, to their organization alone."""

from pydantic import BaseModel

from services.kernel.events import Event
from services.kernel.ids import DemandId, ListingId, OrgId
from services.kernel.quantities import Mass


class DemandFact(BaseModel):
    """What every event of a demand order carries."""

    demand_order_id: DemandId
    org_id: OrgId
    name: str
    material: str


class DemandCreated(DemandFact, Event, type="demand_order.created"):
    """A standing order was given; what is published from now on is held against it."""


class DemandPaused(DemandFact, Event, type="demand_order.paused"):
    """It is held against nothing until it is resumed."""


class DemandResumed(DemandFact, Event, type="demand_order.resumed"):
    """What is published from now on is held against it again."""


class DemandCancelled(DemandFact, Event, type="demand_order.cancelled"):
    """It has ended; bids that it placed stand."""


class DemandExpired(DemandFact, Event, type="demand_order.expired"):
    """Its `valid_until` is over; bids that it placed stand."""


class DemandMatched(DemandFact, Event, type="demand_order.matched"):
    """A published listing is all that the order asks for. `mass` is that of the whole lot."""

    listing_id: ListingId
    mass: Mass
    distance_km: float
