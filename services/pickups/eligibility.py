"""What stands against carriers, owners and receivers: verification and permits, looked up in parties."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from services.kernel.errors import Reason
from services.kernel.ids import OrgId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.parties import permits, standing
from services.parties import queries as parties
from services.parties.models import Organization
from services.pickups.models import PickupJob

TRANSPORT: Literal["transport"] = "transport"
TREATMENT: Literal["treatment"] = "treatment"


async def origin_country(work: UnitOfWork, job: PickupJob) -> str:
    return (await parties.site(work, job.from_site_id)).country


async def of_transport(work: UnitOfWork, job: PickupJob, org_id: OrgId, *, on: date) -> list[Reason]:
    """What stands against this organization moving the goods on that day."""
    country = await origin_country(work, job)
    return await permits.against(work, org_id, kind=TRANSPORT, masses=job.masses, on=on, country=country)


async def of_treatment(work: UnitOfWork, job: PickupJob, *, on: date) -> list[Reason]:
    """What stands against the receiver's permit. Its tonnage is reserved since the award, so no mass is asked for again.
    A seller that takes its own goods back treats nothing."""
    if job.receiver_id == job.seller_id:
        return []
    there = await parties.site(work, job.to_site_id)
    masses = dict.fromkeys(job.masses, 0)
    reasons = await permits.against(
        work, job.receiver_id, kind=TREATMENT, masses=masses, on=on, country=there.country, site_id=there.id
    )
    return [Reason(reason.code, f"The receiver: {reason.detail}") for reason in reasons]


async def of_carriers(
    work: UnitOfWork, job: PickupJob, prices: Mapping[OrgId, Money], known: Mapping[str, Organization]
) -> tuple[Reason, ...]:
    """Every reason against every carrier asked; each names the carrier."""
    reasons: list[Reason] = []
    for carrier_id, price in prices.items():
        carrier = known[carrier_id]
        found = [*_of_organization(job, carrier), *_of_price(job, price), *await of_carrier(work, job, carrier_id)]
        reasons += [Reason(reason.code, f"{carrier.legal_name}: {reason.detail}") for reason in found]
    return tuple(reasons)


async def of_carrier(work: UnitOfWork, job: PickupJob, carrier_id: OrgId) -> tuple[Reason, ...]:
    """What stands against this carrier taking the job: its verification and papers, its transport permits."""
    reasons = await standing.against(work, carrier_id, {"carrier"})
    return (*reasons, *await of_transport(work, job, carrier_id, on=job.window_day()))


def _of_organization(job: PickupJob, carrier: Organization) -> Iterable[Reason]:
    if carrier.id == job.owner_id:
        yield Reason("carrier_is_owner", "It owns the job and hauls it itself without an offer.")
    if "carrier" not in carrier.roles:
        yield Reason("not_a_carrier", "It is not a carrier.")


def _of_price(job: PickupJob, price: Money) -> Iterable[Reason]:
    if job.ceiling is not None and job.ceiling < price:
        yield Reason("price_above_ceiling", f"{price} is more than the {job.ceiling} agreed for the haulage.")
