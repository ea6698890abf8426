"""What the parties tell; each is heard by the organization itself."""

from datetime import date, datetime

from services.kernel.events import Event
from services.kernel.ids import KeyId, MemberId, OrgId, PermitId, SiteId


class OrganizationRegistered(Event, type="organization.registered"):
    """An organization has come in, verified by rule in the sandbox, by an operator in live mode."""

    organization_id: OrgId
    legal_name: str
    country: str
    roles: list[str]
    verification_status: str


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
