"""Rows that landed, grouped into item drafts: one kind of thing in one condition each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.listings.manifests.mapping import CONDITION_GRADES
from services.listings.manifests.reading import RowProblem
from services.listings.manifests.rows import ManifestRow, disagreement


@dataclass(frozen=True)
class UnitDraft:
    """One piece: a row of quantity 1, with its serial number if it has one."""

    external_id: str
    serial: str | None
    mass_g: int | None
    fault: str | None


@dataclass(frozen=True)
class BulkDraft:
    """A row of several pieces that nobody tells apart."""

    external_id: str
    quantity: int
    mass_g: int | None
    fault: str | None


@dataclass(frozen=True)
class ShareRange:
    """A material's share over the rows that state a composition, in ppm; 0 where such a row does not name it."""

    material: str
    min_ppm: int
    max_ppm: int


@dataclass(frozen=True)
class ItemDraft:
    """`mass_g` is the sum, None as soon as one row has no mass. `grade` is the lowest present. `data_bearing` is
    True if one row says so, False only if all deny it. `composition` is None if no row states one."""

    key: str
    description: str
    quantity: int
    mass_g: int | None
    grade: str
    return_reason: str
    waste_codes: tuple[str, ...]
    un_numbers: tuple[str, ...]
    composition: tuple[ShareRange, ...] | None
    data_bearing: bool | None
    units: tuple[UnitDraft, ...]
    bulk: tuple[BulkDraft, ...]


class ItemsDisagree(Exception):
    """Rows of one item with different return reasons, which `rows.read_all` never lets through in one file."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = tuple(problems)


def group(rows: Iterable[ManifestRow]) -> list[ItemDraft]:
    """By item key, in the order the keys first appear; the first row describes the item. Errors: `ItemsDisagree`."""
    by_key: dict[str, list[ManifestRow]] = {}
    for row in rows:
        by_key.setdefault(row.item_key, []).append(row)
    problems = [problem for members in by_key.values() for problem in disagreements(members)]
    if problems:
        raise ItemsDisagree(problems)
    return [_item(key, members) for key, members in by_key.items()]


def disagreements(members: Sequence[ManifestRow]) -> list[RowProblem]:
    """Rows of one item whose return reason is not the first row's; to be asked before grouping two files' rows."""
    return [disagreement(row, members[0]) for row in members if row.return_reason != members[0].return_reason]


def _item(key: str, members: list[ManifestRow]) -> ItemDraft:
    return ItemDraft(
        key=key,
        description=members[0].description,
        quantity=sum(row.quantity for row in members),
        mass_g=_total_mass_g(members),
        grade=max((row.condition_grade for row in members), key=CONDITION_GRADES.index),
        return_reason=members[0].return_reason,
        waste_codes=tuple(sorted({row.waste_code for row in members if row.waste_code})),
        un_numbers=tuple(sorted({row.un_number for row in members if row.un_number})),
        composition=_composition(members),
        data_bearing=_data_bearing(members),
        units=tuple(
            UnitDraft(row.external_id, row.serial, row.mass_g, row.fault) for row in members if row.quantity == 1
        ),
        bulk=tuple(
            BulkDraft(row.external_id, row.quantity, row.mass_g, row.fault) for row in members if row.quantity > 1
        ),
    )


def _total_mass_g(members: list[ManifestRow]) -> int | None:
    known = [row.mass_g for row in members if row.mass_g is not None]
    return sum(known) if len(known) == len(members) else None


def _data_bearing(members: list[ManifestRow]) -> bool | None:
    said = {row.data_bearing for row in members}
    return True if True in said else None if None in said else False


def _composition(members: list[ManifestRow]) -> tuple[ShareRange, ...] | None:
    stated = [dict(row.composition) for row in members if row.composition]
    materials = dict.fromkeys(material for shares in stated for material in shares)
    ranges = [(material, [shares.get(material, 0) for shares in stated]) for material in materials]
    return tuple(ShareRange(material, min(found), max(found)) for material, found in ranges) or None
