"""What can go wrong with webhooks."""

from services.kernel.errors import Conflict, Invalid, invalid
from services.kernel.problem_codes import explain


class EndpointIsDisabled(Conflict):
    """A disabled endpoint is enabled first."""

    code = "endpoint_disabled"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"{endpoint_id} is disabled; enable it first.")


def destination_refused(why: str) -> Invalid:
    return invalid("/url", "destination_refused", why)


explain(
    422,
    destination_refused="The URL is not one that we post to: https, a public address.",
    event_type_unknown="No event is called so.",
)
