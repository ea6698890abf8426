"""The rules a certificate is issued under, in words, by name and version. A version never changes once something was signed."""

from dataclasses import dataclass

from services.certification.impact.factors import SHIPPED
from services.kernel.errors import NotFound

VERSION = "2026-11"
VALID_YEARS = 5


@dataclass(frozen=True)
class Scheme:
    """`factor_set` is part of the scheme, not of a request: two sets answer the same question differently."""

    name: str
    version: str
    title: str
    rules: tuple[str, ...]
    factor_set: str = SHIPPED


_SHARED = (
    "Every gram is weighed: declared or estimated masses support no certificate.",
    "Custody is unbroken from the first handover: each event's hash covers the one before it at its site.",
    "Accepted mass is what counts, never announced mass.",
    "No gram is certified twice, and none both as an end and as the beginning of a next life.",
    "The verifier is a verified organization and none of the parties that owned, kept, carried or treated the goods.",
    "Incurred and avoided impact stand side by side; what has no factor is missing and never zero.",
    "At least one document supports the operation; it enters the certificate as a salted hash.",
)
_OWN = {
    "recycling": (
        "Certified is what a final operation R2 to R11 made into products; R1, R12 and R13 are no recycling.",
        "The permit of the site covered waste codes and operation on the day of the operation.",
    ),
    "destruction": (
        "Certified is what a final operation D1 to D12, or R1, took and did not give on as a product or to another plant.",
        "The permit of the site covered waste codes and operation on the day of the operation.",
    ),
    "reuse": ("The goods are tested and go to a next holder with their identity kept.",),
    "repair": ("The goods are repaired and tested and go to a next holder with their identity kept.",),
    "remanufacture": ("The goods are remanufactured and tested and go to a next holder.",),
}


def _title(name: str) -> str:
    return f"Backhaul {name}, rules of November 2026"


_SCHEMES = {(name, VERSION): Scheme(name, VERSION, _title(name), own + _SHARED) for name, own in _OWN.items()}


def current(certificate_type: str) -> Scheme:
    return find(certificate_type, VERSION)


def find(name: str, version: str) -> Scheme:
    """Raises NotFound."""
    try:
        return _SCHEMES[name, version]
    except KeyError:
        raise NotFound("scheme", f"{name}/{version}") from None


def every() -> list[Scheme]:
    return list(_SCHEMES.values())
