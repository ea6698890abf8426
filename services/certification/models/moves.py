"""Who may move a certificate from where to where, and what forbids it."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.certification.models.certificates import Certificate
from services.kernel.errors import Reason
from services.kernel.states import Machine, Transition


@dataclass(frozen=True)
class CertificateNow:
    """What a verb has looked up: `against` is what stands against its content, `verifier` what stands against its verifier;
    `person` who asks."""

    against: tuple[Reason, ...] = ()
    verifier: tuple[Reason, ...] = ()
    person: str | None = None


def _content_holds(certificate: Certificate, now: CertificateNow) -> Iterable[Reason]:
    yield from now.against


def _verifier_is_fit(certificate: Certificate, now: CertificateNow) -> Iterable[Reason]:
    yield from now.verifier


def _is_another_person(certificate: Certificate, now: CertificateNow) -> Iterable[Reason]:
    if certificate.suspended_by is not None and certificate.suspended_by == now.person:
        yield Reason("another_person_needed", "Whoever suspended a certificate does not reinstate it.")


CERTIFICATE = Machine(
    "certificate",
    Transition("submit", ("draft",), "submitted", ("holder",), (_content_holds, _verifier_is_fit)),
    Transition("take_up", ("submitted",), "verifying", ("verifier",), (_verifier_is_fit,)),
    Transition("query", ("verifying",), "draft", ("verifier",)),
    Transition("return", ("submitted", "verifying"), "draft", ("time",), is_fact=True, endpoint=False),
    Transition("refuse", ("verifying",), "refused", ("verifier",)),
    Transition("issue", ("verifying",), "issued", ("verifier",), (_content_holds, _verifier_is_fit)),
    Transition("suspend", ("issued",), "suspended", ("verifier", "operator", "time")),
    Transition("reinstate", ("suspended",), "issued", ("verifier", "operator"), (_content_holds, _is_another_person)),
    Transition("revoke", ("issued", "suspended"), "revoked", ("verifier", "operator")),
    Transition("expire", ("issued", "suspended"), "expired", ("time",), endpoint=False),
    Transition("withdraw", ("draft", "submitted"), "withdrawn", ("holder",)),
)
