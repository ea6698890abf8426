"""What is asked of the buyer's treatment permits: which masses, on which day, where, by which operation."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TypedDict
from zoneinfo import ZoneInfo

from services.kernel.errors import Reason
from services.kernel.unit_of_work import UnitOfWork
from services.orders.models import Order, OrderLine
from services.orders.pricing import upper_g
from services.orders.terms import Terms
from services.parties import permits
from services.parties import queries as parties


class Asked(TypedDict):
    """The question to `permits`. Masses are grams by waste code; what is no waste stands under the empty code."""

    masses: dict[str, int]
    on: date
    country: str
    operation: str | None
    site_id: str


async def at_most(work: UnitOfWork, terms: Terms) -> Asked:
    """The most that may arrive: every line at its upper tolerance."""
    most = ((line.waste_code, upper_g(line.mass_g or 0, terms.tolerance_bps)) for line in terms.lines)
    return await _asked(work, terms, most)


async def accepted(work: UnitOfWork, terms: Terms, lines: Iterable[tuple[OrderLine, int]]) -> Asked:
    """What is to be accepted now, in grams by line."""
    return await _asked(work, terms, ((line.waste_code, mass_g) for line, mass_g in lines))


async def _asked(work: UnitOfWork, terms: Terms, masses: Iterable[tuple[str | None, int]]) -> Asked:
    sums: defaultdict[str, int] = defaultdict(int)
    for waste_code, mass_g in masses:
        sums[waste_code or ""] += mass_g
    site = await parties.site(work, terms.to_site_id)
    on = work.now.astimezone(ZoneInfo(site.timezone)).date()
    return Asked(masses=dict(sums), on=on, country=site.country, operation=terms.operation, site_id=site.id)


async def against(work: UnitOfWork, order: Order, asked: Asked) -> list[Reason]:
    """What was reserved for the order counts as free for it."""
    return await permits.against(work, order.buyer_id, kind="treatment", subject_id=order.id, **asked)


async def record_and_use(work: UnitOfWork, order: Order, asked: Asked) -> None:
    """Stores that permits cover what is accepted, and turns what was reserved for it into used."""
    await permits.record(work, order.buyer_id, step="receipt", subject_id=order.id, kind="treatment", **asked)
    await permits.use(work, subject_id=order.id, masses=asked["masses"])
