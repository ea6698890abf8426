"""Whether an organization may begin something new: its verification, and the papers that its roles are asked for.

What is under way asks nothing of this: a load is taken in, signed for and paid whatever became of a paper meanwhile.
"""

from collections.abc import Collection, Sequence
from datetime import date

from services.kernel.errors import Blocked, Reason
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.models import Organization, OrganizationDocument, asked_of

_LOCKED = {
    "suspended": Reason(
        "organization_suspended", "It is suspended: it finishes what is under way and begins nothing new."
    ),
    "closed": Reason("organization_closed", "It is closed: it finishes what is under way and begins nothing new."),
}
_NOT_VERIFIED = Reason("not_verified", "It is not verified.")


async def must_be_good(work: UnitOfWork, org_id: str, roles: Collection[str], *, thing: str, step: str) -> None:
    """Raises Blocked with every reason of `against`; `thing` and `step` say what was tried, as in "place of the bid"."""
    reasons = await against(work, org_id, roles)
    if reasons:
        raise Blocked(thing, step, reasons)


async def against(work: UnitOfWork, org_id: str, roles: Collection[str] | None = None) -> list[Reason]:
    """What stands against something new in one of these roles (None: in any that it has).

    `not_verified`, `organization_suspended`, `organization_closed`; and by paper `document_missing`,
    `document_under_review`, `document_expired`. The sandbox misses no paper, but what expired there blocks as it would.
    """
    organization, papers = await _read(work, org_id)
    if not organization.is_verified:
        return [_LOCKED.get(organization.status, _NOT_VERIFIED)]
    return of_papers(organization, papers, work.now.date(), roles)


async def _read(work: UnitOfWork, org_id: str) -> tuple[Organization, list[OrganizationDocument]]:
    """A seller that awards asks about its bidder: it reads the answer, the house reads the papers."""
    if org_id == work.actor.org_id:
        return await queries.standing_of(work, org_id)
    async with work.as_house():
        return await queries.standing_of(work, org_id)


async def against_papers(work: UnitOfWork, organizations: Sequence[Organization]) -> dict[str, tuple[Reason, ...]]:
    """By id: what stands against the papers of all their roles, whatever their status. One read for any number."""
    papers = await queries.counting_papers(work, [organization.id for organization in organizations])
    today = work.now.date()
    return {one.id: tuple(of_papers(one, papers.get(one.id, []), today, None)) for one in organizations}


def of_papers(
    organization: Organization, papers: Sequence[OrganizationDocument], on: date, roles: Collection[str] | None
) -> list[Reason]:
    """Pure: one reason per kind that is asked of these roles and not in force on that day (UTC)."""
    held = set(organization.roles) if roles is None else set(organization.roles).intersection(roles)
    reasons = []
    for kind in asked_of(held):
        reason = _of_kind(kind, [paper for paper in papers if paper.kind == kind], on)
        if reason is not None and (organization.livemode or reason.code == "document_expired"):
            reasons.append(reason)
    return reasons


def _of_kind(kind: str, papers: Sequence[OrganizationDocument], on: date) -> Reason | None:
    if any(paper.holds_on(on) for paper in papers):
        return None
    named = kind.replace("_", " ")
    if any(paper.status == "submitted" for paper in papers):
        return Reason("document_under_review", f"The {named} is being looked at.")
    if any(paper.status in ("accepted", "expired") for paper in papers):
        return Reason("document_expired", f"The {named} has expired.")
    return Reason("document_missing", f"No {named} was handed in.")
