"""What a certificate comes to, in grams: pure, from the events behind it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.certification.documents import Output
from services.certification.models import CustodyLine, kind_of_claim
from services.certification.models.shared import CUSTODY_MODELS, MASS_METHODS, weakest
from services.certification.trace import Trace
from services.kernel.reference import operations

_MILLION = 1_000_000
LANDFILL = "D1"


@dataclass(frozen=True)
class Measure:
    """`taken` is what went in by batch, `targets` what is claimed by batch; Σ outputs + loss = Σ taken."""

    taken: Mapping[str, int]
    targets: Mapping[str, int]
    outputs: tuple[Output, ...]
    loss_g: int
    operation: str | None
    mass_method: str
    custody_model: str
    certified_g: int
    rate_ppm: int | None

    @property
    def input_g(self) -> int:
        return sum(self.taken.values())

    def fits(self, input_g: int, certified_g: int) -> bool:
        return (self.input_g, self.certified_g) == (input_g, certified_g)


def of_operations(type: str, trace: Trace, event_ids: Sequence[str]) -> Measure:
    """Recycling claims what became a product; destruction claims what went in and did not come out as a product or for another
    plant. A later, lower weighing counts: what it took away is lost."""
    taken = _summed(line for id in event_ids for line in trace.taken(id))
    borne = [line for id in event_ids for line in trace.borne(id)]
    codes = {trace.events[id].operation for id in event_ids}
    operation = codes.pop() if len(codes) == 1 else None
    outputs = tuple(_output(type, operation, trace, line) for line in borne if _weighed(trace, line))
    products = {line.batch_id: _weighed(trace, line) for line in borne if line.disposition == "product"}
    targets = products if type == "recycling" else _destroyed(taken, borne)
    certified_g, input_g = sum(targets.values()), sum(taken.values())
    return Measure(
        taken=taken,
        targets={batch_id: mass_g for batch_id, mass_g in targets.items() if mass_g},
        outputs=outputs,
        loss_g=input_g - sum(output.mass_g for output in outputs),
        operation=operation,
        mass_method=weakest(MASS_METHODS, (trace.batches[id].mass_method for id in taken)),
        custody_model=weakest(CUSTODY_MODELS, (trace.batches[id].custody_model for id in taken)),
        certified_g=certified_g,
        rate_ppm=ppm(certified_g, input_g) if type == "recycling" else None,
    )


def of_batches(trace: Trace, taken: Mapping[str, int]) -> Measure:
    """Goods that go on as they are: everything is returned to service."""
    outputs = [
        Output(_spoken(trace.batches[id].material), mass_g, "returned_to_service") for id, mass_g in taken.items()
    ]
    return Measure(
        taken=taken,
        targets=taken,
        outputs=tuple(outputs),
        loss_g=0,
        operation=None,
        mass_method=weakest(MASS_METHODS, (trace.batches[id].mass_method for id in taken)),
        custody_model=weakest(CUSTODY_MODELS, (trace.batches[id].custody_model for id in taken)),
        certified_g=sum(taken.values()),
        rate_ppm=_MILLION,
    )


def of(type: str, trace: Trace, event_ids: Sequence[str], taken: Mapping[str, int]) -> Measure:
    if kind_of_claim(type) == "next_life":
        return of_batches(trace, taken)
    return of_operations(type, trace, event_ids)


def _summed(lines: Iterable[CustodyLine]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        found[line.batch_id] = found.get(line.batch_id, 0) + line.mass_g
    return found


def _weighed(trace: Trace, line: CustodyLine) -> int:
    return min(line.mass_g, trace.batches[line.batch_id].mass_g)


def _output(type: str, operation: str | None, trace: Trace, line: CustodyLine) -> Output:
    outcome = {"product": "product", "downstream": "downstream"}.get(line.disposition or "", "pending")
    if type == "destruction" and outcome == "pending":
        outcome = "landfill" if operation == LANDFILL else "destroyed"
    return Output(_spoken(trace.batches[line.batch_id].material), _weighed(trace, line), outcome)


def _spoken(material: str) -> str:
    return material.replace("_", " ")


def _destroyed(taken: Mapping[str, int], borne: Sequence[CustodyLine]) -> dict[str, int]:
    kept = sum(line.mass_g for line in borne if line.disposition in ("product", "downstream"))
    return apportion(sum(taken.values()) - kept, taken)


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Whole grams by weight, largest remainder first, so that the parts sum to the total."""
    whole = sum(weights.values())
    parts = {id: total * weight // whole for id, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda id: (-(total * weights[id] % whole), id))
    for id in by_remainder[: total - sum(parts.values())]:
        parts[id] += 1
    return parts


def ppm(part: int, whole: int) -> int:
    """Half up."""
    return (2 * part * _MILLION + whole) // (2 * whole)


def type_of(operation: str) -> str:
    """The certificate a final operation ends in: recycling for R2–R11; destruction for R1 and D1–D12, which are no recycling."""
    return "recycling" if operations.find(operation).counts_as == "recycling" else "destruction"
