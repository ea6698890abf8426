"""Certificates, and whether a credential stands."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from services.certification.issuing import Submission, Wanted
from services.certification.models import (
    Certificate,
    CertificateBatch,
    CertificateEvent,
    CertificateVersion,
    EvidenceFile,
)
from services.certification.schemas.shared import EVENT, ORGANIZATION, TICKET, Evidence, Kilometres, example
from services.certification.tracing import Step
from services.certification.verifying import Check, Verification
from services.kernel.http.schemas import LongText, Request, Response, Text, Transitions, UtcDatetime, told
from services.kernel.ids import BatchId, CertificateId, CustodyEventId, EvidenceId, OrderId, OrgId, SiteId
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.kernel.states import Choices

CertificateType = Literal["reuse", "repair", "remanufacture", "recycling", "destruction"]
Goods = Annotated[Text, Field(description="As in a sentence", examples=["end-of-life equipment"])]


def _metres(kilometres: Decimal | None) -> int | None:
    return None if kilometres is None else int(kilometres * 1000)


class NewCertificate(Request):
    """A draft; name the operations, the batches or the order it is about, and only one of the three."""

    model_config = example(
        {
            "type": "recycling",
            "custody_event_ids": [EVENT],
            "verifier_id": ORGANIZATION,
            "goods": "end-of-life equipment",
        }
    )

    type: CertificateType
    custody_event_ids: Annotated[list[CustodyEventId], Field(max_length=100)] = Field(default_factory=list)
    batch_ids: Annotated[list[BatchId], Field(max_length=200)] = Field(default_factory=list)
    order_id: OrderId | None = None
    verifier_id: OrgId | None = None
    goods: Goods | None = None
    distance_km: Kilometres | None = Field(
        default=None, description="Of the one lorry behind it; estimated if not given"
    )
    names_facility: bool = Field(default=False, description="Whether the certificate names the site")

    def wanted(self) -> Wanted:
        return Wanted(
            type=self.type,
            custody_event_ids=tuple(self.custody_event_ids),
            batch_ids=tuple(self.batch_ids),
            order_id=self.order_id,
            verifier_id=self.verifier_id,
            goods=self.goods,
            distance_m=_metres(self.distance_km),
            names_facility=self.names_facility,
        )


class SubmitCertificate(Request):
    """What the draft still lacks; what is not given stays."""

    model_config = example(
        {"verifier_id": ORGANIZATION, "evidence": [TICKET], "goods": "end-of-life equipment", "distance_km": "231"}
    )

    verifier_id: OrgId | None = None
    evidence: Annotated[list[Evidence], Field(max_length=50)] = Field(default_factory=list)
    goods: Goods | None = None
    distance_km: Kilometres | None = None
    names_facility: bool | None = None

    def submission(self) -> Submission:
        return Submission(
            verifier_id=self.verifier_id,
            evidence=tuple(file.offered() for file in self.evidence),
            goods=self.goods,
            distance_m=_metres(self.distance_km),
            names_facility=self.names_facility,
        )


class GiveReason(Request):
    """Why."""

    model_config = example({"reason": "The scale ticket belongs to another load."})

    reason: LongText


class EvidenceAnswer(Response):
    id: EvidenceId
    sha256: str
    name: str
    media_type: str
    size: int

    @classmethod
    def of(cls, row: EvidenceFile) -> Self:
        return cls(id=row.id, sha256=row.sha256.hex(), name=row.name, media_type=row.media_type, size=row.size)


class InputBatch(Response):
    batch_id: BatchId
    mass: Mass


class VersionAnswer(Response):
    """What was signed. The address of a version never changes what it answers."""

    number: int
    credential_url: str
    page_url: str
    status_list_url: str
    status_index: int
    valid_from: UtcDatetime
    valid_until: UtcDatetime
    evidence_root: str
    event_count: int
    validated_by: str

    @classmethod
    def of(cls, row: CertificateVersion, base: str) -> Self:
        return cls(
            number=row.number,
            credential_url=f"{base}/credentials/{row.certificate_id}/{row.number}",
            page_url=f"{base}/c/{row.certificate_id}",
            status_list_url=f"{base}/status-lists/{row.status_list_id}",
            status_index=row.status_index,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            evidence_root=row.evidence_root,
            event_count=row.event_count,
            validated_by=row.validated_by,
        )


class CertificateAnswer(Transitions):
    """A claim on batches. Input batches, operations and evidence are told to its holder, verifier and operators alone."""

    id: CertificateId
    livemode: bool
    type: str = Field(description="reuse, repair, remanufacture, recycling, destruction")
    status: str = Field(
        description="draft, submitted, verifying, issued, refused, suspended, revoked, superseded, expired, withdrawn"
    )
    holder_id: OrgId
    verifier_id: OrgId | None
    site_id: SiteId | None
    scheme: str
    period_from: date
    period_until: date
    goods: str
    operation: str | None
    input: Mass
    certified: Mass
    distance_km: str | None
    names_facility: bool
    reason: str | None
    batches: list[InputBatch]
    custody_event_ids: list[CustodyEventId]
    evidence: list[EvidenceAnswer]
    current_version: VersionAnswer | None
    submitted_at: UtcDatetime | None
    issued_at: UtcDatetime | None
    created_at: UtcDatetime

    @classmethod
    def of(
        cls,
        row: Certificate,
        choices: Choices,
        *,
        version: VersionAnswer | None,
        inside: "Inside | None",
    ) -> Self:
        plain = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        facts: dict[str, Any] = {
            "scheme": f"{row.scheme_name}/{row.scheme_version}",
            "input": Mass(row.input_g),
            "certified": Mass(row.certified_g),
            "distance_km": None if row.distance_m is None else f"{(Decimal(row.distance_m) / 1000).normalize():f}",
            "current_version": version,
            "site_id": row.site_id if inside is not None or row.names_facility else None,
            **(inside or Inside([], [], [])).told(),
            **told(choices),
        }
        return cls(**{**plain, **facts})


class Inside:
    """What a certificate rests on, for those who may see it."""

    def __init__(
        self, batches: Sequence[CertificateBatch], events: Sequence[CertificateEvent], files: Sequence[EvidenceFile]
    ) -> None:
        self.batches, self.events, self.files = batches, events, files

    def told(self) -> dict[str, Any]:
        return {
            "batches": [InputBatch(batch_id=row.batch_id, mass=Mass(row.mass_g)) for row in self.batches],
            "custody_event_ids": [row.event_id for row in self.events if row.role == "operation"],
            "evidence": [EvidenceAnswer.of(file) for file in self.files],
        }


class CertificatePage(Page[CertificateAnswer]):
    """Certificates, newest first."""


class VerifyCredential(Request):
    """Any credential: a token, or a JSON document (secured by a proof, or enveloped), of 64 KiB at most."""

    model_config = example({"credential": "eyJhbGciOiJFUzI1NiIsInR5cCI6InZjK2p3dCJ9.eyJAY29udGV4dCI6W119.c2ln"})

    credential: str | dict[str, Any]


class CheckAnswer(Response):
    name: str = Field(
        description="envelope, algorithm, key, signature, schema, validity, issuer, status, latest_version, impact_recomputed"
    )
    result: str = Field(description="pass, fail, skipped")
    code: str | None
    detail: str | None

    @classmethod
    def of(cls, check: Check) -> Self:
        return cls(name=check.name, result=check.result, code=check.code, detail=check.detail)


class VerificationAnswer(Response):
    """`verified`: the signature holds and no check failed."""

    verified: bool
    checks: list[CheckAnswer]

    @classmethod
    def of(cls, verification: Verification) -> Self:
        return cls(verified=verification.verified, checks=[CheckAnswer.of(check) for check in verification.checks])


class StepAnswer(Response):
    """One event behind the certificate: grams, operation, country, and parties by role."""

    kind: str
    on: date
    country: str
    operation: str | None
    by: list[str] = Field(description="holder, carrier, processor")
    mass: Mass
    loss: Mass
    is_intact: bool

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(
            kind=step.kind,
            on=step.on,
            country=step.country,
            operation=step.operation,
            by=list(step.by),
            mass=Mass(step.mass_g),
            loss=Mass(step.loss_g),
            is_intact=step.is_intact,
        )


class CertificateVerificationAnswer(VerificationAnswer):
    """The checks of the current version, and the chain behind it down to every origin, the latest first."""

    certificate_id: CertificateId
    livemode: bool
    status: str
    current_version: int
    credential: dict[str, Any] | None
    chain: list[StepAnswer]
