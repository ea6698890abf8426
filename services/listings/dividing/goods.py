"""Pieces and grams that are divided and put together again without losing one. Pure.

A part's grams follow its pieces by largest remainder: whole grams only, and the part and the rest sum to what there was. Neither
is ever left without a gram while it has a piece, so goods too light for that are not divided.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self


class CannotDivide(ValueError):
    """More was asked for than there is, or nothing, or a part would weigh nothing."""


@dataclass(frozen=True)
class Goods:
    """`mass_g` is that of all pieces; None is weighed later."""

    quantity: int
    mass_g: int | None

    def __post_init__(self) -> None:
        if self.quantity < 0 or (self.mass_g is not None and self.mass_g < 0):
            raise CannotDivide("goods are never negative")

    def __bool__(self) -> bool:
        return self.quantity > 0

    def __add__(self, other: "Goods") -> "Goods":
        if self.mass_g is None or other.mass_g is None:
            return Goods(self.quantity + other.quantity, None)
        return Goods(self.quantity + other.quantity, self.mass_g + other.mass_g)

    def __sub__(self, other: "Goods") -> "Goods":
        if self.mass_g is None or other.mass_g is None:
            return Goods(self.quantity - other.quantity, None)
        return Goods(self.quantity - other.quantity, self.mass_g - other.mass_g)

    def part(self, quantity: int) -> "Goods":
        """Raises CannotDivide."""
        if not 1 <= quantity <= self.quantity:
            raise CannotDivide(f"{quantity} of {self.quantity} pieces cannot be taken")
        if quantity == self.quantity or self.mass_g is None:
            return Goods(quantity, self.mass_g if quantity == self.quantity else None)
        if self.mass_g < 2:
            raise CannotDivide("what weighs less than two grams is not divided")
        return Goods(quantity, min(max(_share(self.mass_g, quantity, self.quantity), 1), self.mass_g - 1))


def _share(mass_g: int, quantity: int, of: int) -> int:
    """The larger remainder gets the gram that is left; the part that is taken, where both are equal."""
    grams, remainder = divmod(mass_g * quantity, of)
    return grams + (2 * remainder >= of)


def nothing_of(goods: Goods) -> Goods:
    return Goods(0, None if goods.mass_g is None else 0)


def total(many: Iterable[Goods]) -> Goods:
    """The mass is None as soon as one has none."""
    summed = Goods(0, 0)
    for goods in many:
        summed = summed + goods
    return summed


@dataclass(frozen=True)
class Stock:
    """An item's goods: all that was listed, and what of it is awarded or has gone into another listing since.
    `free` + `awarded` + `relisted` = `whole`, always."""

    whole: Goods
    awarded: Goods
    relisted: Goods

    @classmethod
    def of(cls, whole: Goods) -> Self:
        return cls(whole, nothing_of(whole), nothing_of(whole))

    @property
    def free(self) -> Goods:
        return self.whole - self.awarded - self.relisted

    @property
    def is_untouched(self) -> bool:
        return not self.awarded and not self.relisted

    def award(self, quantity: int) -> "tuple[Stock, Goods]":
        """What is left standing, and what was won. Raises CannotDivide, here and below."""
        won = self.free.part(quantity)
        return replace(self, awarded=self.awarded + won), won

    def give_back(self, won: Goods) -> "Stock":
        """An award has ended: what it had won is free again."""
        return replace(self, awarded=self.awarded - won)

    def relist(self) -> "tuple[Stock, Goods]":
        """All that is free goes into another listing."""
        rest = self.free
        return replace(self, relisted=self.relisted + rest), rest

    def split(self, quantity: int, *, weighing: Goods | None = None) -> "tuple[Stock, Goods]":
        """As long as nothing of it is awarded: the part leaves, as if it had never been here. `weighing` is the part where its
        grams are known; otherwise they follow its pieces."""
        if not self.is_untouched:
            raise CannotDivide("what is awarded or relisted in part is not split")
        taken = weighing or self.whole.part(quantity)
        return Stock.of(self.whole - taken), taken

    def merge(self, goods: Goods) -> "Stock":
        return Stock.of(self.whole + goods)
