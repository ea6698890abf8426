"""What a look-up can answer instead of a row. Plain `LookupError`s: the HTTP face is not made here."""

from datetime import date


class ReferenceDataMissing(LookupError):
    """Neither what ships nor what was loaded has this code; nobody guesses it."""

    def __init__(self, scheme: str, code: str) -> None:
        super().__init__(f"{scheme} {code} is not in the reference data")
        self.scheme = scheme
        self.code = code


class CodeIsNotValid(LookupError):
    """A waste code that may not be used there and then.

    `reason` is `malformed`, `not_listed` (another jurisdiction lists it), `not_yet_valid`, `no_longer_valid`,
    `code_unconfirmed` (sources disagree; an operator settles it) or `hazard_mark` (an asterisk it does not have).
    """

    def __init__(self, code: str, jurisdiction: str, on: date, reason: str) -> None:
        super().__init__(f"{code} in {jurisdiction} on {on.isoformat()}: {_SENTENCES[reason]}")
        self.code = code
        self.jurisdiction = jurisdiction
        self.on = on
        self.reason = reason


class ReferenceDataIsDamaged(Exception):
    """A table's bytes are not those its hash was taken of. Whoever changes a table on purpose renews the hash."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the table {name} differs from the SHA-256 written in lists.json")


_SENTENCES = {
    "malformed": "a waste code is six digits, as in 16 06 07*",
    "not_listed": "the list of that jurisdiction does not have it",
    "not_yet_valid": "it is not valid yet",
    "no_longer_valid": "it is no longer valid",
    "code_unconfirmed": "sources disagree whether it is still valid",
    "hazard_mark": "the entry is not hazardous there and then, so it carries no asterisk",
}
