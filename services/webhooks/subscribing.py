"""Endpoints: registered, changed, rotated, removed by their organization."""

from datetime import timedelta

from services.kernel import clock, jobs
from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.events import CATALOGUE
from services.kernel.ids import EndpointId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.webhooks import destinations, queries, signing
from services.webhooks.events import EndpointDisabled, SecretRotated
from services.webhooks.models import Endpoint

OVERLAP = timedelta(hours=24)
LANE = "webhooks.lane"
"""The job that works off what is due at one endpoint."""


def check_types(event_types: list[str]) -> None:
    families = {known.split(".", 1)[0] + ".*" for known in CATALOGUE}
    for index, event_type in enumerate(event_types):
        if event_type not in CATALOGUE and event_type not in families:
            raise invalid(f"/event_types/{index}", "event_type_unknown", f"No event is called {event_type}.")


async def register(
    work: UnitOfWork,
    *,
    by: Actor,
    url: str,
    description: str,
    event_types: list[str],
    is_ordered: bool,
    allow_loopback: bool,
) -> Endpoint:
    destinations.check_url(url, allow_loopback=allow_loopback)
    check_types(event_types)
    endpoint = Endpoint(
        org_id=by.org,
        url=url,
        description=description,
        event_types=event_types,
        is_ordered=is_ordered,
        secret=signing.new_secret(),
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(endpoint)
    return endpoint


async def change(
    work: UnitOfWork,
    endpoint: Endpoint,
    *,
    event_types: list[str] | None,
    is_enabled: bool | None,
    description: str | None,
) -> None:
    if event_types is not None:
        check_types(event_types)
        endpoint.event_types = event_types
    if description is not None:
        endpoint.description = description
    if is_enabled is not None:
        endpoint.is_enabled = is_enabled
        endpoint.disabled_reason = None if is_enabled else "disabled by its organization"
        endpoint.failing_since = None
    endpoint.version += 1
    if is_enabled:
        await jobs.enqueue(work, LANE, {"endpoint": endpoint.id})


async def rotate(
    work: UnitOfWork, endpoint_id: EndpointId, *, by: Actor, check_version: CheckVersion = any_version
) -> Endpoint:
    """A new secret at once; the old one signs beside it for a day."""
    endpoint = await queries.endpoint(work, endpoint_id, by=by, lock=True)
    check_version(endpoint.version)
    endpoint.previous_secret, endpoint.secret = endpoint.secret, signing.new_secret()
    endpoint.previous_secret_until = clock.wall_now() + OVERLAP
    endpoint.version += 1
    work.emit(SecretRotated(endpoint_id=endpoint.id), subject=endpoint.id, audience={endpoint.org_id: "owner"})
    return endpoint


async def remove(work: UnitOfWork, endpoint_id: EndpointId, *, by: Actor) -> None:
    endpoint = await queries.endpoint(work, endpoint_id, by=by, lock=True)
    endpoint.deleted_at = work.now
    endpoint.is_enabled = False


def disable(work: UnitOfWork, endpoint: Endpoint, reason: str) -> None:
    """Never silently: the feed and the organization's other endpoints hear of it."""
    endpoint.is_enabled = False
    endpoint.disabled_reason = reason
    endpoint.version += 1
    told = EndpointDisabled(endpoint_id=endpoint.id, url=endpoint.url, reason=reason)
    work.emit(told, subject=endpoint.id, audience={endpoint.org_id: "owner"})


def secrets_in_force(endpoint: Endpoint) -> list[str]:
    if (
        endpoint.previous_secret
        and endpoint.previous_secret_until
        and clock.wall_now() < endpoint.previous_secret_until
    ):
        return [endpoint.secret, endpoint.previous_secret]
    return [endpoint.secret]
