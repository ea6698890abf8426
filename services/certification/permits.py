"""Whether a permit covers an operation on the day it happened."""

from collections.abc import Mapping

from services.certification import queries
from services.certification.models import CustodyEvent
from services.certification.trace import day_of
from services.kernel.errors import Reason
from services.kernel.unit_of_work import UnitOfWork
from services.parties import permits
from services.parties.models import Site


async def against_permits(work: UnitOfWork, event: CustodyEvent, masses: Mapping[str, int], site: Site) -> list[Reason]:
    """`masses` in grams by batch. The tonnage was used when the goods were accepted, so only scope and dates count here."""
    codes = await queries.codes_of(work, masses)
    needs: dict[str, int] = {}
    for batch_id, mass_g in masses.items():
        for code in codes.get(batch_id, ()):
            needs[code.code] = needs.get(code.code, 0) + mass_g
    reasons = await permits.against(
        work,
        event.reported_by,
        kind="treatment",
        masses=needs,
        on=day_of(event),
        country=site.country,
        operation=event.operation,
        site_id=site.id,
    )
    return [reason for reason in reasons if reason.code != "permit_tonnage"]
