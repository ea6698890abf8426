"""Organizations for tests: verified, with a site, a key and an actor who may everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.kernel.actors import Actor, anonymous
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, onboarding, permits, sites
from services.parties.models import (
    MemberDetails,
    Organization,
    OrganizationDetails,
    Permit,
    PermitDetails,
    ScopeDetails,
    Site,
    SiteDetails,
)


@dataclass(frozen=True)
class Party:
    """`key` is a bearer token for the client, `headers` carries it."""

    org: Organization
    site: Site
    actor: Actor
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


async def organization(
    sessions: Sessions, roles: Sequence[str] = ("manufacturer",), name: str = "Nordwerk GmbH", country: str = "DE"
) -> Party:
    """A verified sandbox organization; the role operator makes Backhaul's own."""
    async with UnitOfWork(sessions, anonymous()) as work:
        if "operator" in roles:
            registered = await onboarding.create_operator(work, name, livemode=False)
        else:
            details, owner = details_of(name, country)
            registered = await onboarding.register(work, details, roles=roles, owner=owner, livemode=False)
    async with UnitOfWork(sessions, anonymous()) as work:
        actor = await api_keys.authenticate(work, registered.secret)
        await work.act_as(actor)
        place = await sites.create(work, yard(country=country), by=actor)
    return Party(registered.organization, place, actor, registered.secret)


def details_of(name: str, country: str = "DE") -> tuple[OrganizationDetails, MemberDetails]:
    details = OrganizationDetails(legal_name=name, country=country, contact_email="office@example.com")
    return details, MemberDetails(name="Erika Muster", email="erika@example.com")


def yard(**given: object) -> SiteDetails:
    details: dict[str, object] = {
        "name": "Yard 1",
        "street": "Werkstraße 1",
        "postal_code": "34117",
        "city": "Kassel",
        "country": "DE",
        "latitude": 51.3127,
        "longitude": 9.4797,
        "timezone": "Europe/Berlin",
        "docks": 2,
    }
    return SiteDetails.model_validate(details | given)


async def permit(
    sessions: Sessions,
    party: Party,
    *,
    kind: str = "treatment",
    waste_codes: Sequence[str] = ("160214",),
    operations: Sequence[str] = ("R4",),
    territories: Sequence[str] = (),
    limit_g: int | None = None,
    valid_from: date = date(2020, 1, 1),
    valid_until: date = date(2099, 12, 31),
    number: str = "P-1",
) -> Permit:
    """A permit with one scope; transport permits have no operations."""
    scope = ScopeDetails(
        waste_codes=list(waste_codes),
        operations=list(operations) if kind == "treatment" else [],
        territories=list(territories),
        limit_g=limit_g,
    )
    details = PermitDetails(number=number, authority="RP Kassel", valid_from=valid_from, valid_until=valid_until)
    async with UnitOfWork(sessions, party.actor) as work:
        return await permits.add(work, details, kind=kind, scopes=[scope], by=party.actor)
