"""What can go wrong between a weighed mass and a signed statement."""

from collections.abc import Iterable

from services.certification.documents.rules import Problem as DocumentProblem
from services.kernel.errors import Conflict, Detail, Forbidden, Invalid, NotFound, Problem


class MassNotAvailable(Conflict):
    code = "mass_not_available"

    def __init__(self, batch_id: str, wanted_g: int, remaining_g: int) -> None:
        super().__init__(f"{wanted_g} g are wanted of {batch_id}, {remaining_g} g are left.")


class MassDoesNotBalance(Invalid):
    """What goes in comes out or is lost."""

    code = "mass_balance"

    def __init__(self, entered_g: int, left_g: int, loss_g: int) -> None:
        told = f"{entered_g} g go in; {left_g} g come out and {loss_g} g are lost."
        super().__init__(Detail("/outputs", "mass_balance", told))


class NotInYourCustody(Forbidden):
    code = "not_in_your_custody"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"{batch_id} is for whoever both owns it and keeps it.")


class NotAtOneSite(Invalid):
    code = "not_at_one_site"

    def __init__(self) -> None:
        super().__init__(
            Detail("/inputs", "not_at_one_site", "One event happens at one site, to batches that are there.")
        )


class NothingToCertify(Conflict):
    code = "nothing_to_certify"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)


class DocumentIsNotValid(Conflict):
    """What we were about to sign does not hold by the schema: nothing is signed and nothing is debited."""

    code = "document_not_valid"

    def __init__(self, problems: Iterable[DocumentProblem]) -> None:
        told = [Detail(problem.pointer, problem.code, problem.detail) for problem in problems]
        super().__init__("The certificate would not be valid: " + " ".join(d.detail for d in told), errors=told)


class NotACredential(Invalid):
    code = "not_a_credential"

    def __init__(self, detail: str) -> None:
        super().__init__(Detail("/credential", "not_a_credential", detail))


class CodeNotValid(Problem):
    """A waste code that does not hold there and then; `reason` says why."""

    status = 404
    code = "code_not_valid"
    title = "This code does not hold there and then"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail, errors=[Detail("", reason, detail)])


class ReferenceMissing(NotFound):
    """Neither what ships nor what was loaded has it, and it is never guessed."""

    code = "reference_data_missing"
