"""The documents we publish, built from facts and checked: certificate, status list, DID document, our JSON-LD context.

The certificate is a UNTP 0.7.0 Digital Conformity Credential as compacted JSON-LD. Pure: the caller brings every id and time.
"""

from services.certification.documents.building import build
from services.certification.documents.checking import problems, validated_by
from services.certification.documents.facts import (
    Accreditation,
    Batch,
    CertificateFacts,
    ImpactSummary,
    Output,
    Party,
    Scheme,
    StatusEntry,
    Verifier,
)
from services.certification.documents.publishing import (
    PublishedKey,
    did_document,
    namespace_context,
    status_list_document,
)
from services.certification.documents.rules import Problem

__all__ = [
    "Accreditation",
    "Batch",
    "CertificateFacts",
    "ImpactSummary",
    "Output",
    "Party",
    "Problem",
    "PublishedKey",
    "Scheme",
    "StatusEntry",
    "Verifier",
    "build",
    "did_document",
    "namespace_context",
    "problems",
    "status_list_document",
    "validated_by",
]
