"""Requests and answers about permits."""

from datetime import date
from typing import Literal, Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import Country, Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import DocumentId, OrgId, PermitId, SiteId
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import choices
from services.parties.models import (
    PERMIT,
    Permit,
    PermitDetails,
    PermitScope,
    ScopeDetails,
)


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


class PermitAnswer(Transitions):
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
    document_id: DocumentId | None
    status: str = Field(
        description="active, expired or withdrawn; whether it covers goods on a day follows from the dates"
    )
    withdrawn_on: date | None
    scopes: list[PermitScopeAnswer]
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, row: Permit, scopes: list[PermitScope], party: str) -> Self:
        """`party` is the caller's: owner or operator."""
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
            document_id=row.document_id,
            status=row.status,
            withdrawn_on=row.withdrawn_on,
            scopes=[PermitScopeAnswer.of(scope) for scope in scopes],
            created_at=row.created_at,
            version=row.version,
            **told(choices(PERMIT, row, by=[party])),
        )


class PermitPage(Page[PermitAnswer]):
    """Permits, newest first."""
