"""The tables of certification and how they may move."""

from services.certification.models.batches import BATCH, BatchCode, MaterialBatch
from services.certification.models.certificates import (
    Certificate,
    CertificateBatch,
    CertificateEvent,
    CertificateVersion,
    EvidenceFile,
    ImpactStatement,
)
from services.certification.models.claims import BatchClaim, ClaimAllocation, kind_of_claim, pool_of
from services.certification.models.custody import CustodyEvent, CustodyLine
from services.certification.models.moves import CERTIFICATE, CertificateNow
from services.certification.models.publishing import SigningKey, StatusList

__all__ = [
    "BATCH",
    "CERTIFICATE",
    "BatchClaim",
    "BatchCode",
    "Certificate",
    "CertificateBatch",
    "CertificateEvent",
    "CertificateNow",
    "CertificateVersion",
    "ClaimAllocation",
    "CustodyEvent",
    "CustodyLine",
    "EvidenceFile",
    "ImpactStatement",
    "MaterialBatch",
    "SigningKey",
    "StatusList",
    "kind_of_claim",
    "pool_of",
]
