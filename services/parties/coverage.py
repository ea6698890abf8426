"""Whether permits cover goods: pure. A code's whole mass lies on one scope."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.kernel.errors import Reason
from services.kernel.reference import waste_codes
from services.parties.models import Permit, PermitScope

Granted = Sequence[tuple[PermitScope, Permit]]


@dataclass(frozen=True)
class Question:
    """`operation` None: any. Transport permits have no operations. `site_id` None: it is not known where, and any site counts."""

    kind: str
    on: date
    country: str
    operation: str | None = None
    site_id: str | None = None


@dataclass(frozen=True)
class Coverage:
    """The scope each code lies on, and a reason for each code that lies on none."""

    scopes: dict[str, PermitScope] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)


def cover(
    granted: Granted, masses: Mapping[str, int], question: Question, *, own: Mapping[int | None, int]
) -> Coverage:
    """`masses` in grams by six-digit code. `own` is what each scope holds for the subject: it counts as free."""
    room = {scope.id: _room(scope) + own.get(scope.id, 0) for scope, _ in granted}
    found = Coverage()
    for code, mass_g in sorted(masses.items(), key=lambda need: (-need[1], need[0])):
        allowing = [pair for pair in granted if _allows(*pair, code, question)]
        in_force = [scope for scope, permit in allowing if permit.is_in_force(question.on)]
        widest = max(in_force, key=lambda scope: room[scope.id], default=None)
        if widest is not None and room[widest.id] >= mass_g:
            room[widest.id] -= mass_g
            found.scopes[code] = widest
        else:
            found.reasons.append(_reason(code, mass_g, question, is_allowed=bool(allowing), is_in_force=bool(in_force)))
    return Coverage(found.scopes, sorted(found.reasons, key=lambda reason: reason.detail))


def _room(scope: PermitScope) -> float:
    """Grams that are still free."""
    return float("inf") if scope.limit_g is None else scope.limit_g - scope.used_g - scope.reserved_g


def _allows(scope: PermitScope, permit: Permit, code: str, question: Question) -> bool:
    is_operation_fit = (
        question.kind == "transport" or question.operation is None or question.operation in scope.operations
    )
    is_here = not scope.territories or question.country in scope.territories
    return code in scope.waste_codes and is_operation_fit and is_here and _is_at(permit, question)


def _is_at(permit: Permit, question: Question) -> bool:
    """Goods are carried everywhere: the site of a transport permit is where its holder sits."""
    return (
        question.kind == "transport" or None in (permit.site_id, question.site_id) or permit.site_id == question.site_id
    )


def _reason(code: str, mass_g: int, question: Question, *, is_allowed: bool, is_in_force: bool) -> Reason:
    if not is_allowed:
        by = f" by {question.operation}" if question.operation and question.kind == "treatment" else ""
        where = f"{question.country}, at {question.site_id}" if question.site_id else question.country
        sentence = f"No {question.kind} permit names waste {code}{by} in {where}."
        return Reason("permit_scope", sentence)
    if not is_in_force:
        return Reason("permit_expired", f"No {question.kind} permit for waste {code} is in force on {question.on}.")
    return too_much(code, mass_g)


def too_much(code: str, mass_g: int) -> Reason:
    return Reason("permit_tonnage", f"No permit has {mass_g / 1_000_000:.3f} t of waste {code} left.")


def by_code(masses: Iterable[tuple[str | None, int]]) -> tuple[dict[str, int], int | None]:
    """Grams by six-digit code, and the grams of goods that are no waste (None: there are none such).

    ValueError for what is not a waste code.
    """
    needs: dict[str, int] = {}
    not_waste_g: int | None = None
    for code, mass_g in masses:
        if code:
            digits = waste_codes.normalise(code)
            needs[digits] = needs.get(digits, 0) + mass_g
        else:
            not_waste_g = (not_waste_g or 0) + mass_g
    return needs, not_waste_g
