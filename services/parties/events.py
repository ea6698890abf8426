"""What the parties tell; each is heard by the organization itself."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from services.kernel.events import Event
from services.kernel.ids import DelegationId, DocumentId, InvitationId, KeyId, MemberId, OrgId, PermitId, SiteId


class OrganizationRegistered(Event, type="organization.registered"):
    """An organization has come in, verified by rule in the sandbox, by an operator in live mode."""

    organization_id: OrgId
    legal_name: str
    country: str
    roles: list[str]
    verification_status: str


class OrganizationUpdated(Event, type="organization.updated"):
    """It has changed what it says of itself; `changed` names the fields."""

    organization_id: OrgId
    changed: list[str]


class Told(BaseModel):
    """A reason in words that its reader acts on; `code` is stable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    detail: str


class OrganizationSubmitted(Event, type="organization.submitted"):
    """Its papers are being looked at: it asked for that, or it was verified and changed its legal identity."""

    organization_id: OrgId
    legal_name: str
    is_reopened: bool


class OrganizationChangesRequested(Event, type="organization.changes_requested"):
    """The review has open points; mended, it is submitted again."""

    organization_id: OrgId
    reasons: list[Told]


class OrganizationRejected(Event, type="organization.rejected"):
    """The review has ended without a verification; with other papers it may be submitted again."""

    organization_id: OrgId
    reasons: list[Told]


class OrganizationSuspended(Event, type="organization.suspended"):
    """Its roles are locked: it begins nothing new and finishes what is under way."""

    organization_id: OrgId
    reasons: list[Told]


class OrganizationReinstated(Event, type="organization.reinstated"):
    """Its roles are unlocked again."""

    organization_id: OrgId
    roles: list[str]


class OrganizationClosed(Event, type="organization.closed"):
    """It begins nothing any more; what is under way is finished."""

    organization_id: OrgId


class OrganizationVerified(Event, type="organization.verified"):
    """Its roles are unlocked: it may list, bid, carry or verify."""

    organization_id: OrgId
    legal_name: str
    roles: list[str]


class ApiKeyCreated(Event, type="api_key.created"):
    """A credential exists; its secret is in no event."""

    api_key_id: KeyId
    organization_id: OrgId
    member_id: MemberId
    name: str
    scopes: list[str]
    expires_at: datetime | None


class ApiKeyRevoked(Event, type="api_key.revoked"):
    """A credential opens nothing from now on."""

    api_key_id: KeyId
    organization_id: OrgId
    name: str
    revoked_at: datetime


class PermitAdded(Event, type="permit.added"):
    """A permit counts from now on, within its scope and dates."""

    permit_id: PermitId
    organization_id: OrgId
    site_id: SiteId | None
    kind: str
    number: str
    authority: str
    valid_from: date
    valid_until: date
    waste_codes: list[str]


class PermitExpiring(Event, type="permit.expiring"):
    """A reminder: after `valid_until` the permit covers nothing new. Told 60, 30 and 7 days before."""

    permit_id: PermitId
    organization_id: OrgId
    number: str
    valid_until: date
    days_left: int


class PermitExpired(Event, type="permit.expired"):
    """The permit covers nothing any more. What arrives under it is taken in; what is accepted needs another one."""

    permit_id: PermitId
    organization_id: OrgId
    number: str
    valid_until: date


class PermitWithdrawn(Event, type="permit.withdrawn"):
    """Its holder has taken it back: from this day on it covers nothing."""

    permit_id: PermitId
    organization_id: OrgId
    number: str
    withdrawn_on: date


class DocumentSubmitted(Event, type="document.submitted"):
    """A paper waits for its review; `replaces_id` names the one it follows."""

    document_id: DocumentId
    organization_id: OrgId
    kind: str
    valid_until: date | None
    replaces_id: DocumentId | None


class DocumentAccepted(Event, type="document.accepted"):
    """The paper counts until `valid_until`."""

    document_id: DocumentId
    organization_id: OrgId
    kind: str
    valid_until: date | None


class DocumentRefused(Event, type="document.refused"):
    """The paper does not count, for these reasons; a mended one names it in `replaces_id`."""

    document_id: DocumentId
    organization_id: OrgId
    kind: str
    reasons: list[Told]


class DocumentWithdrawn(Event, type="document.withdrawn"):
    """Its organization has taken the paper back."""

    document_id: DocumentId
    organization_id: OrgId
    kind: str


class DocumentExpiring(Event, type="document.expiring"):
    """A reminder: after `valid_until` nothing new is begun under this paper. Told 60, 30 and 7 days before."""

    document_id: DocumentId
    organization_id: OrgId
    kind: str
    valid_until: date
    days_left: int


class DocumentExpired(Event, type="document.expired"):
    """The paper counts no more. Where a role is asked for it, that role begins nothing new (`document_expired`)."""

    document_id: DocumentId
    organization_id: OrgId
    kind: str
    valid_until: date


class ApiKeyRotated(Event, type="api_key.rotated"):
    """A key has a successor, and opens nothing any more from `expires_at`."""

    api_key_id: KeyId
    organization_id: OrgId
    successor_id: KeyId
    expires_at: datetime


class MemberJoined(Event, type="member.joined"):
    """A person may act for the organization; `invitation_id` where he came by one."""

    member_id: MemberId
    organization_id: OrgId
    role: str
    invitation_id: InvitationId | None


class MemberRoleChanged(Event, type="member.role_changed"):
    """What a member may do is now what the new role may; his keys follow at once."""

    member_id: MemberId
    organization_id: OrgId
    old_role: str
    new_role: str


class MemberRemoved(Event, type="member.removed"):
    """A person acts for the organization no more; his keys and sessions open nothing."""

    member_id: MemberId
    organization_id: OrgId
    removed_at: datetime
    revoked_key_ids: list[KeyId]


class DelegationGranted(Event, type="delegation.granted"):
    """The grantee may act for the grantor with these permissions, at these sites (none: everywhere), within these times."""

    delegation_id: DelegationId
    grantor_id: OrgId
    grantee_id: OrgId
    scopes: list[str]
    site_ids: list[SiteId]
    valid_from: datetime
    valid_until: datetime


class DelegationRevoked(Event, type="delegation.revoked"):
    """The grantee acts for the grantor no more; `revoked_by` is whichever of the two ended it."""

    delegation_id: DelegationId
    grantor_id: OrgId
    grantee_id: OrgId
    revoked_by: OrgId
    revoked_at: datetime


class DelegationExpired(Event, type="delegation.expired"):
    """Its time is over."""

    delegation_id: DelegationId
    grantor_id: OrgId
    grantee_id: OrgId
    valid_until: datetime
