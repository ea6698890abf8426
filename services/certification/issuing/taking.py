"""Who takes a certificate in hand, in which part."""

from collections.abc import Callable

from services.certification import policy
from services.certification.models import CERTIFICATE, Certificate
from services.kernel.actors import Actor

CheckVersion = Callable[[int], None]
"""Raises when the caller has read another version than this."""


def any_version(version: int) -> None:
    """For callers inside the house, who have read nothing before."""


def acting(by: Actor, certificate: Certificate, transition: str) -> str:
    """The part in which the actor makes the transition; Forbidden if in none."""
    return policy.acting(CERTIFICATE, transition, policy.roles_of(by, certificate))
