"""Weighing again. Facts win: what no longer fits on a lighter batch is suspended or sent back in the same transaction."""

from dataclasses import dataclass

from services.certification import queries
from services.certification.custody import writing
from services.certification.custody.writing import Draft
from services.certification.issuing import correcting
from services.certification.models import CustodyEvent, MaterialBatch
from services.kernel.errors import invalid
from services.kernel.ids import BatchId
from services.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Taken:
    """A batch an event happens to: grams taken by a make, all that is left where None; the new mass of an adjust."""

    batch_id: BatchId
    mass_g: int | None = None


async def make_room(work: UnitOfWork, taken: Taken) -> None:
    """Suspends or returns certificates until what stands on the batch fits its new mass, the newest first."""
    batch = (await queries.batches_in(work, [taken.batch_id]))[taken.batch_id]
    new_mass_g = batch.mass_g - batch.remaining_g + (taken.mass_g or 0)
    if new_mass_g < batch.mass_g:
        await correcting.fit(work, batch.id, new_mass_g)


def adjust(
    work: UnitOfWork,
    draft: Draft,
    event: CustodyEvent,
    batch: MaterialBatch,
    found_g: int | None,
    reason: str | None,
) -> None:
    """`found_g` is what the scale says is left of the batch now."""
    if found_g is None:
        raise invalid("/inputs/0/mass", "required", "Say what was found.")
    if reason is None:
        raise invalid("/reason", "required", "Say why it was weighed again.")
    if not batch.remaining_g:
        raise invalid("/inputs/0/batch_id", "used_up", "Nothing is left that could be weighed again.")
    writing.note(work, draft, batch, batch.remaining_g)
    event.adjusted_g = found_g - batch.remaining_g
    batch.mass_g += event.adjusted_g
    batch.remaining_g = found_g
    batch.mass_method = event.mass_method
    batch.version += 1
