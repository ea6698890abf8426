"""The places of an organization."""

from functools import cache
from zoneinfo import available_timezones

from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Site, SiteDetails


async def create(work: UnitOfWork, details: SiteDetails, *, by: Actor) -> Site:
    """Raises Invalid for a zone IANA does not have, and for a place that closes before it opens."""
    if details.timezone not in _zones():
        raise invalid("/timezone", "timezone_unknown", f"{details.timezone} is not an IANA time zone.")
    if details.opens >= details.closes:
        raise invalid("/closes", "closes_before_it_opens", "A place closes later on the day than it opens.")
    site = Site(**details.model_dump(), org_id=by.org, livemode=work.livemode, created_at=work.now)
    work.add(site)
    await work.session.flush()
    return site


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
