"""What a treatment cost and spared, as activities for a statement. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt

from services.certification.documents import ImpactSummary, Output
from services.certification.impact import factors, statement
from services.certification.impact.activities import Activity, Disposed, Haulage, Recovered, Unreported
from services.certification.impact.statement import Statement
from services.certification.issuing.measuring import Measure
from services.certification.models import kind_of_claim
from services.certification.trace import Leg
from services.parties.models import Site

LORRY = "hgv_artic_gt33t"
_EARTH_M = 6_371_008.8
_DETOUR = Decimal("1.3")
"""Road over great circle where nobody declared the distance; printed as an estimate."""

_TREATMENTS = {"D1": "landfill", "D5": "landfill", "D10": "incineration_treatment"}


@dataclass(frozen=True)
class Distance:
    """`kind` is declared or estimated."""

    metres: int
    kind: str


def distance(leg: Leg, sites: Mapping[str, Site], declared_m: int | None) -> Distance:
    if declared_m is not None:
        return Distance(declared_m, "declared")
    one, other = sites[leg.from_site_id], sites[leg.to_site_id]
    return Distance(int(Decimal(_great_circle(one, other)) * _DETOUR), "estimated")


def _great_circle(one: Site, other: Site) -> float:
    """Metres (haversine)."""
    up, along = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    half = sin(up / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along / 2) ** 2
    return 2 * _EARTH_M * asin(sqrt(half))


def state(
    type: str,
    measure: Measure,
    hauled: Sequence[tuple[Leg, Distance]],
    *,
    region: str,
    factor_set: str,
) -> Statement:
    """One statement, one factor set, incurred and avoided side by side."""
    activities: list[Activity] = [_haulage(leg, far) for leg, far in hauled]
    activities += _treatment(type, measure)
    return statement.compute(activities, factors.load(factor_set), region=region)


def _haulage(leg: Leg, far: Distance) -> Haulage:
    kilometres = (Decimal(far.metres) / 1000).normalize()
    what = f"{kilometres:f} km by articulated lorry, goods and packaging"
    return Haulage(what, leg.mass_g, far.metres, LORRY, far.kind)


def _treatment(type: str, measure: Measure) -> list[Activity]:
    if kind_of_claim(type) == "next_life":
        told = "no factor for what a next life displaces"
        return [Unreported(output.material, told, output.mass_g) for output in measure.outputs]
    if type == "destruction":
        return [*_disposal(measure), *_downstream(measure.outputs)]
    products = [output for output in measure.outputs if output.outcome == "product"]
    return [*(Recovered(o.material.replace(" ", "_"), o.mass_g) for o in products), *_downstream(measure.outputs)]


def _disposal(measure: Measure) -> list[Activity]:
    treatment = _TREATMENTS.get(measure.operation or "")
    if treatment is None:
        told = f"no factor for {measure.operation or 'several operations'}"
        return [Unreported("treatment", told, measure.certified_g)]
    return [Disposed("mixed", measure.certified_g, treatment)]


def _downstream(outputs: Sequence[Output]) -> list[Activity]:
    found: list[Activity] = []
    downstream = sum(output.mass_g for output in outputs if output.outcome == "downstream")
    pending = sum(output.mass_g for output in outputs if output.outcome == "pending")
    if downstream:
        found.append(Unreported("downstream outputs", "plants have not reported", downstream))
    if pending:
        found.append(Unreported("residue", "final operation not reported", pending))
    return found


def summary(statement: Statement) -> ImpactSummary:
    """What the credential repeats of it."""
    total = next(total for total in statement.totals if total.indicator == "gwp100")
    return ImpactSummary(
        factor_set=statement.factor_set,
        boundary=statement.boundary,
        is_complete=statement.is_complete,
        missing=tuple(dict.fromkeys(entry.what for entry in statement.missing)),
        incurred=total.incurred,
        avoided=total.avoided,
    )
