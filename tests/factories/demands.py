"""Standing demand orders for tests, given through the real verb."""

from services.bidding.demanding import ordering
from services.bidding.models import DemandOrder, NewDemand
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from tests.factories.parties import Party

EUR = "EUR"


def new_demand(buyer: Party, **given: object) -> NewDemand:
    """20 t of steel a week within 200 km of the buyer's site, at most 150.00 EUR a tonne, to be recycled by R4."""
    usual: dict[str, object] = {
        "name": "Steel scrap",
        "site_id": buyer.site.id,
        "material": "steel",
        "weekly": {"value": "20", "unit": "t"},
        "radius_km": 200,
        "price_limit": {"amount": "150.00", "currency": EUR},
        "disposition": "recycle",
        "operation": "R4",
    }
    return NewDemand.model_validate(usual | given)


async def demand_order(sessions: Sessions, buyer: Party, **given: object) -> DemandOrder:
    async with UnitOfWork(sessions, buyer.actor) as work:
        return await ordering.create(work, new_demand(buyer, **given), by=buyer.actor)
