"""What a certificate says, before it is a document. Masses are grams, rates ppm, times carry an offset."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.certification import status_lists

TYPES = frozenset({"reuse", "repair", "remanufacture", "recycling", "destruction", "recycled_content"})
OUTCOMES = frozenset({"product", "returned_to_service", "downstream", "pending", "energy", "landfill", "destroyed"})
CUSTODY_MODELS = frozenset(
    {"identity_preserved", "segregated", "controlled_blending", "mass_balance", "book_and_claim"},
)
MASS_METHODS = frozenset({"weighbridge", "floor_scale", "counted", "declared", "estimated"})

_MILLION = 1_000_000


@dataclass(frozen=True)
class Party:
    """`id` as in our API (`org_…`, `site_…`); `role` in words of the trade ("recycler")."""

    id: str
    name: str
    role: str


@dataclass(frozen=True)
class Accreditation:
    """What an accredited verifier is accredited for, by whom, and where that can be read."""

    title: str
    authority_id: str
    authority_name: str
    evidence_url: str | None = None


@dataclass(frozen=True)
class Verifier:
    id: str
    name: str
    accreditation: Accreditation | None = None


@dataclass(frozen=True)
class Scheme:
    """`https://{host}/schemes/{name}/{version}` holds its rules in words."""

    name: str
    version: str
    title: str


@dataclass(frozen=True)
class Batch:
    """An input batch under the name it has in this certificate alone (`evidence.pseudonym`), without its supplier."""

    pseudonym: str
    name: str


@dataclass(frozen=True)
class Output:
    material: str
    mass_g: int
    outcome: str

    def __post_init__(self) -> None:
        if self.mass_g <= 0 or self.outcome not in OUTCOMES:
            raise ValueError("an output has grams above zero and a known outcome")


@dataclass(frozen=True)
class ImpactSummary:
    """What the document repeats of its statement; the statement has the factors. kgCO2e, unrounded, None where missing."""

    factor_set: str
    boundary: str
    is_complete: bool
    missing: tuple[str, ...]
    incurred: Decimal | None
    avoided: Decimal | None

    def __post_init__(self) -> None:
        if self.is_complete == bool(self.missing):
            raise ValueError("an impact is complete exactly where nothing is missing")


@dataclass(frozen=True)
class StatusEntry:
    """Bit `index` of the status list at `url`."""

    url: str
    index: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < status_lists.SIZE:
            raise ValueError(f"a status index lies between 0 and {status_lists.SIZE - 1}")


@dataclass(frozen=True)
class CertificateFacts:
    """`rate_ppm` is the rate of the type: recovered, returned to service, or recycled content; None for destruction.

    `goods` are named as in a sentence ("end-of-life equipment"). `verifier` is None where the holder declares alone.
    `facility` is named only where its organization granted it. Σ outputs + loss = input.
    """

    type: str
    host: str
    issuer_did: str
    issuer_name: str
    certificate_id: str
    version: int
    holder: Party
    verifier: Verifier | None
    scheme: Scheme
    period_from: date
    period_until: date
    assessed_on: date
    valid_from: datetime
    valid_until: datetime
    goods: str
    input_g: int
    mass_method: str
    operation: str | None
    outputs: tuple[Output, ...]
    loss_g: int
    custody_model: str
    rate_ppm: int | None
    certified_g: int
    impact: ImpactSummary | None
    evidence_root: str
    event_count: int
    status: StatusEntry
    batches: tuple[Batch, ...]
    facility: Party | None = None

    def __post_init__(self) -> None:
        known = self.type in TYPES and self.custody_model in CUSTODY_MODELS and self.mass_method in MASS_METHODS
        if not known or self.version < 1 or self.event_count < 1:
            raise ValueError("type, custody model and mass method are known ones, version and events at least 1")
        if sum(output.mass_g for output in self.outputs) + self.loss_g != self.input_g or self.loss_g < 0:
            raise ValueError("outputs and loss do not sum to the input")
        if not 0 < self.certified_g <= self.input_g:
            raise ValueError("what is certified is above zero and at most the input")
        if (self.rate_ppm is None) != (self.type == "destruction") or not 0 <= (self.rate_ppm or 0) <= _MILLION:
            raise ValueError("every type but destruction has a rate between 0 and 1,000,000 ppm")
        if self.valid_from.utcoffset() is None or self.valid_until.utcoffset() is None:
            raise ValueError("validity carries an offset")
        if self.valid_until <= self.valid_from or self.period_until < self.period_from:
            raise ValueError("an end comes after its beginning")
