"""Who is who in a certificate: pure functions of actor and model."""

from services.certification.models import Certificate
from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.states import Machine


def roles_of(actor: Actor, certificate: Certificate) -> frozenset[str]:
    if actor.is_operator:
        return frozenset({"operator", "time"} if actor.kind == "system" else {"operator"})
    parts = {"holder": certificate.holder_id, "verifier": certificate.verifier_id}
    own = {part for part, org_id in parts.items() if org_id is not None and org_id == actor.org_id}
    return frozenset(own | ({"upstream"} if actor.org_id in certificate.upstream_ids else set()))


def acting(machine: Machine, transition: str, roles: frozenset[str]) -> str:
    """The part in which somebody of these roles makes the transition; Forbidden if in none."""
    actors = [actor for known in machine.named(transition) for actor in known.actors]
    for actor in actors:
        if actor in roles:
            return actor
    raise Forbidden(f"{transition} of this {machine.thing} is for the {' or '.join(dict.fromkeys(actors))}.")


def sees_what_went_in(roles: frozenset[str]) -> bool:
    """The holder, its verifier and operators see batches and events; those upstream see what the certificate says."""
    return bool(roles & {"holder", "verifier", "operator"})


def person_of(actor: Actor) -> str:
    """Two keys of one member are one person."""
    return str(actor.member_id or actor.label)
