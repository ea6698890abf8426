"""What can go wrong between an organization and its papers."""

from collections.abc import Iterable

from services.kernel.errors import Conflict, Detail, Forbidden, Invalid, Problem, Unauthenticated
from services.kernel.problem_codes import explain


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
    """The key was revoked before."""

    code = "key_already_revoked"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"{key_id} was revoked before.")


class MemberExists(Conflict):
    """The e-mail address is a member's already."""

    code = "member_exists"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is a member already.")


class PermitExists(Conflict):
    """This permit of this authority is registered already."""

    code = "permit_exists"

    def __init__(self, number: str, authority: str) -> None:
        super().__init__(f"Permit {number} of {authority} is registered already.")


class IdentityUnderReview(Conflict):
    """A reviewer looks at what was handed in, not at what it becomes meanwhile."""

    code = "identity_under_review"

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__(f"{', '.join(sorted(fields))} cannot change while the organization is in review.")


class OrganizationIsClosed(Conflict):
    """The organization is closed."""

    code = "organization_closed"

    def __init__(self) -> None:
        super().__init__("The organization is closed.")


class NotReplaceable(Invalid):
    """A paper follows one of its own kind that was refused, accepted or has expired, and that nothing follows yet."""

    code = "document_not_replaceable"

    def __init__(self, document_id: str) -> None:
        sentence = f"{document_id} is of another kind, or was withdrawn or replaced, or is still being looked at."
        super().__init__(Detail("/replaces_id", "document_not_replaceable", sentence))


class LiveNotServed(Unauthenticated):
    """This server serves the sandbox alone; live credentials belong to the live one."""

    code = "live_not_served"

    def __init__(self) -> None:
        super().__init__("This server serves the sandbox alone; live credentials belong to the live one.")


class EnvironmentNotServed(Forbidden):
    """This server serves the sandbox alone."""

    code = "live_not_served"

    def __init__(self) -> None:
        super().__init__("This server serves the sandbox alone; register live organizations with the live one.")


class SignInRefused(Unauthenticated):
    """Address and password do not belong together. Says the same of an address that is unknown or ambiguous."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__(
            "Address and password do not belong together; name organization_id where the address is a member of several."
        )


class TooManyGuesses(Problem):
    """Too many wrong passwords for this address; `Retry-After` says when to try again."""

    status = 429
    code = "too_many_guesses"
    title = "Too many wrong passwords"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)})


class SignInAgain(Forbidden):
    """A password is set by who has just shown the old one, or, the first one, by who holds all that it will open."""

    code = "sign_in_again"

    def __init__(self) -> None:
        super().__init__(
            "Sign in anew and set it within 15 minutes; a first password is set with a key that carries the whole role"
            " and does not expire."
        )


class NotSignedIn(Conflict):
    """The request came with a key, not with a session; keys are revoked."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("The request came with a key, not with a session; keys are revoked.")


class RoleAboveYours(Forbidden):
    """Nobody makes a member who may do more than he may himself, nor removes or demotes one who already does."""

    code = "role_above_yours"

    def __init__(self, role: str) -> None:
        super().__init__(f"The credential does not carry what the role {role} may do.")


class InvitationUnknown(Invalid):
    def __init__(self) -> None:
        super().__init__(Detail("/token", "invitation_unknown", "There is no such invitation."))


class InvitationPending(Conflict):
    """The address was invited before; revoke that invitation to invite anew."""

    code = "invitation_pending"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} was invited before; revoke that invitation to invite anew.")


class KeyIsSpent(Conflict):
    """Expired, or rotated before: nothing follows from it any more."""

    code = "key_is_spent"

    def __init__(self, key_id: str, why: str) -> None:
        super().__init__(f"{key_id} {why}.")


class OutlivesItsMaker(Invalid):
    """What an expiring key makes does not outlast it."""

    def __init__(self, pointer: str, until: str) -> None:
        super().__init__(Detail(pointer, "outlives_its_maker", f"The key you call with ends at {until}."))


class NotDelegated(Forbidden):
    """You hold no delegation of it that is valid now. Says the same of an organization that is not there."""

    code = "not_delegated"

    def __init__(self, account: str) -> None:
        super().__init__(f"You hold no delegation of {account} that is valid now.")


class NotForDelegates(Forbidden):
    """Only the organization's own members do this."""

    code = "not_for_delegates"

    def __init__(self) -> None:
        super().__init__("Only the organization's own members do this.")


class SiteNotDelegated(Forbidden):
    """The delegation is limited to other sites."""

    code = "site_not_delegated"

    def __init__(self) -> None:
        super().__init__("The delegation is limited to other sites.")


class TokenRefused(Exception):
    """RFC 6749 5.2: answered as that standard wants it, not as a problem document. `error` is its code."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


explain(
    409,
    permit_scope="No permit covers this waste, this operation and this place.",
    permit_expired="No permit for this waste is in force on that day.",
    permit_tonnage="No permit has enough tonnes of this waste left.",
    not_verified="The organization is not verified.",
    organization_suspended="The organization is suspended: it finishes what is under way and begins nothing new.",
    document_missing="A paper that the role needs was not handed in.",
    document_under_review="A paper that the role needs is still being looked at.",
    document_expired="A paper that the role needs has expired.",
    site_closed="The site is not open in that time.",
    site_blackout="Nobody is at the site on that day.",
    invitation_expired="The invitation's time is over; ask for another one.",
    last_owner="An organization has an owner; make another member one first.",
)
explain(
    422,
    document_expired="The paper has expired already.",
    scope_not_held="The scope is not yours to give.",
    vat_id_invalid="The VAT number is not one by its form and check digits.",
    lei_invalid="The LEI is not one by its form and check digits.",
    iban_invalid="The IBAN is not one by its form and check digits.",
    invitation_unknown="There is no such invitation.",
    name_needed="The invitation names nobody; say your name.",
    outlives_its_maker="What an expiring key makes does not outlast it.",
    timezone_unknown="It is not an IANA time zone.",
    closes_before_it_opens="A place closes later on the day than it opens.",
    hours_overlap="Two stretches of a day overlap.",
    ends_before_it_begins="What ends has begun before.",
    operations_do_not_fit="The operations do not belong to this kind of permit.",
    waste_code_malformed="A waste code is six digits, as in 16 06 07*.",
    grantee_is_grantor="You act for yourself without a delegation.",
    never_delegated="The permission is for the organization's own members.",
    not_bound_to_a_site="The permission cannot be limited to sites.",
    account_malformed="Backhaul-Account is an organization's id.",
    site_not_found="You have no such site.",
    organization_not_found="There is no such organization.",
)
