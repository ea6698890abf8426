"""What the rows of one item come to: one kind of thing in one condition."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.listings.manifests.cells import WHOLE_PPM
from services.listings.manifests.mapping import CONDITION_GRADES

Composition = Sequence[tuple[str, int]]
SHARED = ("waste_code", "un_number", "gtin", "mpn", "batch")


@dataclass
class Count:
    """A running sum over rows, so that no more than one of them is held at a time.

    `grade` is the lowest present. What is in `said` is told of the item where all rows that say it agree."""

    quantity: int = 0
    grade: str = CONDITION_GRADES[0]
    return_reason: str = ""
    said: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _mass_g: int = 0
    _is_weighed: bool = True
    _data_bearing: set[bool | None] = field(default_factory=set)
    _by_piece: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _by_mass: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _are_parts_weighed: bool = True

    def add(
        self,
        *,
        quantity: int,
        mass_g: int | None,
        condition_grade: str,
        return_reason: str,
        data_bearing: bool | None = None,
        composition: Composition | None = None,
        said: Iterable[tuple[str, str | None]] = (),
    ) -> None:
        self.quantity += quantity
        self._mass_g += mass_g or 0
        self._is_weighed &= mass_g is not None
        self.grade = max(self.grade, condition_grade, key=CONDITION_GRADES.index)
        self.return_reason = return_reason
        self._data_bearing.add(data_bearing)
        for name, value in said:
            if value:
                self.said[name].add(value)
        if composition:
            self._are_parts_weighed &= bool(mass_g)
            for material, ppm in composition:
                self._by_piece[material] += ppm * quantity
                self._by_mass[material] += ppm * (mass_g or 0)

    @property
    def mass_g(self) -> int | None:
        """The sum; None as soon as one row has no mass."""
        return self._mass_g if self._is_weighed else None

    @property
    def data_bearing(self) -> bool | None:
        """True if one row says so, False only if all deny it."""
        return True if True in self._data_bearing else None if None in self._data_bearing else False

    @property
    def composition(self) -> list[tuple[str, int]] | None:
        """The mean of the rows that state one, by mass where all of these are weighed, else by pieces; sums to the whole."""
        if not self._by_piece:
            return None
        return [share for share in _shares(self._by_mass if self._are_parts_weighed else self._by_piece) if share[1]]

    def agreed(self, name: str) -> str | None:
        values = self.said.get(name, set())
        return next(iter(values)) if len(values) == 1 else None


def _shares(parts: dict[str, int]) -> list[tuple[str, int]]:
    """Parts per million by largest remainder, ties by name; the largest share first."""
    total = sum(parts.values())
    shares = {material: part * WHOLE_PPM // total for material, part in parts.items()}
    by_remainder = sorted(parts, key=lambda material: (-(parts[material] * WHOLE_PPM % total), material))
    for material in by_remainder[: WHOLE_PPM - sum(shares.values())]:
        shares[material] += 1
    return sorted(shares.items(), key=lambda share: (-share[1], share[0]))
