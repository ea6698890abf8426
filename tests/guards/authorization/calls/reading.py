"""The feed and the webhooks, and what the monitoring reads."""

from tests.guards.authorization.asking import Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return (
        _endpoints(world)
        | _service()
        | {
            "deliveries.list": Call("seller", "buyer", query={"endpoint_id": world["endpoint"]}),
            "deliveries.resend": Call("seller", "buyer", path={"delivery_id": world["delivery"]}),
            "events.list": Call("seller", "loser"),
            "events.get": Call("buyer", "seller", path={"event_id": world["secret_event"]}),
        }
    )


def _service() -> dict[str, Call]:
    return {f"service.{name}": Call("seller", "buyer") for name in ("health", "ready", "metrics")}


def _endpoints(world: World) -> dict[str, Call]:
    endpoint = {"endpoint_id": world["endpoint"]}
    return {
        "webhook_endpoints.create": Call("seller", "buyer"),
        "webhook_endpoints.list": Call("seller", "buyer"),
        "webhook_endpoints.get": Call("seller", "buyer", path=endpoint),
        "webhook_endpoints.update": Call("seller", "buyer", path=endpoint),
        "webhook_endpoints.rotate_secret": Call("seller", "buyer", path=endpoint),
        "webhook_endpoints.delete": Call("seller", "buyer", path=endpoint),
    }
