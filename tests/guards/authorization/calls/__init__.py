"""The request of every operation: an operation that is not here fails the test by its name."""

from tests.guards.authorization.asking import Call
from tests.guards.authorization.calls import (
    auditing,
    buying,
    certifying,
    credentials,
    hauling,
    joining,
    paying,
    publishing,
    reading,
    selling,
)
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    """By operationId."""
    chapters = (joining, selling, buying, hauling, paying, reading, certifying, publishing, auditing, credentials)
    return {name: call for chapter in chapters for name, call in chapter.calls(world).items()}
