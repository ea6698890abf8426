"""The stage: who plays, the market's clock, and the voice that tells what happens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from backhaul_client import Answer, Backhaul
from backhaul_client.models import MassParam, MoneyParam
from rich.console import Console

CANONICAL = date(2027, 1, 11)
PATIENCE = 120.0
T = TypeVar("T")


class MarketStuck(RuntimeError):
    """The market did not catch up with its clock in time."""


def first_monday(now: datetime) -> date:
    """The story's first day: 11 January 2027, or the first Monday that is still ahead."""
    ahead = now.date() + timedelta(days=1)
    return max(CANONICAL, ahead + timedelta(days=-ahead.weekday() % 7))


@dataclass
class Player:
    """One organization, its site and its client."""

    name: str
    org_id: str
    site_id: str
    client: Backhaul


@dataclass
class Stage:
    """`at(day, "08:10")` is an instant `day` days after the story's first Monday, in UTC."""

    console: Console
    base_url: str
    simulator_url: str
    monday: date
    operator: Backhaul
    players: dict[str, Player] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Player:
        return self.players[name]

    def at(self, day: int, clock: str) -> datetime:
        hours, minutes = clock.split(":")
        moment = datetime.combine(self.monday, datetime.min.time(), UTC)
        return moment + timedelta(days=day, hours=int(hours), minutes=int(minutes))

    def go_to(self, day: int, clock: str) -> None:
        """Moves the market's clock forward and waits until everything that became due is done."""
        moment = self.at(day, clock)
        self.operator.test_clock.advance(to=moment)
        self.settle()
        self.console.print(f"\n[bold]{moment:%a %d %b %H:%M}[/bold]", highlight=False)

    def settle(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.operator.test_clock.get().is_settled:
                return
            time.sleep(0.05)
        raise MarketStuck("jobs are left that do not come to an end")

    def say(self, who: str, what: str, *facts: object) -> None:
        told = "  ".join(f"[cyan]{fact}[/cyan]" for fact in facts)
        self.console.print(f"  [green]{who:<12}[/green] {what}  {told}", highlight=False)

    def wait_for(self, look: Callable[[], T], until: Callable[[T], bool]) -> T:
        """Looks again until it is so: for what an outside party does in real time, such as the bank."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = look()
            if until(seen):
                return seen
            if time.monotonic() > deadline:
                raise MarketStuck(f"this never came: {seen}")
            time.sleep(0.1)


def etag(answer: Answer[Any]) -> str:
    """What to send as `if_match`."""
    assert answer.etag is not None, "it has no version"
    return answer.etag


def euros(amount: str) -> MoneyParam:
    return {"amount": amount, "currency": "EUR"}


def tonnes(value: str) -> MassParam:
    return {"value": value, "unit": "t"}


def amount(money: Any) -> str:
    """Money of an answer, for the reader."""
    return f"{money.amount} {money.currency}"


def kilograms(mass: Any) -> str:
    """A mass of an answer, in tonnes for the reader."""
    return f"{float(mass.value) / 1000:.3f} t"
