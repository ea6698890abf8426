"""What can go wrong, said once: a status, a stable code, a sentence. Contexts subclass `Problem` in their `errors.py`.

What you may not see is 404; see but not do, 403; what the world forbids, 409; what is malformed, 422.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Detail:
    """One thing that is wrong: `pointer` is a JSON pointer into what was sent (empty: the whole), `code` is stable."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True)
class Reason:
    """Why a transition is refused."""

    code: str
    detail: str


class Problem(Exception):
    """Becomes an `application/problem+json` answer (RFC 9457)."""

    status: ClassVar[int] = 400
    code: str = "bad_request"
    title: ClassVar[str] = "The request cannot be answered"

    def __init__(self, detail: str, *, errors: Iterable[Detail] = (), headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers or {}


class Unauthenticated(Problem):
    """No credential was presented, or one that opens nothing: unknown, expired, revoked."""

    status = 401
    code = "unauthenticated"
    title = "No valid credential was presented"

    def __init__(self, detail: str = "Send an API key as Authorization: Bearer bh_test_… or bh_live_….") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """It is for another party to the matter, or for another role."""

    status = 403
    code = "forbidden"
    title = "You may see this but not do this"


class PermissionMissing(Forbidden):
    """The credential does not carry the permission that the operation needs."""

    code = "permission_missing"

    def __init__(self, permission: str) -> None:
        super().__init__(f"The credential does not carry {permission}.")


class NotFound(Problem):
    """There is no such thing, or none that you may see: the two are not told apart."""

    status = 404
    code = "not_found"
    title = "There is nothing here for you"

    def __init__(self, thing: str, id: str) -> None:
        super().__init__(f"No {thing} {id} that you may see.")


class Conflict(Problem):
    """It contradicts what somebody else has just done; read it again."""

    status = 409
    code = "conflict"
    title = "The world forbids this now"


class TransitionNotPossible(Conflict):
    """The thing is not in a state from which this can be done."""

    code = "transition_not_possible"

    def __init__(self, thing: str, transition: str, status: str) -> None:
        super().__init__(f"{transition} is not possible while the {thing} is {status}.")


class Blocked(Conflict):
    """Guards refuse the move; `errors` holds every reason, and the code is the reason's where there is just one."""

    title = "This is not allowed now"

    def __init__(self, thing: str, transition: str, reasons: Iterable[Reason]) -> None:
        self.reasons = list(reasons)
        self.code = self.reasons[0].code if len({reason.code for reason in self.reasons}) == 1 else "blocked"
        told = [Detail("", reason.code, reason.detail) for reason in self.reasons]
        super().__init__(
            f"{transition} of the {thing} is refused: " + " ".join(r.detail for r in self.reasons), errors=told
        )


class VersionMismatch(Problem):
    """It has changed since you read it. The ETag of the answer is the current one."""

    status = 412
    code = "version_mismatch"
    title = "It has changed since you read it"

    def __init__(self, version: int) -> None:
        super().__init__(f"The current version is {version}.", headers={"ETag": f'"{version}"'})


class VersionRequired(Problem):
    """It moves money or makes an award: send If-Match with the ETag of what you read."""

    status = 428
    code = "version_required"
    title = "Say which version you read"

    def __init__(self) -> None:
        super().__init__("Send If-Match with the ETag of what you read: this moves money or makes an award.")


class Invalid(Problem):
    """Well-formed, but its content cannot be; `errors` has a pointer and a code for each place."""

    status = 422
    code = "invalid"
    title = "What was sent is not valid"

    def __init__(self, *errors: Detail) -> None:
        super().__init__(" ".join(error.detail for error in errors), errors=errors)


def invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(Detail(pointer, code, detail))
