"""Requests and answers of the parties."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from services.kernel.http.schemas import Country, Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import KeyId, MemberId, OrgId, PermitId, SiteId
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import choices
from services.parties.api_keys import IssuedKey
from services.parties.models import (
    ORGANIZATION,
    ApiKey,
    Email,
    Member,
    MemberDetails,
    Organization,
    OrganizationDetails,
    Permit,
    PermitDetails,
    PermitScope,
    ScopeDetails,
    Site,
    SiteDetails,
)
from services.parties.onboarding import Registered
from services.parties.permissions import MemberRole, Permission

RoleName = Literal[
    "manufacturer", "holder", "carrier", "repairer", "remanufacturer", "recycler", "broker", "verifier", "operator"
]
PERSON: JsonDict = {"name": "Erika Muster", "email": "erika@nordwerk.example"}


class NewOwner(Request):
    """Who may do everything for the organization, its keys and members included."""

    name: Text
    email: Email


class Registration(Request):
    """A legal entity that wants to take part."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "legal_name": "Nordwerk GmbH",
                    "country": "DE",
                    "roles": ["manufacturer"],
                    "contact_email": "office@nordwerk.example",
                    "vat_id": "DE123456789",
                    "environment": "sandbox",
                    "owner": PERSON,
                }
            ]
        },
    )

    legal_name: Text
    country: Country
    roles: list[RoleName] = Field(
        min_length=1, max_length=9, description="`operator` is never open, `verifier` only in the sandbox"
    )
    contact_email: Email
    vat_id: Annotated[str, Field(min_length=4, max_length=20)] | None = None
    environment: Literal["sandbox", "live"] = "sandbox"
    owner: NewOwner

    @property
    def details(self) -> OrganizationDetails:
        return OrganizationDetails(
            legal_name=self.legal_name, country=self.country, contact_email=self.contact_email, vat_id=self.vat_id
        )


class OrganizationAnswer(Transitions):
    """Everybody sees id, name, country and roles; the rest is for the organization itself and null for others."""

    id: OrgId
    livemode: bool
    legal_name: str
    country: str
    roles: list[str] = Field(description="Open list: manufacturer, holder, carrier, repairer, remanufacturer, …")
    verification_status: str | None = Field(default=None, description="unverified or verified")
    contact_email: str | None = None
    vat_id: str | None = None
    created_at: UtcDatetime | None = None
    version: int | None = None

    @classmethod
    def face(cls, row: Organization) -> Self:
        return cls(id=row.id, livemode=row.livemode, legal_name=row.legal_name, country=row.country, roles=row.roles)

    @classmethod
    def whole(cls, row: Organization, party: str) -> Self:
        return cls(
            id=row.id,
            livemode=row.livemode,
            legal_name=row.legal_name,
            country=row.country,
            roles=row.roles,
            verification_status=row.verification_status,
            contact_email=row.contact_email,
            vat_id=row.vat_id,
            created_at=row.created_at,
            version=row.version,
            **told(choices(ORGANIZATION, row, by=[party])),
        )


class FirstKey(Response):
    """`secret` is the whole bearer token, shown this once."""

    id: KeyId
    secret: str = Field(examples=["bh_test_key_01kaq4m8q3e8xvw2t5n6r7s8d9_8c1f…"])


class RegisteredAnswer(Response):
    """The organization and the key its owner begins with."""

    organization: OrganizationAnswer
    api_key: FirstKey

    @classmethod
    def of(cls, registered: Registered) -> Self:
        return cls(
            organization=OrganizationAnswer.whole(registered.organization, "owner"),
            api_key=FirstKey(id=registered.issued.key.id, secret=registered.secret),
        )


class NewSite(Request, SiteDetails):
    """A place; `opens` and `closes` are its local times."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Werk Kassel",
                    "street": "Werkstraße 1",
                    "postal_code": "34117",
                    "city": "Kassel",
                    "country": "DE",
                    "latitude": 51.3127,
                    "longitude": 9.4797,
                    "timezone": "Europe/Berlin",
                    "docks": 2,
                    "opens": "06:00",
                    "closes": "18:00",
                }
            ]
        },
    )


class SiteAnswer(Response):
    """A place of the organization."""

    id: SiteId
    org_id: OrgId
    livemode: bool
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    latitude: float
    longitude: float
    timezone: str = Field(description="IANA")
    docks: int
    opens: str
    closes: str
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: Site) -> Self:
        return cls.model_validate(row)


class SitePage(Page[SiteAnswer]):
    """Sites, newest first."""


class NewMember(Request, MemberDetails):
    """A person; what the role may do is in the reference."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid", json_schema_extra={"examples": [{**PERSON, "role": "manager"}]}
    )

    role: MemberRole


class MemberAnswer(Response):
    """A person of the organization."""

    id: MemberId
    org_id: OrgId
    livemode: bool
    name: str
    email: str
    role: str = Field(description="owner, manager, operator, driver or viewer")
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: Member) -> Self:
        return cls.model_validate(row)


class MemberPage(Page[MemberAnswer]):
    """Members, newest first."""


class NewApiKey(Request):
    """A key of yours, or of another member."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Warehouse system",
                    "scopes": ["listings:read", "listings:write"],
                    "expires_at": "2028-01-01T00:00:00Z",
                }
            ]
        },
    )

    name: Text
    scopes: list[Permission] | None = Field(
        default=None, min_length=1, description="Absent: all that both you and the member hold"
    )
    expires_at: UtcDatetime | None = Field(default=None, description="Absent: never")
    member_id: MemberId | None = Field(default=None, description="Whose key it is; absent: yours")


class ApiKeyAnswer(Response):
    """A key, without its secret."""

    id: KeyId
    org_id: OrgId
    member_id: MemberId
    livemode: bool
    name: str
    scopes: list[str]
    expires_at: UtcDatetime | None
    last_used_at: UtcDatetime | None = Field(description="To the minute")
    revoked_at: UtcDatetime | None
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: ApiKey) -> Self:
        return cls.model_validate(row)


class ApiKeyPage(Page[ApiKeyAnswer]):
    """API keys, newest first."""


class IssuedKeyAnswer(ApiKeyAnswer):
    """`secret` is the whole bearer token, shown this once."""

    secret: str

    @classmethod
    def issued(cls, issued: IssuedKey) -> Self:
        return cls.model_validate(ApiKeyAnswer.of(issued.key).model_dump() | {"secret": issued.token})


class NewPermitScope(Request):
    """Waste codes × operations × territories, and a tonnage over the permit's validity."""

    waste_codes: list[Text] = Field(min_length=1, max_length=900, examples=[["16 02 14", "160607*"]])
    operations: list[Text] = Field(default_factory=list, max_length=28, examples=[["R4", "R13"]])
    territories: list[Country] = Field(default_factory=list, max_length=250, description="Empty: everywhere")
    limit: Mass | None = Field(default=None, description="Absent: no tonnage")

    @property
    def details(self) -> ScopeDetails:
        return ScopeDetails(
            waste_codes=list(self.waste_codes),
            operations=list(self.operations),
            territories=list(self.territories),
            limit_g=self.limit.grams if self.limit else None,
        )


class NewPermit(Request, PermitDetails):
    """An authority's document. Treatment permits name operations, transport permits none."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "treatment",
                    "number": "52.03-9876/24",
                    "authority": "Bezirksregierung Düsseldorf",
                    "valid_from": "2024-01-01",
                    "valid_until": "2033-12-31",
                    "evidence": "https://rheinkreis.example/permits/52.03-9876-24.pdf",
                    "scopes": [
                        {
                            "waste_codes": ["16 02 14", "16 02 16", "16 06 07*"],
                            "operations": ["R4", "R13"],
                            "territories": ["DE"],
                            "limit": {"value": "5000", "unit": "t"},
                        }
                    ],
                }
            ]
        },
    )

    kind: Literal["treatment", "transport"]
    scopes: list[NewPermitScope] = Field(min_length=1, max_length=100)

    @property
    def details(self) -> PermitDetails:
        return PermitDetails.model_validate(self.model_dump(exclude={"kind", "scopes"}))


class PermitScopeAnswer(Response):
    """What the permit allows, and how much of its tonnage is promised and used."""

    waste_codes: list[str]
    operations: list[str]
    territories: list[str]
    limit: Mass | None
    reserved: Mass
    used: Mass

    @classmethod
    def of(cls, row: PermitScope) -> Self:
        return cls(
            waste_codes=row.waste_codes,
            operations=row.operations,
            territories=row.territories,
            limit=None if row.limit_g is None else Mass(row.limit_g),
            reserved=Mass(row.reserved_g),
            used=Mass(row.used_g),
        )


class PermitAnswer(Response):
    """An authority's document with its scopes."""

    id: PermitId
    org_id: OrgId
    site_id: SiteId | None
    livemode: bool
    kind: str = Field(description="treatment or transport")
    number: str
    authority: str
    valid_from: date
    valid_until: date
    evidence: str | None
    scopes: list[PermitScopeAnswer]
    created_at: UtcDatetime

    @classmethod
    def of(cls, row: Permit, scopes: list[PermitScope]) -> Self:
        return cls(
            id=row.id,
            org_id=row.org_id,
            site_id=row.site_id,
            livemode=row.livemode,
            kind=row.kind,
            number=row.number,
            authority=row.authority,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            evidence=row.evidence,
            scopes=[PermitScopeAnswer.of(scope) for scope in scopes],
            created_at=row.created_at,
        )


class PermitPage(Page[PermitAnswer]):
    """Permits, newest first."""
