"""Who may move a pickup job from where to where, and what forbids it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import Reason
from services.kernel.states import Machine, Transition
from services.pickups.models.jobs import BEFORE_LOADING, LOADED, PickupJob

PARTIES = ("owner", "seller", "receiver", "custodian", "carrier", "driver")
BOOKERS = ("carrier", "seller", "receiver")


@dataclass(frozen=True)
class PickupFacts:
    """What a verb has looked up for a decision. `tender`, `permits`, `slot`, `content` and `documents` are what stands
    against the carriers asked, the carrier's and receiver's permits, the slot wished for, the content to be signed and
    the closing. `occurred_at` is a fact's own time."""

    now: datetime
    occurred_at: datetime | None = None
    slot_starts_at: datetime | None = None
    slot_ends_at: datetime | None = None
    has_late_reason: bool = False
    tender: tuple[Reason, ...] = ()
    permits: tuple[Reason, ...] = ()
    slot: tuple[Reason, ...] = ()
    content: tuple[Reason, ...] = ()
    documents: tuple[Reason, ...] = ()


def _window_is_ahead(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    if job.window_until is not None and job.window_until <= facts.now:
        yield Reason("window_is_past", "The access window is over before it is planned.")


def _carriers_may_be_asked(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    yield from facts.tender


def _permits_cover(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    yield from facts.permits


def _slot_is_possible(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    yield from facts.slot


def _slot_is_ahead(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    if facts.slot_starts_at is not None and facts.slot_starts_at <= facts.now:
        yield Reason("slot_has_begun", "The slot has begun and cannot be given back.")


def _money_is_held(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    if not job.is_cleared:
        yield Reason("money_not_held", "The order's money is not held yet.")


def _slot_is_booked(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    if job.status == "accepted" and not job.is_self_hauled:
        yield Reason("slot_not_booked", "No dock slot is booked.")


def _is_inside_the_slot(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    if facts.has_late_reason or facts.occurred_at is None:
        return
    is_early = facts.slot_starts_at is not None and facts.occurred_at < facts.slot_starts_at
    is_late = facts.slot_ends_at is not None and facts.occurred_at >= facts.slot_ends_at
    if is_early or is_late:
        yield Reason("outside_slot", "The lorry arrived outside its slot and gave no reason.")


def _content_is_complete(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    yield from facts.content


def _documents_are_there(job: PickupJob, facts: PickupFacts) -> Iterable[Reason]:
    yield from facts.documents


PICKUP = Machine(
    "pickup job",
    Transition("plan", ("draft",), "planned", ("owner",), (_window_is_ahead,)),
    Transition("tender", ("planned", "exhausted"), "tendering", ("owner",), (_window_is_ahead, _carriers_may_be_asked)),
    Transition("accept", ("tendering",), "accepted", ("carrier",), endpoint=False),
    Transition("exhaust", ("tendering",), "exhausted", ("time",), endpoint=False, despite_stops=True),
    Transition("self_haul", ("planned",), "accepted", ("owner",), (_permits_cover,)),
    Transition("book_slot", ("accepted",), "scheduled", BOOKERS, (_slot_is_possible,)),
    Transition("cancel_slot", ("scheduled",), "accepted", BOOKERS, (_slot_is_ahead,), despite_stops=True),
    Transition(
        "dispatch",
        ("accepted", "scheduled"),
        "dispatched",
        ("carrier",),
        (_money_is_held, _slot_is_booked, _permits_cover),
    ),
    Transition("depart", ("dispatched",), "en_route", ("driver",), is_fact=True),
    Transition("arrive", ("en_route",), "at_pickup", ("driver",), (_is_inside_the_slot,), is_fact=True),
    Transition(
        "begin_handover", ("at_pickup",), None, ("custodian", "carrier"), (_content_is_complete,), endpoint=False
    ),
    Transition("sign_handover", ("at_pickup",), "loaded", ("custodian", "carrier"), (_content_is_complete,)),
    Transition("depart", ("loaded",), "in_transit", ("driver",), is_fact=True),
    Transition("arrive", ("in_transit",), "at_delivery", ("driver",), is_fact=True),
    Transition(
        "begin_delivery",
        ("at_delivery",),
        None,
        ("receiver", "carrier"),
        (_content_is_complete,),
        is_fact=True,
        endpoint=False,
    ),
    Transition(
        "sign_delivery", ("at_delivery",), "delivered", ("receiver", "carrier"), (_content_is_complete,), is_fact=True
    ),
    Transition(
        "close", ("delivered",), "closed", ("time",), (_documents_are_there,), endpoint=False, despite_stops=True
    ),
    Transition("cancel", BEFORE_LOADING, "cancelled", ("owner", "operator"), despite_stops=True),
    Transition("clear", (*BEFORE_LOADING, *LOADED), None, ("time",), endpoint=False, despite_stops=True),
    Transition("withdraw_clearance", (*BEFORE_LOADING, *LOADED), None, ("time",), endpoint=False, despite_stops=True),
)
