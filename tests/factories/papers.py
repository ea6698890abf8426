"""Papers for tests, and live organizations that were verified by showing them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from services.kernel import objects
from services.kernel.actors import Actor, anonymous
from services.kernel.database import Sessions
from services.kernel.ids import DocumentId, OrgId
from services.kernel.objects import ObjectMissing, ObjectStore
from services.kernel.unit_of_work import UnitOfWork
from services.parties import documents, onboarding, verification
from services.parties.models import DocumentDetails, Organization, OrganizationDocument, asked_of
from services.parties.onboarding import Registered
from services.parties.permissions import ALL
from tests.factories.parties import details_of

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"


@dataclass
class Shelf:
    """An object store in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)

    async def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.objects[sha256] = content
        return sha256

    async def get(self, sha256: str) -> bytes:
        if sha256 not in self.objects:
            raise ObjectMissing(sha256)
        return self.objects[sha256]

    async def delete(self, sha256: str) -> None:
        self.objects.pop(sha256, None)


async def handed_in(
    sessions: Sessions,
    actor: Actor,
    kind: str = "trade_register",
    *,
    valid_for: timedelta = timedelta(days=400),
    replaces: OrganizationDocument | None = None,
    store: ObjectStore | None = None,
) -> OrganizationDocument:
    """Issued a year ago, valid until today and `valid_for`."""
    async with UnitOfWork(sessions, actor) as work:
        today = work.now.date()
        details = DocumentDetails.model_validate(
            {"kind": kind, "issued_on": today - timedelta(days=365), "valid_until": today + valid_for}
        )
        file = await objects.keep(work, store or Shelf(), PDF, name=f"{kind}.pdf", org_id=actor.org)
        return await documents.submit(
            work, details, file, by=actor, replaces_id=replaces.id if replaces is not None else None
        )


async def accepted(sessions: Sessions, document_id: DocumentId, operator: Actor) -> OrganizationDocument:
    async with UnitOfWork(sessions, operator) as work:
        return await documents.accept(work, document_id, by=operator)


async def lapsed(sessions: Sessions, document: OrganizationDocument, on: date) -> None:
    """What time does to a live paper, whose clock no test moves."""
    async with UnitOfWork(sessions, anonymous(document.livemode)) as work, work.as_house():
        kept = await work.session.get_one(OrganizationDocument, document.id)
        kept.valid_until = on


async def operator(sessions: Sessions, *, livemode: bool) -> tuple[Actor, str]:
    """Backhaul's staff, and its bearer token."""
    async with UnitOfWork(sessions, anonymous(livemode)) as work:
        registered = await onboarding.create_operator(work, "Backhaul", livemode=livemode)
    return actor_of(registered), registered.secret


async def live(sessions: Sessions, roles: Sequence[str], name: str = "Ernstfall GmbH") -> Registered:
    """Registered and nothing more."""
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        details, owner = details_of(name)
        return await onboarding.register(work, details, roles=roles, owner=owner, livemode=True)


async def submitted(sessions: Sessions, registered: Registered) -> list[OrganizationDocument]:
    """Every paper that its roles are asked for is handed in, and the organization is in review."""
    actor = actor_of(registered)
    papers = [await handed_in(sessions, actor, kind) for kind in asked_of(registered.organization.roles)]
    async with UnitOfWork(sessions, actor) as work:
        await verification.submit(work, registered.organization.id, by=actor)
    return papers


async def verified(sessions: Sessions, registered: Registered, by: Actor) -> Organization:
    """After a review of all its papers."""
    for paper in await submitted(sessions, registered):
        await accepted(sessions, paper.id, by)
    return await passed(sessions, registered.organization.id, by)


async def passed(sessions: Sessions, org_id: OrgId, by: Actor) -> Organization:
    async with UnitOfWork(sessions, by) as work:
        return await verification.verify(work, org_id, by=by)


def actor_of(registered: Registered) -> Actor:
    """The owner with his first key; what his organization may follows from its status, as for any key."""
    organization = registered.organization
    return Actor(
        kind="key",
        livemode=organization.livemode,
        org_id=organization.id,
        member_id=registered.owner.id,
        key_id=registered.issued.key.id,
        roles=frozenset(organization.roles if organization.is_verified else ()),
        permissions=ALL,
    )
