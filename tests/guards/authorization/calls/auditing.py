"""The audit trail."""

from tests.guards.authorization.asking import Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return {"audit.list": Call("seller", "buyer"), "audit.export": Call("seller", "buyer")}
