"""What can go wrong between a weighed mass and a signed statement."""

from collections.abc import Iterable

from services.certification.documents.rules import Problem as DocumentProblem
from services.kernel.errors import Conflict, Detail, Forbidden, Invalid, NotFound, Problem
from services.kernel.problem_codes import explain


class MassNotAvailable(Conflict):
    """More mass is wanted of a batch than is left of it."""

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
    """A batch is for whoever both owns it and keeps it."""

    code = "not_in_your_custody"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"{batch_id} is for whoever both owns it and keeps it.")


class NotAtOneSite(Invalid):
    """One event happens at one site, to batches that are there."""

    code = "not_at_one_site"

    def __init__(self) -> None:
        super().__init__(
            Detail("/inputs", "not_at_one_site", "One event happens at one site, to batches that are there.")
        )


class NothingToCertify(Conflict):
    """What was named leaves nothing that a certificate could say."""

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
    """What was sent is not a credential in any form that we read."""

    code = "not_a_credential"

    def __init__(self, detail: str) -> None:
        super().__init__(Detail("/credential", "not_a_credential", detail))


class CodeNotValid(Problem):
    """The waste code does not hold there and then; `errors` says why."""

    status = 404
    code = "code_not_valid"
    title = "This code does not hold there and then"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail, errors=[Detail("", reason, detail)])


class ReferenceMissing(NotFound):
    """Neither what ships nor what was loaded has it, and it is never guessed."""

    code = "reference_data_missing"


explain(
    409,
    evidence_missing="Evidence is missing; the detail names it.",
    mass_not_weighed="A mass behind it was declared or estimated instead of weighed or counted.",
    operation_pending="No final operation that counts for this type has taken the goods.",
    permit_not_valid="The processor's permit does not cover the operation on that day.",
    chain_broken="An entry of the chain does not stand as it was recorded.",
    verifier_missing="A verifier is named.",
    verifier_not_eligible="The organization named is not a verified verifier.",
    verifier_not_independent="The verifier is a party to the goods.",
    another_person_needed="Whoever suspended a certificate does not reinstate it.",
)
explain(
    422,
    one_subject="Name custody events, batches or an order, and only one of them.",
    several_legs="The distance of several legs cannot be given as one.",
    one_batch="One batch is weighed again at a time.",
    batch_twice="Each batch is named once.",
    before_birth="It cannot have happened before the batch existed.",
    not_a_modify="The activity does not leave the mass as it is.",
    used_up="Nothing is left that could be weighed again.",
)
