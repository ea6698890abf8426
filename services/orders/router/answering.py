"""An order as its caller may see it."""

from fastapi import Response

from services.kernel.actors import Actor
from services.kernel.http.routing import tag
from services.kernel.unit_of_work import UnitOfWork
from services.orders import overview, policy
from services.orders.models import Order
from services.orders.schemas import OrderAnswer


async def shown(work: UnitOfWork, order: Order, actor: Actor, answer: Response) -> OrderAnswer:
    tag(answer, order.version)
    return OrderAnswer.of(await overview.of(work, order), policy.roles_of(actor, order))
