"""Requests and answers about organizations."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import Country, Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import KeyId, OrgId
from services.kernel.states import choices
from services.parties.models import (
    ORGANIZATION,
    Email,
    Organization,
    OrganizationDetails,
)
from services.parties.onboarding import Registered
from services.parties.schemas.people import PERSON

RoleName = Literal[
    "manufacturer", "holder", "carrier", "repairer", "remanufacturer", "recycler", "broker", "verifier", "operator"
]


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
