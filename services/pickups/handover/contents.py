"""What is signed at a handover: lines in the order of the goods, the measurement, seals, photos; and what stands against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.kernel.errors import Detail, Invalid, Reason
from services.pickups.models import HandoverLine, Measurement, Photo, PickupJob
from services.pickups.models.handovers import hash_of


@dataclass(frozen=True)
class Content:
    """`reservations` is what the receiver remarks on the outside of what arrived."""

    lines: list[HandoverLine]
    measurement: Measurement
    seals: list[str] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)
    reservations: str | None = None


def as_columns(content: Content) -> dict[str, Any]:
    return {
        "lines": [line.model_dump(mode="json") for line in content.lines],
        "measurement": content.measurement.model_dump(mode="json"),
        "seals": content.seals,
        "photos": [photo.model_dump(mode="json") for photo in content.photos],
        "reservations": content.reservations,
    }


def content_hash(job: PickupJob, place: str, content: Content) -> str:
    """Bound to the job and the place, so that a signature cannot be carried over to another."""
    return hash_of({"pickup_id": job.id, "place": place, **as_columns(content)})


def refuse_impossible(job: PickupJob, content: Content) -> None:
    """Invalid unless there is one line per line of goods, in their order, and a lorry's net weight is the sum of the lines."""
    expected = [goods.line_id for goods in job.lines]
    if [line.line_id for line in content.lines] != expected:
        told = "One line per line of goods, in their order: " + ", ".join(expected) + "."
        raise Invalid(Detail("/lines", "lines_differ", told))
    net, total = content.measurement.net_g, sum(line.mass_g for line in content.lines)
    if net is not None and net != total:
        told = f"The lines sum to {total} g; the lorry's net weight is {net} g."
        raise Invalid(Detail("/lines", "masses_do_not_sum", told))


def reasons_against(job: PickupJob, content: Content) -> Iterable[Reason]:
    if job.is_hazardous and not content.photos:
        yield Reason("photos_required", "Hazardous goods change hands with a photo.")
    for goods, line in zip(job.lines, content.lines, strict=True):
        if line.quantity != goods.quantity and line.reason is None:
            told = f"{goods.title}: {goods.quantity} were announced, {line.quantity} change hands; say why."
            yield Reason("quantity_reason_required", told)
