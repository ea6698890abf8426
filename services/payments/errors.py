"""What can go wrong with money."""

from services.kernel.errors import Conflict, Problem
from services.kernel.money import Money
from services.kernel.problem_codes import explain


class PostingRefused(Conflict):
    """The ledger's database constraints refused a posting. `constraint` names which, and is the code."""

    title = "The ledger refuses this posting"

    def __init__(self, key: str, constraint: str) -> None:
        self.code = f"ledger_{constraint}"
        self.constraint = constraint
        super().__init__(f"The posting {key} is refused: {constraint.replace('_', ' ')}.")


class HaulageAboveCeiling(Conflict):
    """The haulage is above what is left of the ceiling."""

    code = "haulage_above_ceiling"

    def __init__(self, price: Money, left: Money) -> None:
        super().__init__(f"The haulage of {price} is above what is left of the ceiling, {left}.")


class HoldIsShort(Conflict):
    """Less is held than would be needed."""

    code = "hold_short"

    def __init__(self, needed: Money, held: Money) -> None:
        super().__init__(f"{needed} would be needed, but {held} are held.")


class WrongDirection(Conflict):
    """The amount does not point the way of the agreed one."""

    code = "wrong_direction"

    def __init__(self, amount: Money, agreed: Money) -> None:
        super().__init__(f"{amount} does not point the way of the agreed {agreed}.")


class NothingContested(Conflict):
    """Not as much of the hold is contested as would be returned."""

    code = "nothing_contested"

    def __init__(self, amount: Money, contested: Money) -> None:
        super().__init__(f"{amount} cannot be returned: {contested} of the hold are contested.")


class NoPayoutAccount(Conflict):
    """There is no payout account yet, or the provider has not opened it."""

    code = "payout_account_missing"

    def __init__(self) -> None:
        super().__init__("There is no payout account yet; create it and wait until the provider has opened it.")


class ProviderUnavailable(Problem):
    """The payment provider did not answer. Nothing was changed; try again."""

    status = 503
    code = "provider_unavailable"
    title = "The payment provider does not answer"

    def __init__(self) -> None:
        super().__init__(
            "The payment provider did not answer. Nothing was changed; try again.", headers={"Retry-After": "5"}
        )


class ProviderRefused(Conflict):
    """The payment provider refuses what it was asked for; the detail is its own."""

    code = "provider_refused"
    title = "The payment provider refuses this"


class EventNotProven(Problem):
    """An incoming message that nobody we know has signed, or that is not what its route takes."""

    status = 400
    code = "event_not_proven"
    title = "This message cannot be taken"


explain(
    409,
    hold_not_empty="Money is still held.",
    operations_open="Payments to the provider are not done.",
    refunds_open="Refunds have not arrived.",
    receivable_open="Money is owed to the platform.",
)
