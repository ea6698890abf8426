"""What webhooks themselves tell."""

from services.kernel.events import Event
from services.kernel.ids import EndpointId


class EndpointDisabled(Event, type="webhook_endpoint.disabled"):
    """We have stopped sending to the endpoint; the feed still has everything."""

    endpoint_id: EndpointId
    url: str
    reason: str


class SecretRotated(Event, type="webhook_endpoint.secret_rotated"):
    """Both secrets sign for 24 hours, then the new one alone."""

    endpoint_id: EndpointId
