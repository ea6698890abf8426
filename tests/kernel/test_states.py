"""Transitions are data: the same table guards the move and tells what is possible."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.kernel import states
from services.kernel.errors import Blocked, Forbidden, Reason, TransitionNotPossible
from services.kernel.states import Machine, Transition


@dataclass
class Door:
    status: str = "shut"
    version: int = 1


def locked(door: Door, has_key: bool) -> Iterator[Reason]:
    if not has_key:
        yield Reason("locked", "The door is locked.")


def guarded(door: Door, has_key: bool) -> Iterator[Reason]:
    if not has_key:
        yield Reason("guarded", "Somebody stands before it.")


DOOR = Machine(
    "door",
    Transition("open", ("shut",), "ajar", ("owner",), (locked, guarded)),
    Transition("burst", ("shut",), "broken", ("storm",), (locked,), is_fact=True),
)


def test_a_move_changes_state_and_version() -> None:
    door = Door()
    moved = states.move(DOOR, door, "open", by="owner", facts=True)
    assert (door.status, door.version, moved.old, moved.new) == ("ajar", 2, "shut", "ajar")


def test_all_reasons_are_told_not_only_the_first() -> None:
    with pytest.raises(Blocked) as refused:
        states.move(DOOR, Door(), "open", by="owner", facts=False)
    assert [reason.code for reason in refused.value.reasons] == ["locked", "guarded"]


def test_a_fact_is_flagged_and_never_refused() -> None:
    moved = states.move(DOOR, Door(), "burst", by="storm", facts=False)
    assert (moved.new, [flag.code for flag in moved.flags]) == ("broken", ["locked"])


def test_another_party_may_not() -> None:
    with pytest.raises(Forbidden):
        states.move(DOOR, Door(), "open", by="thief", facts=True)


def test_from_another_state_it_is_not_possible() -> None:
    with pytest.raises(TransitionNotPossible):
        states.move(DOOR, Door(status="broken"), "open", by="owner", facts=True)


def test_choices_are_what_move_would_do() -> None:
    told = states.choices(DOOR, Door(), by=["owner", "storm"], facts=False)
    assert told.allowed == ["burst"]
    assert [(name, len(reasons)) for name, reasons in told.blocked] == [("open", 2)]
