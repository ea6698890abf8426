"""What can go wrong between an organization and its papers."""

from collections.abc import Iterable

from services.kernel.errors import Conflict, Detail, Forbidden, Invalid


class RoleNotOpen(Invalid):
    """Roles are checked, not picked: an operator is made by the house, a live verifier is accredited first."""

    code = "role_not_open"

    def __init__(self, role: str, position: int) -> None:
        sentence = f"{role} cannot be chosen at registration."
        super().__init__(Detail(f"/roles/{position}", "role_not_open", sentence))


class ScopesNotHeld(Forbidden):
    """A key never carries more than whoever makes it, nor more than its member's role."""

    code = "scopes_not_held"

    def __init__(self, scopes: Iterable[str]) -> None:
        listed = sorted(scopes)
        told = [Detail("/scopes", "scope_not_held", f"{scope} is not yours to give.") for scope in listed]
        super().__init__(f"The key cannot carry {', '.join(listed)}.", errors=told)


class KeyAlreadyRevoked(Conflict):
    code = "key_already_revoked"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"{key_id} was revoked before.")


class MemberExists(Conflict):
    code = "member_exists"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is a member already.")


class PermitExists(Conflict):
    code = "permit_exists"

    def __init__(self, number: str, authority: str) -> None:
        super().__init__(f"Permit {number} of {authority} is registered already.")
