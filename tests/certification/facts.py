"""The certificate of the story: 17.340 t received, 14.910 t to products."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from services.certification.documents import (
    Batch,
    CertificateFacts,
    ImpactSummary,
    Output,
    Party,
    Scheme,
    StatusEntry,
    Verifier,
)

HOST = "backhaul.example"
DID = "did:web:backhaul.example"
KID = f"{DID}#es256-2027-01"

OUTPUTS = (
    Output("steel", 9_620_000, "product"),
    Output("aluminium", 1_850_000, "product"),
    Output("copper", 2_310_000, "product"),
    Output("plastics", 1_130_000, "product"),
    Output("printed circuit boards", 310_000, "downstream"),
    Output("black mass", 620_000, "downstream"),
    Output("residue", 1_350_000, "pending"),
)

STORY = CertificateFacts(
    type="recycling",
    host=HOST,
    issuer_did=DID,
    issuer_name="Backhaul (example)",
    certificate_id="crt_01mf1br378eb29d9x248r1wxye",
    version=1,
    holder=Party("org_01mf1br46geyatcfccern7dr11", "Rheinkreis (invented)", "recycler"),
    verifier=Verifier("org_01mf1br46geyatcfccern7dr12", "Prüfwerk (invented)"),
    scheme=Scheme("recycling", "2027-01", "Backhaul recycling, rules of January 2027"),
    period_from=date(2027, 1, 1),
    period_until=date(2027, 2, 28),
    assessed_on=date(2027, 2, 17),
    valid_from=datetime(2027, 2, 17, 10, tzinfo=UTC),
    valid_until=datetime(2032, 2, 17, 10, tzinfo=UTC),
    goods="end-of-life equipment",
    input_g=17_340_000,
    mass_method="weighbridge",
    operation="R4",
    outputs=OUTPUTS,
    loss_g=150_000,
    custody_model="segregated",
    rate_ppm=859_862,
    certified_g=14_910_000,
    impact=ImpactSummary(
        factor_set="desnz-2025-excerpt",
        boundary="production from extraction to point of sale; transport well to wheel; cut-off at collection",
        is_complete=False,
        missing=("copper", "plastics", "plant energy", "downstream outputs", "residue", "energy", "water"),
        incurred=Decimal("398.1661068"),
        avoided=Decimal("25028.3233085"),
    ),
    evidence_root="zQmS7df9BsQ1B3ssz7EF3NvVbDCf37shmjNXdnBwJABLvWw",
    event_count=6,
    status=StatusEntry(f"https://{HOST}/status-lists/bsl_01mf1br650fqrvq8q7v9ktfbcs", 94_567),
    batches=(Batch("6v7ukivah47r57z44xqazwt7ia", "End-of-life equipment, waste codes 16 02 14, 16 02 16, 16 06 07*"),),
)


def story(**changes: Any) -> CertificateFacts:
    return replace(STORY, **changes)
