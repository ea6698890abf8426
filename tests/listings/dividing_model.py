"""A market of listings as pure goods, and random things done to them: what conservation is tried on."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from services.listings.dividing.goods import CannotDivide, Goods, Stock, total

STEPS = ("split", "merge", "award", "give_back", "relist", "withdraw")


@dataclass
class Lot:
    items: list[Stock]
    status: str = "draft"
    awards: list[tuple[int, Goods]] = field(default_factory=list)


@dataclass
class Model:
    """`choose` draws from a range that begins at 0. Every goods there ever were stand in some listing, once."""

    lots: list[Lot]
    choose: Callable[[int], int]

    @classmethod
    def starting_with(cls, goods: list[Goods], choose: Callable[[int], int]) -> "Model":
        return cls([Lot([Stock.of(one) for one in goods])], choose)

    def held(self) -> Goods:
        """All that is free or awarded anywhere; what was relisted is counted where it went."""
        return total(stock.free + stock.awarded for lot in self.lots for stock in lot.items)

    def awarded(self) -> Goods:
        return total(stock.awarded for lot in self.lots for stock in lot.items)

    def won(self) -> Goods:
        return total(goods for lot in self.lots for _, goods in lot.awards)

    def step(self, name: str) -> None:
        """Does nothing where it is not possible."""
        if not self.lots:
            return
        lot = self.lots[self.choose(len(self.lots))]
        try:
            getattr(self, f"_{name}")(lot)
        except CannotDivide:
            return

    def _split(self, lot: Lot) -> None:
        if lot.status != "draft" or not lot.items:
            return
        place = self.choose(len(lot.items))
        stock = lot.items[place]
        quantity = 1 + self.choose(stock.whole.quantity)
        if quantity == stock.whole.quantity:
            if len(lot.items) == 1:
                return
            self.lots.append(Lot([lot.items.pop(place)]))
            return
        lot.items[place], taken = stock.split(quantity)
        self.lots.append(Lot([Stock.of(taken)]))

    def _merge(self, lot: Lot) -> None:
        other = self.lots[self.choose(len(self.lots))]
        if other is lot or {lot.status, other.status} != {"draft"}:
            return
        for stock in other.items:
            is_joined = bool(lot.items) and self.choose(2) == 1
            if is_joined:
                lot.items[-1] = lot.items[-1].merge(stock.whole)
            else:
                lot.items.append(stock)
        other.items, other.status = [], "merged"

    def _award(self, lot: Lot) -> None:
        if lot.status not in ("draft", "partially_awarded") or not lot.items:
            return
        place = self.choose(len(lot.items))
        if not lot.items[place].free:
            return
        quantity = 1 + self.choose(lot.items[place].free.quantity)
        lot.items[place], won = lot.items[place].award(quantity)
        lot.awards.append((place, won))
        lot.status = "partially_awarded" if any(stock.free for stock in lot.items) else "awarded"

    def _give_back(self, lot: Lot) -> None:
        if not lot.awards:
            return
        place, won = lot.awards.pop(self.choose(len(lot.awards)))
        lot.items[place] = lot.items[place].give_back(won)
        lot.status = "partially_awarded"

    def _relist(self, lot: Lot) -> None:
        if lot.status != "partially_awarded":
            return
        rest = []
        for place, stock in enumerate(lot.items):
            if stock.free:
                lot.items[place], goods = stock.relist()
                rest.append(Stock.of(goods))
        if rest:
            self.lots.append(Lot(rest))
        lot.status = "awarded"

    def _withdraw(self, lot: Lot) -> None:
        if lot.status == "draft":
            lot.status = "withdrawn"


def violations(model: Model, begun_with: Goods) -> list[str]:
    """What is not as it must be, in words."""
    stocks = [stock for lot in model.lots for stock in lot.items]
    found = []
    if model.held() != begun_with:
        found.append(f"began with {begun_with}, holds {model.held()}")
    if model.awarded() != model.won():
        found.append(f"{model.awarded()} stand as awarded, {model.won()} were won")
    for stock in stocks:
        if stock.free + stock.awarded + stock.relisted != stock.whole:
            found.append(f"{stock} does not add up")
        if stock.free and stock.free.mass_g == 0:
            found.append(f"{stock} has pieces that weigh nothing")
    return found


def random_sequence(seed: int, steps: int = 12) -> tuple[Model, Goods]:
    draw = random.Random(seed)
    goods = [Goods(draw.randint(1, 500), draw.randint(1, 5_000_000)) for _ in range(draw.randint(1, 4))]
    model = Model.starting_with(goods, draw.randrange)
    for _ in range(steps):
        model.step(draw.choice(STEPS))
    return model, total(goods)
