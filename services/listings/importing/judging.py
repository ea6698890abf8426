"""What becomes of each row, given where the seller's external ids already stand. Pure: no database, no clock.

An external id stays in the draft it first came to; one whose listing ended without an award is free again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from services.kernel.ids import ListingId
from services.kernel.reference import materials
from services.kernel.reference.errors import ReferenceDataMissing
from services.listings.manifests.reading import RowProblem
from services.listings.manifests.rows import ManifestRow
from services.listings.models import ENDED_WITHOUT_AWARD


class Place(NamedTuple):
    """An item, by its listing and its key."""

    listing_id: ListingId
    key: str


@dataclass(frozen=True)
class Standing:
    """A unit as it is stored, and the status of its listing."""

    row: ManifestRow
    place: Place
    listing_status: str


@dataclass(frozen=True)
class Landing:
    """A row that adds a unit or changes one. `left` is the draft item that loses the unit or its old content."""

    row: ManifestRow
    place: Place
    kind: Literal["added", "updated"]
    left: Place | None = None


@dataclass
class Verdict:
    """Every row stands once: in `landing`, in `refused` (by its number) or in `unchanged`, the count of the rest."""

    landing: list[Landing] = field(default_factory=list)
    unchanged: int = 0
    refused: dict[int, tuple[RowProblem, ...]] = field(default_factory=dict)

    def touched(self) -> list[Place]:
        """In the order of the file."""
        places = [place for one in self.landing for place in (one.place, one.left) if place is not None]
        return list(dict.fromkeys(places))

    def count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.landing)


def judge(rows: Iterable[ManifestRow], standing: Mapping[str, Standing], target: ListingId) -> Verdict:
    """`standing` goes by external id. Rows of one item may still disagree: see `settle`."""
    verdict = Verdict()
    for row in rows:
        named = _with_known_materials(row)
        found = named if isinstance(named, RowProblem) else _place(named, standing.get(row.external_id), target)
        if isinstance(found, RowProblem):
            verdict.refused[row.number] = (found,)
        elif found is None:
            verdict.unchanged += 1
        else:
            verdict.landing.append(found)
    return verdict


def settle(verdict: Verdict, stored: Mapping[Place, Sequence[ManifestRow]], by_hand: set[Place]) -> None:
    """Refuses rows that cannot stand together: with an item entered by hand, or with the rest of their item.

    A refused change leaves its stored row where it is, which may refuse another: hence until nothing is refused."""
    _refuse(verdict, {one.row.number: _entered_by_hand(one) for one in verdict.landing if one.place in by_hand})
    while conflicts := dict(_conflicts(members(verdict, stored))):
        _refuse(verdict, conflicts)


def members(verdict: Verdict, stored: Mapping[Place, Sequence[ManifestRow]]) -> dict[Place, list[ManifestRow]]:
    """Per touched item: the rows that stay, then those that land."""
    leaving = {one.row.external_id for one in verdict.landing}
    found = {
        place: [row for row in stored.get(place, ()) if row.external_id not in leaving] for place in verdict.touched()
    }
    for one in verdict.landing:
        found[one.place].append(one.row)
    return found


def _refuse(verdict: Verdict, problems: Mapping[int, RowProblem]) -> None:
    verdict.refused |= {number: (problem,) for number, problem in problems.items()}
    verdict.landing = [one for one in verdict.landing if one.row.number not in problems]


def _place(row: ManifestRow, found: Standing | None, target: ListingId) -> Landing | RowProblem | None:
    if found is None or found.listing_status in ENDED_WITHOUT_AWARD:
        return Landing(row, Place(target, row.item_key), "added")
    if replace(row, number=found.row.number) == found.row:
        return None
    if found.listing_status == "draft":
        return Landing(row, Place(found.place.listing_id, row.item_key), "updated", left=found.place)
    detail = f"{row.external_id!r} stands otherwise in {found.place.listing_id}, which is {found.listing_status}"
    return RowProblem(row.number, "/external_id", "already_published", detail)


def _with_known_materials(row: ManifestRow) -> ManifestRow | RowProblem:
    """Materials by their codes; two names of one material are added up."""
    if row.composition is None:
        return row
    shares: defaultdict[str, int] = defaultdict(int)
    for named, ppm in row.composition:
        try:
            shares[named if named == "unknown" else materials.find(named).code] += ppm
        except ReferenceDataMissing:
            return RowProblem(row.number, "/composition", "material_unknown", f"{named!r} is not a known material")
    return replace(row, composition=tuple(shares.items()))


def _entered_by_hand(one: Landing) -> RowProblem:
    detail = f"item {one.place.key!r} was entered by hand; give the rows another key or remove it"
    return RowProblem(one.row.number, "/item_key", "item_entered_by_hand", detail)


def _conflicts(places: Mapping[Place, Sequence[ManifestRow]]) -> Iterator[tuple[int, RowProblem]]:
    for rows in places.values():
        first: dict[str, ManifestRow] = {}
        for row in rows:
            problem = next(_disagreements(row, first), None)
            if problem is not None and row.number:
                yield row.number, problem
                continue
            for name in ("return_reason", "waste_code", "un_number"):
                if getattr(row, name) is not None:
                    first.setdefault(name, row)


def _disagreements(row: ManifestRow, first: Mapping[str, ManifestRow]) -> Iterator[RowProblem]:
    for name, anchor in first.items():
        said, meant = getattr(row, name), getattr(anchor, name)
        if said is not None and said != meant:
            detail = f"item {row.item_key!r} has the {name.replace('_', ' ')} {meant} since {anchor.external_id!r}, not {said}"
            yield RowProblem(row.number, f"/{name}", "item_disagrees", detail)
