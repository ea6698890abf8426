"""The movements an order needs: the goods to the buyer, and what was refused back to where it came from."""

from services.kernel.ids import PickupId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.orders import queries
from services.orders.models import Order, OrderLine, Remainder
from services.orders.terms import Terms
from services.parties import queries as parties
from services.pickups import scheduling
from services.pickups.models import Goods


async def request_delivery(work: UnitOfWork, order: Order, terms: Terms) -> PickupId:
    """Where no ceiling was agreed no carrier can be paid, so the owner hauls itself. Who has the goods is whose site
    they lie at."""
    origin = await parties.site(work, order.from_site_id)
    wanted = scheduling.PickupRequest(
        order_id=order.id,
        owner_id=terms.haulage_payer_id,
        seller_id=order.seller_id,
        receiver_id=order.buyer_id,
        from_site_id=order.from_site_id,
        to_site_id=order.to_site_id,
        custodian_id=origin.org_id,
        goods=[_goods(line, line.quantity, line.mass_g or 0) for line in await queries.lines(work, order.id)],
        ceiling=terms.haulage_ceiling or Money.zero(terms.price.currency),
        currency=terms.price.currency,
    )
    return (await scheduling.request(work, wanted)).id


async def request_return(work: UnitOfWork, order: Order, remainder: Remainder, line: OrderLine) -> PickupId:
    """The seller fetches what was refused; no money is held for a carrier, so it hauls itself."""
    wanted = scheduling.PickupRequest(
        order_id=order.id,
        owner_id=order.seller_id,
        seller_id=order.seller_id,
        receiver_id=order.seller_id,
        from_site_id=order.to_site_id,
        to_site_id=order.from_site_id,
        custodian_id=order.buyer_id,
        goods=[_goods(line, remainder.quantity, remainder.mass_g)],
        ceiling=Money.zero(remainder.currency),
        currency=remainder.currency,
    )
    return (await scheduling.request(work, wanted)).id


def _goods(line: OrderLine, quantity: int, mass_g: int) -> Goods:
    return Goods(
        line_id=line.id,
        title=line.title,
        quantity=quantity,
        mass_g=mass_g,
        waste_code=line.waste_code,
        un_number=line.un_number,
        is_hazardous=line.is_hazardous,
    )
