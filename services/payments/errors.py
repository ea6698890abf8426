"""What can go wrong with money."""

from services.kernel.errors import Conflict, Problem
from services.kernel.money import Money


class PostingRefused(Conflict):
    """The ledger's database constraints refused a posting. `constraint` names which, and is the code."""

    title = "The ledger refuses this posting"

    def __init__(self, key: str, constraint: str) -> None:
        self.code = f"ledger_{constraint}"
        self.constraint = constraint
        super().__init__(f"The posting {key} is refused: {constraint.replace('_', ' ')}.")


class HaulageAboveCeiling(Conflict):
    code = "haulage_above_ceiling"

    def __init__(self, price: Money, left: Money) -> None:
        super().__init__(f"The haulage of {price} is above what is left of the ceiling, {left}.")


class HoldIsShort(Conflict):
    code = "hold_short"

    def __init__(self, needed: Money, held: Money) -> None:
        super().__init__(f"{needed} would be needed, but {held} are held.")


class WrongDirection(Conflict):
    code = "wrong_direction"

    def __init__(self, amount: Money, agreed: Money) -> None:
        super().__init__(f"{amount} does not point the way of the agreed {agreed}.")


class NothingContested(Conflict):
    code = "nothing_contested"

    def __init__(self, amount: Money, contested: Money) -> None:
        super().__init__(f"{amount} cannot be returned: {contested} of the hold are contested.")


class NoPayoutAccount(Conflict):
    code = "payout_account_missing"

    def __init__(self) -> None:
        super().__init__("There is no payout account yet; create it and wait until the provider has opened it.")


class ProviderUnavailable(Problem):
    status = 503
    code = "provider_unavailable"
    title = "The payment provider does not answer"

    def __init__(self) -> None:
        super().__init__(
            "The payment provider did not answer. Nothing was changed; try again.", headers={"Retry-After": "5"}
        )


class ProviderRefused(Conflict):
    code = "provider_refused"
    title = "The payment provider refuses this"


class EventNotProven(Problem):
    """An incoming message that nobody we know has signed, or that is not what its route takes."""

    status = 400
    code = "event_not_proven"
    title = "This message cannot be taken"
