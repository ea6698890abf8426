"""What certification tells. No prices, and no order of somebody else."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.kernel.events import Event
from services.kernel.ids import (
    BatchId,
    CertificateId,
    CustodyEventId,
    LineId,
    OrderId,
    OrgId,
    ReceiptId,
    SiteId,
    StatementId,
)

_ORDERS_ARE_THE_HOLDERS: dict[str, set[str]] = {"verifier": {"order_ids"}, "upstream": {"order_ids"}}


class Line(BaseModel):
    """What an event took (`in`) or bore (`out`); grams."""

    model_config = ConfigDict(frozen=True)

    batch_id: BatchId
    direction: str
    material: str
    mass_g: int
    disposition: str | None


class CustodyRecorded(Event, type="custody.recorded"):
    """Something happened to material, and stands in its site's chain. `kind` is make, move, modify or adjust."""

    custody_event_id: CustodyEventId
    kind: str
    occurred_at: datetime
    site_id: SiteId
    from_site_id: SiteId | None
    to_site_id: SiteId | None
    order_id: OrderId | None
    operation: str | None
    announced_g: int | None
    received_g: int | None
    accepted_g: int | None
    refused_g: int | None
    loss_g: int
    adjusted_g: int | None
    lines: list[Line]


class BatchCreated(Event, type="batch.created"):
    """Accepted mass is a batch at the processor's site, and awaits processing."""

    batch_id: BatchId
    custody_event_id: CustodyEventId
    site_id: SiteId
    order_id: OrderId | None
    line_id: LineId | None
    receipt_id: ReceiptId | None
    title: str
    material: str
    waste_code: str | None
    mass_g: int


class BatchProcessed(Event, type="batch.processed"):
    """Nothing of the batch is left; the operation is a final one."""

    batch_id: BatchId
    custody_event_id: CustodyEventId
    site_id: SiteId
    operation: str
    mass_g: int


class _OfCertificate(BaseModel):
    certificate_id: CertificateId
    certificate_type: str
    holder_id: OrgId
    verifier_id: OrgId | None
    input_g: int
    certified_g: int


class _ForAReason(_OfCertificate):
    reason: str


class _OfVersion(_OfCertificate):
    certificate_version: int
    credential_url: str


class CertificateDrafted(_OfCertificate, Event, type="certificate.drafted"):
    """A processed batch can be certified; its holder adds evidence and submits."""


class CertificateSubmitted(_OfCertificate, Event, type="certificate.submitted"):
    """The mass is reserved; the verifier may take it up."""


class CertificateVerificationStarted(_OfCertificate, Event, type="certificate.verification_started"):
    """The verifier has taken it up."""


class CertificateQueried(_ForAReason, Event, type="certificate.queried"):
    """The verifier asks back; it is a draft again and its mass is free."""


class CertificateRefused(_ForAReason, Event, type="certificate.refused"):
    """The verifier refused it; its mass is free."""


class CertificateWithdrawn(_OfCertificate, Event, type="certificate.withdrawn"):
    """The holder took it back; its mass is free."""


class CertificateIssued(_OfVersion, Event, type="certificate.issued", hidden=_ORDERS_ARE_THE_HOLDERS):
    """Signed and debited. `order_ids` are the orders all of whose accepted goods are now certified."""

    order_ids: list[OrderId]
    valid_from: datetime
    valid_until: datetime


class CertificateSuspended(_ForAReason, Event, type="certificate.suspended"):
    """Its current version does not stand for now; its mass stays certified unless a correction took it."""


class CertificateReinstated(_OfVersion, Event, type="certificate.reinstated"):
    """It stands again, as a new version."""


class CertificateRevoked(_ForAReason, Event, type="certificate.revoked"):
    """It does not stand any more, for good; its mass stays consumed."""


class CertificateExpired(_OfCertificate, Event, type="certificate.expired"):
    """Its validity is over."""


class ImpactStated(Event, type="impact.stated"):
    """What the treatment cost and spared, frozen. Decimal strings in kgCO2e, null where nothing could be computed."""

    statement_id: StatementId
    certificate_id: CertificateId
    certificate_version: int
    factor_set: str
    incurred: str | None
    avoided: str | None
    unit: str
    is_complete: bool
    missing: list[str]
