"""What a look at a listing found, before it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.kernel.ids import OrgId


@dataclass(frozen=True)
class Suspicion:
    """`kind` is one of `models.findings.KINDS`, `org_ids` whom it is about."""

    kind: str
    org_ids: tuple[OrgId, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)
