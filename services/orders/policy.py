"""Who is who in an order, and who hears of it: pure functions of actor and model."""

from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.ids import OrgId
from services.kernel.states import Machine
from services.orders.models import Order


def roles_of(actor: Actor, order: Order) -> frozenset[str]:
    """The actor's parts; the buyer's people are also those of the receiving site."""
    if actor.is_operator:
        return frozenset({"operator", "time"} if actor.kind == "system" else {"operator"})
    parts = {"seller": order.seller_id, "buyer": order.buyer_id, "receiver": order.buyer_id}
    return frozenset(part for part, org_id in parts.items() if org_id == actor.org_id)


def acting(machine: Machine, transition: str, roles: frozenset[str]) -> str:
    """The part in which somebody of these roles makes the transition; Forbidden if in none."""
    actors = [actor for known in machine.named(transition) for actor in known.actors]
    for actor in actors:
        if actor in roles:
            return actor
    raise Forbidden(f"{transition} of this {machine.thing} is for the {' or '.join(dict.fromkeys(actors))}.")


def audience(order: Order) -> dict[OrgId, str]:
    """Both sides hear everything; a carrier hears nothing of orders."""
    return {order.seller_id: "seller", order.buyer_id: "buyer"}
