"""The people of an organization."""

from services.kernel.actors import Actor
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.errors import MemberExists
from services.parties.models import Member, MemberDetails
from services.parties.permissions import MemberRole


async def create(work: UnitOfWork, details: MemberDetails, *, role: MemberRole, by: Actor) -> Member:
    """Raises MemberExists when the address is a member's already."""
    if await queries.has_member(work, by.org, details.email):
        raise MemberExists(details.email)
    member = Member(
        name=details.name,
        email=details.email,
        role=role,
        org_id=by.org,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(member)
    await work.session.flush()
    return member
