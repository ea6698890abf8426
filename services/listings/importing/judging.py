"""What becomes of each row, given where the seller's external ids already stand. Pure: no database, no clock.

An external id stays in the draft it first came to; one whose listing ended without an award is free again.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple

from services.kernel.ids import ListingId
from services.kernel.reference import materials
from services.kernel.reference.errors import ReferenceDataMissing
from services.listings.manifests.raw import RowProblem
from services.listings.manifests.rows import MEMORY, ManifestRow
from services.listings.models import ENDED_WITHOUT_AWARD


class Place(NamedTuple):
    """An item, by its listing and its key."""

    listing_id: ListingId
    key: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A unit as it is stored, and the status of its listing."""

    row: ManifestRow
    place: Place
    listing_status: str


@dataclass(frozen=True, slots=True)
class Landing:
    """A row that adds a unit or changes one: then `before` is what it was, and `left` the item that loses it."""

    row: ManifestRow
    place: Place
    kind: Literal["added", "updated"]
    left: Place | None = None
    before: ManifestRow | None = None


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

    def leaving(self) -> set[str]:
        """The external ids whose stored row goes."""
        return {one.row.external_id for one in self.landing if one.before is not None}

    def count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.landing)


AGREED = ("return_reason", "waste_code", "un_number")
"""What all rows of an item must say alike where they say it."""
Agreed = dict[str, tuple[str, str]]
"""By name: what the item's stored rows say, and the external id of one that says it."""


def judge(rows: Iterable[ManifestRow], standing: Mapping[str, Standing], target: ListingId, verdict: Verdict) -> None:
    """Adds these rows to the verdict. `standing` goes by external id. Rows of one item may still disagree: see `settle`."""
    for row in rows:
        named = _with_known_materials(row)
        found = named if isinstance(named, RowProblem) else _place(named, standing.get(row.external_id), target)
        if isinstance(found, RowProblem):
            verdict.refused[row.number] = (found,)
        elif found is None:
            verdict.unchanged += 1
        else:
            verdict.landing.append(found)


def settle(verdict: Verdict, agreed: Mapping[Place, Agreed], by_hand: set[Place]) -> None:
    """Refuses rows that cannot stand together: with an item entered by hand, or with the rest of their item.

    `agreed` is what the stored rows say that nobody touches. A refused change leaves its stored row where it is, which may
    refuse another: hence item by item until nothing more is refused."""
    landing: defaultdict[Place, list[Landing]] = defaultdict(list)
    for one in verdict.landing:
        landing[one.place].append(one)
    staying: defaultdict[Place, list[ManifestRow]] = defaultdict(list)
    waiting = deque(landing)
    while waiting:
        place = waiting.popleft()
        problems = dict(_conflicts(place, landing[place], staying[place], agreed.get(place, {}), by_hand))
        for one in landing[place] if problems else ():
            if one.row.number in problems and one.left is not None and one.before is not None:
                staying[one.left].append(one.before)
                waiting.append(one.left)
        landing[place] = [one for one in landing[place] if one.row.number not in problems]
        verdict.refused |= {number: (problem,) for number, problem in problems.items()}
    verdict.landing = [one for one in verdict.landing if one.row.number not in verdict.refused]


def _place(row: ManifestRow, found: Standing | None, target: ListingId) -> Landing | RowProblem | None:
    if found is None or found.listing_status in ENDED_WITHOUT_AWARD:
        return Landing(row, Place(target, row.item_key), "added")
    if row.says() == found.row.says():
        return None
    if found.listing_status == "draft":
        place = Place(found.place.listing_id, row.item_key)
        return Landing(row, place, "updated", left=found.place, before=found.row)
    detail = f"{row.external_id!r} stands otherwise in {found.place.listing_id}, which is {found.listing_status}"
    return RowProblem(row.number, "/external_id", "already_published", detail)


Shares = tuple[tuple[str, int], ...]


def _with_known_materials(row: ManifestRow) -> ManifestRow | RowProblem:
    if row.composition is None:
        return row
    try:
        known = _known(row.composition)
    except ReferenceDataMissing:
        named = next(material for material, _ in row.composition if not _is_known(material))
        return RowProblem(row.number, "/composition", "material_unknown", f"{named!r} is not a known material")
    return row if known == row.composition else replace(row, composition=known)


@lru_cache(MEMORY)
def _known(composition: Shares) -> Shares:
    """Materials by their codes; two names of one material are added up. Raises ReferenceDataMissing."""
    shares: defaultdict[str, int] = defaultdict(int)
    for named, ppm in composition:
        shares[named if named == "unknown" else materials.find(named).code] += ppm
    return tuple(shares.items())


def _is_known(named: str) -> bool:
    try:
        return named == "unknown" or bool(materials.find(named))
    except ReferenceDataMissing:
        return False


def _conflicts(
    place: Place, landing: Sequence[Landing], staying: Sequence[ManifestRow], agreed: Agreed, by_hand: set[Place]
) -> Iterator[tuple[int, RowProblem]]:
    """(row number, problem): what stays anchors what lands, earlier rows anchor later ones."""
    if place in by_hand:
        yield from ((one.row.number, _entered_by_hand(one)) for one in landing)
        return
    anchors = dict(agreed)
    for row in sorted(staying, key=lambda row: row.external_id):
        _anchor(anchors, row)
    for one in landing:
        problem = next(_disagreements(one.row, anchors), None)
        if problem is not None:
            yield one.row.number, problem
        else:
            _anchor(anchors, one.row)


def _anchor(anchors: Agreed, row: ManifestRow) -> None:
    for name in AGREED:
        said = getattr(row, name)
        if said is not None:
            anchors.setdefault(name, (said, row.external_id))


def _entered_by_hand(one: Landing) -> RowProblem:
    detail = f"item {one.place.key!r} was entered by hand; give the rows another key or remove it"
    return RowProblem(one.row.number, "/item_key", "item_entered_by_hand", detail)


def _disagreements(row: ManifestRow, anchors: Agreed) -> Iterator[RowProblem]:
    for name, (meant, since) in anchors.items():
        said = getattr(row, name)
        if said is not None and said != meant:
            detail = f"item {row.item_key!r} has the {name.replace('_', ' ')} {meant} since {since!r}, not {said}"
            yield RowProblem(row.number, f"/{name}", "item_disagrees", detail)
