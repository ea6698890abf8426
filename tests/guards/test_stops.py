"""A stop refuses every decision about its subject and flags every fact, in every machine whose things can be stopped."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.bidding.models import BID, Bid
from services.kernel.errors import Blocked
from services.kernel.states import Machine, Transition, choices, move
from services.kernel.stops import WHY
from services.listings.models import LISTING, Listing
from services.orders.models import ORDER, Order
from services.pickups.models import PICKUP, PickupJob

MACHINES = (LISTING, BID, ORDER, PICKUP)
EVERY = [
    (machine, transition, status)
    for machine in MACHINES
    for transition in machine.transitions
    for status in transition.sources
]
DECISIONS = [one for one in EVERY if not one[1].is_fact and not one[1].despite_stops]
FACTS = [one for one in EVERY if one[1].is_fact and not one[1].despite_stops]
LETTING_GO = [one for one in EVERY if one[1].despite_stops]


def stopped(status: str) -> Any:
    return SimpleNamespace(status=status, version=1, stops=["recall_quarantine"])


def without_guards(machine: Machine, transition: Transition) -> Machine:
    """What is left to refuse is the stop."""
    return Machine(
        machine.thing,
        Transition(
            transition.name,
            transition.sources,
            transition.target,
            transition.actors,
            is_fact=transition.is_fact,
            despite_stops=transition.despite_stops,
        ),
    )


def names(cases: list[tuple[Machine, Transition, str]]) -> list[str]:
    return [f"{machine.thing}-{transition.name}-{status}" for machine, transition, status in cases]


@pytest.mark.parametrize(("machine", "transition", "status"), DECISIONS, ids=names(DECISIONS))
def test_a_decision_is_refused(machine: Machine, transition: Transition, status: str) -> None:
    bare = without_guards(machine, transition)
    with pytest.raises(Blocked) as refused:
        move(bare, stopped(status), transition.name, by=transition.actors[0])
    assert refused.value.code == "recall_quarantine"
    assert choices(bare, stopped(status), by=transition.actors).allowed == []


@pytest.mark.parametrize(("machine", "transition", "status"), FACTS, ids=names(FACTS))
def test_a_fact_is_flagged(machine: Machine, transition: Transition, status: str) -> None:
    moved = move(without_guards(machine, transition), stopped(status), transition.name, by=transition.actors[0])
    assert [flag.code for flag in moved.flags] == ["recall_quarantine"]


@pytest.mark.parametrize(("machine", "transition", "status"), LETTING_GO, ids=names(LETTING_GO))
def test_what_lets_go_is_possible(machine: Machine, transition: Transition, status: str) -> None:
    moved = move(without_guards(machine, transition), stopped(status), transition.name, by=transition.actors[0])
    assert moved.flags == ()


def test_goods_are_decided_about_by_these() -> None:
    assert {f"{machine.thing}.{transition.name}" for machine, transition, _ in DECISIONS} == {
        "listing.publish",
        "listing.approve",
        "listing.open",
        "listing.award",
        "listing.award_part",
        "bid.admit",
        "bid.award",
        "bid.confirm",
        "bid.counter",
        "bid.accept_counter",
        "order.confirm",
        "pickup job.plan",
        "pickup job.tender",
        "pickup job.accept",
        "pickup job.self_haul",
        "pickup job.book_slot",
        "pickup job.dispatch",
        "pickup job.begin_handover",
        "pickup job.sign_handover",
    }


@pytest.mark.parametrize("table", [Listing, Bid, Order, PickupJob])
def test_what_can_be_stopped_says_by_what(table: Any) -> None:
    assert "stops" in table.model_fields
    assert set(WHY) == {"recall_quarantine"}
