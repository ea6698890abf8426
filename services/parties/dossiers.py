"""What the house knows of an organization that bids again and again, remembered by a process as long as its rows are untouched.

A statement of the lane asks for `STAMPS` and compares: a paper that was refused, a permit that was used up or a site that has moved
makes the dossier another. Days are asked anew each time.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import NotFound
from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.parties import coverage, queries, standing
from services.parties.coverage import Granted, Question
from services.parties.models import Organization, OrganizationDocument, Site

MOST = 2_000
"""Organizations that a process remembers; the longest unused goes first."""

STAMPS = """(
    SELECT bit_xor(hashtextextended(kind || id || stamp, 0)) FROM (
        SELECT 'o' AS kind, id, xmin::text AS stamp FROM organization WHERE id = {org}
        UNION ALL SELECT 'd', id, xmin::text FROM organization_document WHERE org_id = {org}
        UNION ALL SELECT 's', id, xmin::text FROM site WHERE org_id = {org}
        UNION ALL SELECT 'p', id, xmin::text FROM permit WHERE org_id = {org}
        UNION ALL SELECT 'c', c.id::text, c.xmin::text
            FROM permit p JOIN permit_scope c ON c.permit_id = p.id WHERE p.org_id = {org}
    ) untouched
)"""
"""In SQL, of the organization whose id is the expression `{org}`: another number after any change to a row of the dossier."""


@dataclass(frozen=True)
class Dossier:
    """`granted` are the scopes of its treatment permits. `stamps` were read before the rows."""

    stamps: int
    organization: Organization
    papers: Sequence[OrganizationDocument]
    sites: Mapping[str, Site]
    granted: Granted

    def may_begin(self, roles: Collection[str], on: date) -> bool:
        """Whether nothing of `standing.against` is against it on this day (UTC)."""
        return self.organization.is_verified and not standing.of_papers(self.organization, self.papers, on, roles)

    def covers(self, masses: Mapping[str, int], question: Question) -> bool:
        """As `permits.against` for goods that nothing is reserved for. ValueError for what is not a waste code."""
        needs, _ = coverage.by_code(masses.items())
        return not coverage.cover(self.granted, needs, question, own={}).reasons

    def is_same_entity(self, vat_id: str | None, iban_fingerprint: str | None) -> bool:
        """As `kinship.is_same_entity`."""
        mine = self.organization
        shares_vat = vat_id is not None and vat_id == mine.vat_id
        return shares_vat or (iban_fingerprint is not None and iban_fingerprint == mine.iban_fingerprint)


class Dossiers:
    """Those of one process."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._known: OrderedDict[OrgId, Dossier] = OrderedDict()

    async def of(self, org_id: OrgId, *, livemode: bool) -> Dossier | None:
        """None for an organization that is not there."""
        found = self._known.get(org_id)
        if found is None:
            try:
                found = await self._read(org_id, livemode=livemode)
            except NotFound:
                return None
        self._known[org_id] = found
        self._known.move_to_end(org_id)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return found

    def forget(self, org_id: OrgId) -> None:
        self._known.pop(org_id, None)

    async def _read(self, org_id: OrgId, *, livemode: bool) -> Dossier:
        async with UnitOfWork(self._sessions, system(livemode)) as work:
            stamps = (await work.session.execute(_STAMPS, {"org": org_id})).scalar_one()
            organization, papers = await queries.standing_of(work, org_id)
            sites = await queries.sites_of(work, org_id)
            granted = await queries.scopes_for(work, org_id, kind="treatment")
            return Dossier(stamps, organization, papers, sites, granted)


_STAMPS = text(f"SELECT {STAMPS.format(org=':org')}")
