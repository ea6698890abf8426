"""Who takes a certificate in hand, in which part."""

from services.certification import policy
from services.certification.models import CERTIFICATE, Certificate
from services.kernel.actors import Actor


def acting(by: Actor, certificate: Certificate, transition: str) -> str:
    """The part in which the actor makes the transition; Forbidden if in none."""
    return policy.acting(CERTIFICATE, transition, policy.roles_of(by, certificate))
