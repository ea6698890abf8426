"""Requests and answers about organizations."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import Country, LongText, Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import KeyId, OrgId
from services.kernel.pagination import Page
from services.kernel.states import choices
from services.parties.events import Told
from services.parties.models import (
    ORGANIZATION,
    Contact,
    Email,
    Organization,
    OrganizationChanges,
    OrganizationDetails,
    OrganizationFacts,
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
                    "vat_id": "DE136695976",
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
    vat_id: Annotated[str, Field(min_length=4, max_length=20)] | None = Field(
        default=None, description="As the country writes it; kept without blanks and with its prefix"
    )
    lei: Annotated[str, Field(min_length=20, max_length=20)] | None = Field(default=None, description="ISO 17442")
    environment: Literal["sandbox", "live"] = "sandbox"
    owner: NewOwner

    @property
    def details(self) -> OrganizationDetails:
        return OrganizationDetails(
            legal_name=self.legal_name,
            country=self.country,
            contact_email=self.contact_email,
            vat_id=self.vat_id,
            lei=self.lei,
        )


class ChangedOrganization(Request, OrganizationChanges):
    """What is sent changes, what is not stays; null empties `vat_id`, `lei` and `iban`. `contacts` are sent whole."""

    model_config = ConfigDict(  # type: ignore[assignment]
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "contact_email": "returns@nordwerk.example",
                    "iban": "DE89370400440532013000",
                    "contacts": [{"kind": "dispatch", "name": "Gate 2", "phone": "+495615550123"}],
                }
            ]
        },
    )


class ReasonGiven(Request):
    """One open point, in words its reader can act on."""

    code: Annotated[str, Field(pattern="^[a-z][a-z_]{2,63}$")] = Field(description="Stable, e.g. name_differs")
    detail: LongText


class ReasonsGiven(Request):
    """Why; the organization reads it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"reasons": [{"code": "name_differs", "detail": "The register names Nordwerk Produktions GmbH."}]}
            ]
        },
    )

    reasons: list[ReasonGiven] = Field(min_length=1, max_length=50)

    @property
    def told(self) -> list[Told]:
        return [Told(code=reason.code, detail=reason.detail) for reason in self.reasons]


class ReasonAnswer(Response):
    code: str
    detail: str


class OrganizationAnswer(Transitions):
    """Everybody sees id, name, country and roles; the rest is for the organization itself and null for others."""

    id: OrgId
    livemode: bool
    legal_name: str
    country: str
    roles: list[str] = Field(description="Open list: manufacturer, holder, carrier, repairer, remanufacturer, …")
    verification_status: str | None = Field(
        default=None, description="unverified, in_review, verified, rejected, suspended or closed"
    )
    reasons: list[ReasonAnswer] | None = Field(
        default=None, description="Of the last request for changes, rejection or suspension"
    )
    contact_email: str | None = None
    vat_id: str | None = None
    lei: str | None = None
    iban: str | None = Field(default=None, description="Masked: its country and last four characters")
    contacts: list[Contact] | None = None
    submitted_at: UtcDatetime | None = None
    verified_at: UtcDatetime | None = None
    created_at: UtcDatetime | None = None
    version: int | None = None

    @classmethod
    def face(cls, row: Organization) -> Self:
        return cls(id=row.id, livemode=row.livemode, legal_name=row.legal_name, country=row.country, roles=row.roles)

    @classmethod
    def whole(cls, row: Organization, party: str, facts: OrganizationFacts) -> Self:
        return cls(
            id=row.id,
            livemode=row.livemode,
            legal_name=row.legal_name,
            country=row.country,
            roles=row.roles,
            verification_status=row.verification_status,
            reasons=[ReasonAnswer.model_validate(reason) for reason in row.reasons],
            contact_email=row.contact_email,
            vat_id=row.vat_id,
            lei=row.lei,
            iban=row.iban_masked,
            contacts=[Contact.model_validate(contact) for contact in row.contacts],
            submitted_at=row.submitted_at,
            verified_at=row.verified_at,
            created_at=row.created_at,
            version=row.version,
            **told(choices(ORGANIZATION, row, by=[party], facts=facts)),
        )


class OrganizationPage(Page[OrganizationAnswer]):
    """Organizations, newest first."""


class FirstKey(Response):
    """`secret` is the whole bearer token, shown this once."""

    id: KeyId
    secret: str = Field(examples=["bh_test_key_01kaq4m8q3e8xvw2t5n6r7s8d9_8c1f…"])


class RegisteredAnswer(Response):
    """The organization and the key its owner begins with."""

    organization: OrganizationAnswer
    api_key: FirstKey

    @classmethod
    def of(cls, registered: Registered, facts: OrganizationFacts) -> Self:
        return cls(
            organization=OrganizationAnswer.whole(registered.organization, "owner", facts),
            api_key=FirstKey(id=registered.issued.key.id, secret=registered.secret),
        )
