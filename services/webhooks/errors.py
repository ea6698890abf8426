"""What can go wrong with webhooks."""

from services.kernel.errors import Conflict, Invalid, invalid


class EndpointIsDisabled(Conflict):
    code = "endpoint_disabled"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"{endpoint_id} is disabled; enable it first.")


def destination_refused(why: str) -> Invalid:
    return invalid("/url", "destination_refused", why)
