"""The impact statement: incurred and avoided side by side, every factor named, everything missing listed.

`compute` takes one factor set, so no statement mixes two. `recompute` repeats every figure from the factor ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.certification.impact import transport, units
from services.certification.impact.activities import Activity, Consumed, Disposed, Haulage, Recovered, Unreported
from services.certification.impact.arithmetic import exact
from services.certification.impact.factors import Factor, FactorSet

ENGINE_VERSION = "1"
TOLERANCE = Decimal("1e-9")
AMOUNT_UNITS = {"gwp100": "kgCO2e", "energy": "MJ", "water": "m3"}

_MAIN = "gwp100"
_PPM = 1_000_000


@dataclass(frozen=True)
class Applied:
    """A factor as it stood when it was used. `sign` is "+" or "-"."""

    factor_id: str
    value: Decimal
    unit: str
    sign: str
    status: str
    year: int
    region: str
    boundary: str
    gwp_basis: str
    licence: str
    source: str
    source_ref: str


@dataclass(frozen=True)
class Line:
    """amount = quantity × substitution ratio × (sum of signed factors); `kind`: incurred or avoided, both positive."""

    kind: str
    indicator: str
    what: str
    quantity: Decimal
    quantity_unit: str
    factors: tuple[Applied, ...]
    amount: Decimal
    unit: str
    substitution_ratio: Decimal | None = None
    distance_kind: str | None = None


@dataclass(frozen=True)
class Missing:
    """What could not be computed, with its quantity (tonnes, or None where that is unknown too) and why."""

    indicator: str
    what: str
    reason: str
    quantity: Decimal | None = None
    quantity_unit: str | None = None


@dataclass(frozen=True)
class Total:
    """None where no line of that indicator exists: not computed is not zero."""

    indicator: str
    unit: str
    incurred: Decimal | None
    avoided: Decimal | None
    is_complete: bool


@dataclass(frozen=True)
class Statement:
    factor_set: str
    factor_set_sha256: str
    method: str
    boundary: str
    region: str
    year: int
    licence: str
    attribution: str
    gwp_basis: str
    proxies: tuple[str, ...]
    engine_version: str
    lines: tuple[Line, ...]
    missing: tuple[Missing, ...]
    totals: tuple[Total, ...]
    primary_data_share_ppm: int

    @property
    def is_complete(self) -> bool:
        return not self.missing


@dataclass(frozen=True)
class Difference:
    """Where a statement and its recomputation part. `pointer` is a JSON pointer into the statement's document."""

    pointer: str
    stated: str
    recomputed: str


def compute(activities: Iterable[Activity], factors: FactorSet, *, region: str | None = None) -> Statement:
    """Every activity becomes a line or a missing one, per indicator the set covers; never a neighbour's value or 0.

    `region` is where it happened (ISO 3166-1): factors of another region are then declared as proxies.
    """
    with exact():
        known = tuple(activities)
        outcomes = [_outcome(activity, indicator, factors) for indicator in _covered(factors) for activity in known]
        lines = tuple(outcome for outcome in outcomes if isinstance(outcome, Line))
        absent = [outcome for outcome in outcomes if isinstance(outcome, Missing)]
        missing = (*absent, *_plant_energy(known, factors), *_uncovered(factors))
        return Statement(
            factor_set=factors.id,
            factor_set_sha256=factors.sha256,
            method=factors.method,
            boundary=factors.boundary,
            region=factors.region,
            year=factors.year,
            licence=factors.licence,
            attribution=factors.attribution,
            gwp_basis=_gwp_basis(lines),
            proxies=(*_foreign(region, lines, factors), *_proxies(known, lines, factors)),
            engine_version=ENGINE_VERSION,
            lines=lines,
            missing=missing,
            totals=totals(factors.indicators, lines, missing),
            primary_data_share_ppm=_primary_share(lines),
        )


def _covered(factors: FactorSet) -> list[str]:
    return [indicator for indicator in factors.indicators if factors.covers(indicator)]


def _outcome(activity: Activity, indicator: str, factors: FactorSet) -> Line | Missing:
    match activity:
        case Haulage():
            return _haulage(activity, indicator, factors)
        case Recovered():
            return _recovered(activity, indicator, factors)
        case Disposed():
            return _disposed(activity, indicator, factors)
        case Consumed():
            return _consumed(activity, indicator, factors)
        case Unreported():
            tonnes = None if activity.mass_g is None else units.convert(activity.mass_g, "g", "t")
            return Missing(indicator, activity.what, activity.reason, tonnes, None if tonnes is None else "t")


def _haulage(leg: Haulage, indicator: str, factors: FactorSet) -> Line | Missing:
    factor = factors.find("transport", leg.mode, indicator)
    tkm = transport.activity(leg.mass_g, leg.distance_m)
    if factor is None or factor.value is None:
        return Missing(indicator, leg.what, f"no factor for {leg.mode}", tkm, "tkm")
    return _line("incurred", indicator, leg.what, tkm, "tkm", [(factor, "+")], distance_kind=leg.distance_kind)


def _recovered(product: Recovered, indicator: str, factors: FactorSet) -> Line | Missing:
    tonnes = units.convert(product.mass_g, "g", "t")
    subject = factors.subjects.get(product.material)
    if subject is None:
        reason = factors.unstated.get(product.material, "not in this set")
        return Missing(indicator, product.material, reason, tonnes, "t")
    displaced = factors.find(subject.name, "primary_production", indicator)
    secondary = factors.find(subject.name, "closed_loop_secondary_production", indicator)
    if displaced is None or displaced.value is None:
        return Missing(indicator, product.material, "displaced production", tonnes, "t")
    if secondary is None or secondary.value is None:
        return Missing(indicator, product.material, "secondary production", tonnes, "t")
    pair = [(displaced, "+"), (secondary, "-")]
    return _line("avoided", indicator, product.material, tonnes, "t", pair, ratio=product.substitution_ratio)


def _disposed(disposal: Disposed, indicator: str, factors: FactorSet) -> Line | Missing:
    tonnes = units.convert(disposal.mass_g, "g", "t")
    subject = factors.subjects.get(disposal.material)
    factor = None if subject is None else factors.find(subject.name, disposal.treatment, indicator)
    what = f"{disposal.material}, {disposal.treatment.replace('_', ' ')}"
    if factor is None or factor.value is None:
        return Missing(indicator, what, "treatment not in this set", tonnes, "t")
    return _line("incurred", indicator, what, tonnes, "t", [(factor, "+")])


def _consumed(use: Consumed, indicator: str, factors: FactorSet) -> Line | Missing:
    factor = factors.find("utility", use.utility, indicator)
    if factor is None or factor.value is None:
        return Missing(indicator, use.what, f"no factor for {use.utility}", use.quantity, use.unit)
    per = factor.unit.partition("/")[2]
    return _line("incurred", indicator, use.what, units.convert(use.quantity, use.unit, per), per, [(factor, "+")])


def _line(
    kind: str,
    indicator: str,
    what: str,
    quantity: Decimal,
    quantity_unit: str,
    signed: Sequence[tuple[Factor, str]],
    *,
    ratio: Decimal | None = None,
    distance_kind: str | None = None,
) -> Line:
    applied = tuple(_applied(factor, sign) for factor, sign in signed)
    amount = _amount(quantity, ratio, applied)
    if amount < 0:  # secondary production that costs more than primary spares nothing: it is incurred
        kind, amount = "incurred", -amount
        applied = tuple(_applied(factor, "-" if sign == "+" else "+") for factor, sign in signed)
    unit = AMOUNT_UNITS[indicator]
    return Line(kind, indicator, what, quantity, quantity_unit, applied, amount, unit, ratio, distance_kind)


def _amount(quantity: Decimal, ratio: Decimal | None, applied: Iterable[Applied]) -> Decimal:
    signed = sum((factor.value if factor.sign == "+" else -factor.value for factor in applied), Decimal(0))
    return quantity * (1 if ratio is None else ratio) * signed


def _applied(factor: Factor, sign: str) -> Applied:
    assert factor.value is not None
    return Applied(
        factor_id=factor.id,
        value=factor.value,
        unit=factor.unit,
        sign=sign,
        status=factor.status,
        year=factor.year,
        region=factor.region,
        boundary=factor.boundary,
        gwp_basis=factor.gwp_basis,
        licence=factor.licence,
        source=factor.source,
        source_ref=factor.source_ref,
    )


def _plant_energy(activities: Iterable[Activity], factors: FactorSet) -> list[Missing]:
    """Treatment takes energy. Where none is reported, that is missing, not zero."""
    is_treated = any(isinstance(activity, Recovered | Disposed) for activity in activities)
    is_reported = any(isinstance(activity, Consumed) and activity.is_energy for activity in activities)
    if not is_treated or is_reported:
        return []
    return [Missing(indicator, "plant energy", "not reported") for indicator in _covered(factors)]


def _uncovered(factors: FactorSet) -> list[Missing]:
    covered = _covered(factors)
    return [
        Missing(indicator, indicator, f"no {indicator} factors in this set")
        for indicator in factors.indicators
        if indicator not in covered
    ]


def _gwp_basis(lines: Iterable[Line]) -> str:
    """ "avoided AR4, incurred AR5": one set may hold two bases, and both are printed."""
    told = {f"{line.kind} {factor.gwp_basis}" for line in lines if line.indicator == _MAIN for factor in line.factors}
    return ", ".join(sorted(told))


def _foreign(region: str | None, lines: Sequence[Line], factors: FactorSet) -> list[str]:
    return [f"{factors.region} factors for {region}"] if lines and region not in (None, factors.region) else []


def _proxies(activities: Iterable[Activity], lines: Iterable[Line], factors: FactorSet) -> tuple[str, ...]:
    used = {factor.factor_id for line in lines for factor in line.factors}
    materials = [activity.material for activity in activities if isinstance(activity, Recovered | Disposed)]
    subjects = [factors.subjects[material] for material in materials if material in factors.subjects]
    declared = [s.proxy for s in subjects if s.proxy and any(factors.factors[id].subject == s.name for id in used)]
    stated = [factor.note for factor in factors.factors.values() if factor.id in used and factor.status == "proxy"]
    return tuple(dict.fromkeys([*declared, *stated]))


def _primary_share(lines: Iterable[Line]) -> int:
    """Share of what was incurred (kgCO2e) whose factors were measured rather than published, in ppm."""
    incurred = [line for line in lines if line.kind == "incurred" and line.indicator == _MAIN]
    whole = sum((line.amount for line in incurred), Decimal(0))
    measured = [line.amount for line in incurred if all(factor.status == "primary" for factor in line.factors)]
    return int(sum(measured, Decimal(0)) * _PPM / whole) if whole else 0


def totals(indicators: Iterable[str], lines: Iterable[Line], missing: Iterable[Missing]) -> tuple[Total, ...]:
    told, absent = tuple(lines), {entry.indicator for entry in missing}
    return tuple(
        Total(name, AMOUNT_UNITS[name], _sum(told, name, "incurred"), _sum(told, name, "avoided"), name not in absent)
        for name in indicators
    )


def _sum(lines: Iterable[Line], indicator: str, kind: str) -> Decimal | None:
    amounts = [line.amount for line in lines if (line.indicator, line.kind) == (indicator, kind)]
    return sum(amounts, Decimal(0)) if amounts else None


def recompute(statement: Statement, factors: FactorSet) -> list[Difference]:
    """Empty where every figure follows again from the set to 1e-9 relative, totals and set hash included."""
    found = []
    if statement.factor_set != factors.id:
        found.append(Difference("/factor_set", statement.factor_set, factors.id))
    if statement.factor_set_sha256 != factors.sha256:
        found.append(Difference("/factor_set_sha256", statement.factor_set_sha256, factors.sha256))
    with exact():
        for place, line in enumerate(statement.lines):
            found += _line_differences(f"/lines/{place}", line, factors)
        again = totals([total.indicator for total in statement.totals], statement.lines, statement.missing)
        for place, (stated, total) in enumerate(zip(statement.totals, again, strict=True)):
            found += _total_differences(f"/totals/{place}", stated, total)
    return found


def _line_differences(pointer: str, line: Line, factors: FactorSet) -> list[Difference]:
    found = []
    for place, applied in enumerate(line.factors):
        factor = factors.factors.get(applied.factor_id)
        value = None if factor is None else factor.value
        if value != applied.value:
            found.append(Difference(f"{pointer}/factors/{place}/value", str(applied.value), str(value)))
    amount = _amount(line.quantity, line.substitution_ratio, line.factors)
    if not _is_same(line.amount, amount):
        found.append(Difference(f"{pointer}/amount", str(line.amount), str(amount)))
    return found


def _total_differences(pointer: str, stated: Total, again: Total) -> list[Difference]:
    found = []
    for name in ("incurred", "avoided"):
        one, other = getattr(stated, name), getattr(again, name)
        if not _is_same(one, other):
            found.append(Difference(f"{pointer}/{name}", str(one), str(other)))
    if stated.is_complete != again.is_complete:
        found.append(Difference(f"{pointer}/is_complete", str(stated.is_complete), str(again.is_complete)))
    return found


def _is_same(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))
