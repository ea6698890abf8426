"""State machines as data. A table of transitions says who may move what from where to where, and what forbids it.

`move` is the only writer of a status, and reads what stops the subject. `choices` reads the same table for
`allowed_transitions` and `blocked_transitions`, so the API can never promise what the code refuses. A transition marked `is_fact`
has already happened: its guards flag, never refuse.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from services.kernel import stops
from services.kernel.errors import Blocked, Forbidden, Reason, TransitionNotPossible

Guard = Callable[[Any, Any], Iterable[Reason]]
"""(subject, facts) → the reasons against; facts are what the verb has looked up for the decision."""


class Subject(Protocol):
    status: str
    version: int


@dataclass(frozen=True)
class Transition:
    """`target` None: the state stays. `actors` are parties to the thing: seller, buyer, carrier, driver, receiver, verifier,
    operator, time, provider. `endpoint` tells whether partners can call it by this name. A stop on the subject refuses every
    transition but those made `despite_stops`: they let go, and decide nothing about the goods."""

    name: str
    sources: tuple[str, ...]
    target: str | None
    actors: tuple[str, ...]
    guards: tuple[Guard, ...] = ()
    is_fact: bool = False
    endpoint: bool = True
    despite_stops: bool = False


@dataclass(frozen=True)
class Moved:
    """From where to where, and what a guard had against it if it was a fact."""

    transition: str
    old: str
    new: str
    flags: tuple[Reason, ...] = ()


class Machine:
    """The transitions of one kind of thing, e.g. `ORDER = Machine("order", Transition(…), …)`."""

    def __init__(self, thing: str, *transitions: Transition) -> None:
        self.thing = thing
        self.transitions = transitions

    def named(self, name: str) -> list[Transition]:
        return [transition for transition in self.transitions if transition.name == name]

    def find(self, name: str, status: str) -> Transition:
        for transition in self.named(name):
            if status in transition.sources:
                return transition
        raise TransitionNotPossible(self.thing, name, status)


def check(
    machine: Machine, subject: Subject, name: str, *, by: str, facts: Any = None
) -> tuple[Transition, list[Reason]]:
    """Finds the transition and collects every reason against it; raises where it may not even be tried."""
    transition = machine.find(name, subject.status)
    if by not in transition.actors:
        raise Forbidden(f"{name} of this {machine.thing} is not for the {by}.")
    return transition, _against(transition, subject, facts)


def _against(transition: Transition, subject: Subject, facts: Any) -> list[Reason]:
    stopped = [] if transition.despite_stops else stops.against(subject)
    return [*stopped, *(reason for guard in transition.guards for reason in guard(subject, facts))]


def move(machine: Machine, subject: Subject, name: str, *, by: str, facts: Any = None) -> Moved:
    """Moves the subject, or raises Blocked with all reasons, Forbidden, or TransitionNotPossible."""
    transition, reasons = check(machine, subject, name, by=by, facts=facts)
    if reasons and not transition.is_fact:
        raise Blocked(machine.thing, name, reasons)
    old = subject.status
    subject.status = transition.target or old
    subject.version += 1
    return Moved(name, old, subject.status, tuple(reasons))


@dataclass(frozen=True)
class Choices:
    allowed: list[str]
    blocked: list[tuple[str, list[Reason]]]


def choices(machine: Machine, subject: Subject, *, by: Iterable[str], facts: Any = None) -> Choices:
    """What these parties could call now, and what they could if it were not for the reasons given."""
    parties = set(by)
    open_to_them = [
        transition
        for transition in machine.transitions
        if transition.endpoint and subject.status in transition.sources and parties.intersection(transition.actors)
    ]
    against = {transition.name: _against(transition, subject, facts) for transition in open_to_them}
    allowed = [t.name for t in open_to_them if t.is_fact or not against[t.name]]
    return Choices(allowed, [(t.name, against[t.name]) for t in open_to_them if t.name not in allowed])
